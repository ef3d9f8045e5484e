import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/** `goavail` as people start it: command line, signals, exit statuses. */

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'goavail.js');
const EDGEWISE = join(BIN, '..', 'edgewise.js');
const ADDRESS = '127.87.3.1';
const OTHER = '127.87.3.2';
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'goavail-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Waits for lines of standard error one after the other; `ended` is the exit status. */
function start(args: readonly string[], env: NodeJS.ProcessEnv = {}, program = BIN) {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: { ...process.env, CF_API_KEY: '', CF_API_EMAIL: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  const lines: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text));
  const reader = createInterface(child.stderr);
  reader.on('line', (line) => lines.push(line));
  const ended = new Promise<number | null>((resolve) => child.once('close', (status) => resolve(status)));
  const line = async (wanted: string): Promise<string> => {
    for (;;) {
      const found = lines.findIndex((one) => one.includes(wanted));
      if (found >= 0) return lines.splice(0, found + 1)[found];
      const more = await Promise.race([new Promise((resolve) => reader.once('line', resolve)), ended.then(() => null)]);
      if (more === null) throw new Error(`ended without "${wanted}": ${lines.join('\n')}`);
    }
  };
  return { child, line, ended, output, lines };
}

async function listener(port = 0) {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, ADDRESS, resolve);
  });
  const bound = server.address();
  if (typeof bound !== 'object' || bound === null) throw new Error('not bound');
  return { port: bound.port, close: () => new Promise((resolve) => server.close(resolve)) };
}

function toml(port: number, addresses: readonly string[], threshold = 2): string {
  return `failure_threshold = ${threshold}\ninterval = 1\nport = ${port}
[Cloudflare]\ndns_domain = "example.test"\nhostnames = ["cloud"]\nip_addresses = ${JSON.stringify(addresses)}\n`;
}

/** It tells of each listener for SIGHUP, so that signals can be sent as soon as it listens. */
async function startTelling(port: number): Promise<ReturnType<typeof start>> {
  const file = join(folder, 'goavail.toml');
  await writeFile(file, toml(port, [ADDRESS]));
  const tell = `process.on('newListener', (name) => name === 'SIGHUP' && console.error('HEARS ' + new Error().stack.replaceAll('\\n', ' ')))`;
  const run = start(['monitor', '-t', 'tcp'], {
    NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(tell)}`,
  });
  return run;
}

describe('in its first second', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it with status 0', async (signal) => {
    const run = await startTelling(9);
    expect(await run.line('HEARS')).toContain('bin/goavail.js');
    run.child.kill('SIGHUP');
    run.child.kill(signal);
    expect(await run.ended).toBe(0);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it while the prober starts', async (signal) => {
    const run = await startTelling(9);
    await run.line('HEARS');
    expect(await run.line('HEARS')).toContain('MonitorSignals');
    run.child.kill(signal);
    expect(await run.ended).toBe(0);
  });

  test('SIGHUP is served once it has begun', async () => {
    const run = await startTelling(9);
    await run.line('HEARS');
    await run.line('HEARS');
    run.child.kill('SIGHUP');
    await run.line('goavail.toml read again: checking');
    run.child.kill('SIGTERM');
    expect(await run.ended).toBe(0);
  });
});

test('an edge dies and returns; a reload in between, a bad one too; SIGTERM ends it', async () => {
  const edge = await listener();
  await writeFile(join(folder, 'goavail.toml'), toml(edge.port, [ADDRESS, OTHER]));
  const run = start(['monitor', '-t', 'tcp'], { EDGEWISE_CLOUDFLARE_API: 'http://127.0.0.1:9/v4' });
  await run.line(`checking ${ADDRESS}, ${OTHER} by TCP to port ${edge.port} every 1 s; 2 results in a row`);
  await run.line('dry run: nothing is changed at cloudflare (http://127.0.0.1:9/v4, from EDGEWISE_CLOUDFLARE_API)');
  await run.line('not set, and needed for changes: CF_API_KEY, CF_API_EMAIL');
  await run.line(`${OTHER} is down`);
  await run.line('Agent would have Removed IP and configured entries from/to domain example.test ');
  await run.line(`would remove cloud.example.test A ${OTHER}`);

  await writeFile(join(folder, 'goavail.toml'), 'interval = 0\n');
  run.child.kill('SIGHUP');
  await run.line('interval: expected seconds between two checks');
  await run.line('goavail.toml has errors, so the old configuration stays in use');

  await writeFile(join(folder, 'goavail.toml'), toml(edge.port, [OTHER, ADDRESS], 1));
  run.child.kill('SIGHUP');
  await run.line('goavail.toml read again: checking');
  await edge.close();
  await run.line(`${ADDRESS} is down`);
  await run.line('it is the last address');
  const again = await listener(edge.port);
  await run.line(`${ADDRESS} is up`);
  run.child.kill('SIGTERM');
  expect(await run.ended).toBe(0);
  await again.close();
});

test('SIGINT ends it with status 0', async () => {
  await writeFile(join(folder, 'other.toml'), toml(9, [ADDRESS]));
  const run = start(['monitor', '--config-file=other.toml', '--type', 'tcp', '--dry-run', '-b']);
  await run.line(`DEBUG ${ADDRESS} failed (refused: connection refused)`);
  run.child.kill('SIGINT');
  expect(await run.ended).toBe(0);
});

test.each([
  ['no command', [], 2, 'Usage: goavail'],
  ['an unknown type', ['monitor', '-t', 'udp'], 2, 'Allowed choices are ip, tcp'],
  ['an unknown provider', ['monitor', '-p', 'bind'], 2, 'Allowed choices are cloudflare, route53'],
  [
    "the README's sample command",
    ['monitor', '--config-file', '--no-dry-run', 'goavail.toml'],
    2,
    'too many arguments',
  ],
  ['no file', ['monitor', '-f', 'nowhere.toml', '-t', 'tcp'], 1, 'nowhere.toml'],
  ['a port that is missing', ['monitor', '-f', 'flat.toml', '-t', 'tcp'], 1, 'flat.toml:1:1: error: missing-key: port'],
  [
    'no dry run, and no key of the API',
    ['monitor', '-f', 'whole.toml', '-t', 'tcp', '--no-dry-run'],
    1,
    "--no-dry-run: Cloudflare's records cannot be changed without CF_API_KEY and CF_API_EMAIL",
  ],
] as const)('%s', async (_, args, status, expected) => {
  await writeFile(join(folder, 'whole.toml'), toml(9, [ADDRESS]));
  await writeFile(join(folder, 'flat.toml'), toml(9, [ADDRESS]).replace(/^port.*$/m, ''));
  const run = start(args);
  expect(await run.ended).toBe(status);
  expect(run.lines.join('\n')).toContain(expected);
});

test.each([
  ['a file', ['whole.toml', '-t', 'tcp'], 0, '', 'goavail: [{kind: tcp, port: 9}]'],
  ['a network of another name', ['whole.toml', '-t', 'tcp', '-A', 'mynet'], 0, '', 'mynet: [{kind: tcp, port: 9}]'],
  ['a name that would be more than one', ['whole.toml', '-t', 'tcp', '-A', 'a: b'], 2, 'expected a network', ''],
  ['a name with a path', ['whole.toml', '-t', 'tcp', '-A', '../a'], 2, 'expected a network', ''],
  ['a port that is missing', ['flat.toml', '-t', 'tcp'], 1, 'flat.toml:1:1: error: missing-key: port', ''],
  ['a file that is not there', ['nowhere.toml'], 1, 'nowhere.toml', ''],
  ['an unknown type', ['whole.toml', '-t', 'udp'], 2, 'Allowed choices are ip, tcp', ''],
] as const)('edgewise convert: %s', async (_, args, status, stderr, stdout) => {
  await writeFile(join(folder, 'whole.toml'), toml(9, [ADDRESS]));
  await writeFile(join(folder, 'flat.toml'), toml(9, [ADDRESS]).replace(/^port.*$/m, ''));
  const run = start(['convert', ...args], {}, EDGEWISE);
  expect(await run.ended).toBe(status);
  expect(run.lines.join('\n')).toContain(stderr);
  expect(run.output.join('')).toContain(stdout);
  if (status !== 0) expect(run.output).toEqual([]);
});

test('an address of an API that is none', async () => {
  await writeFile(join(folder, 'goavail.toml'), toml(9, [ADDRESS]));
  const run = start(['monitor', '-t', 'tcp'], { EDGEWISE_CLOUDFLARE_API: 'nowhere' });
  expect(await run.ended).toBe(1);
  expect(run.lines.join('\n')).toContain('EDGEWISE_CLOUDFLARE_API: expected');
});

test('help', async () => {
  const run = start(['monitor', '--help']);
  expect(await run.ended).toBe(0);
  for (const option of [
    '-f, --config-file',
    '-d, --dry-run',
    '--no-dry-run',
    '-t, --type',
    '-p, --dns-provider',
    '-b, --debug',
  ]) {
    expect(run.output.join('')).toContain(option);
  }
});
