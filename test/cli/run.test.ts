import { stat, unlink } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Locks } from '../../src/system/lock.ts';
import { ended, Installation, NETWORK, OBJECT } from '../support/installation.ts';
import { MockEdge } from '../support/mock-edge.ts';
import { MockFleet } from '../support/mock-fleet.ts';

/** `edge_manage` with three edges: what a run is refused for, what it logs, and the daemon. */

const NAMES = ['127.77.2.1', '127.77.2.2', '127.77.2.3'];
let site: Installation;
let fleet: MockFleet;

beforeAll(async () => {
  fleet = await MockFleet.start(NAMES, OBJECT);
});
afterAll(() => fleet?.close());

beforeEach(async () => {
  site = await Installation.make({
    edges: NAMES,
    port: fleet.port,
    // Slower from edge to edge, so that it is plain which two are the fastest.
    speeds: Object.fromEntries(NAMES.map((name, i) => [name, 0.2 + i])),
    zones: { 'x.test': '' },
    keys: { edge_count: 2, run_frequency: 60 },
  });
});
afterEach(() => site.remove());

test.each([
  ['no network', ['edge_manage', []], 2],
  ['an unknown option', ['edge_manage', ['--colour']], 2],
  ['an argument too many', ['edge_manage', ['x']], 2],
] as const)('%s ends with status 2', async (name, [command, args], expected) => {
  const child =
    name === 'no network' ? site.startBare(command, ['-c', site.path('edgemanage.yaml')]) : site.start(command, args);
  const { status, stderr } = await ended(child);
  expect(status).toBe(expected);
  expect(stderr).not.toBe('');
});

test('a configuration that cannot be used ends with status 1 and its place', async () => {
  await site.write('edgemanage.yaml', 'goodenough: [\n');
  const { status, stderr } = await site.run('edge_manage');
  expect(status).toBe(1);
  expect(stderr).toContain('edgemanage.yaml:');
});

test('a missing edge list ends with status 1', async () => {
  const { status, stderr } = await ended(
    site.startBare('edge_manage', ['-A', 'nonet', '-c', site.path('edgemanage.yaml')]),
  );
  expect(status).toBe(1);
  expect(stderr).toContain('edges/nonet');
});

test('a folder that cannot be used ends with status 1 and one line', async () => {
  const yaml = await site.read('edgemanage.yaml');
  await site.write('edgemanage.yaml', yaml.replace(/^healthdata_store: .*$/m, 'healthdata_store: object/health'));
  const { status, stderr } = await site.run('edge_manage');
  expect(status).toBe(1);
  expect(stderr).toMatch(/^.*ENOTDIR.*\n$/);
});

test('a reference object that is missing ends with status 1, and nothing is decided', async () => {
  await unlink(site.path('object'));
  const { status, stderr } = await site.run('edge_manage');
  expect(status).toBe(1);
  expect(stderr).toContain('testobject.local');
  expect(await site.list('.')).not.toContain(`${NETWORK}.state`);
});

test("edges see edgemanage's User-Agent: theirs may let nobody else have the object, or keep it out of their logs", async () => {
  const edge = await MockEdge.start({ address: '127.77.2.9', port: 0, body: OBJECT, behaviour: { kind: 'ok' } });
  try {
    await site.write(`edges/${NETWORK}`, '127.77.2.9\n');
    const yaml = await site.read('edgemanage.yaml');
    await site.write('edgemanage.yaml', yaml.replace(/^ {2}port: .*$/m, `  port: ${edge.port}`));
    expect((await site.run('edge_manage')).status).toBe(0);
    // A busy machine has it asked again.
    expect(new Set(edge.requests.map(({ head }) => /^user-agent: (.*)\r$/im.exec(head)?.[1]))).toEqual(
      new Set(['Edgemanage v2 (https://github.com/equalitie/edgemanage)']),
    );
  } finally {
    await edge.close();
  }
});

test('a network that is locked ends with status 1 and nothing is fetched; a dry run may look', async () => {
  const locks = Locks.open(site.path('edgemanage.lock'));
  locks.tryLock('network', NETWORK);
  locks.tryLock('server', NETWORK);
  const before = await fleet.connections();
  const { status, stderr } = await site.run('edge_manage');
  expect(status).toBe(1);
  expect(stderr).toContain('server');
  expect(await fleet.connections()).toBe(before);
  expect((await site.run('edge_manage', ['-n'])).status).toBe(0);
  locks.close();
});

test('a state file that cannot be understood is set aside, and the run goes on', async () => {
  await site.write(`${NETWORK}.state`, '{"last_live": [');
  expect((await site.run('edge_manage')).status).toBe(0);
  expect((await site.list('.')).filter((name) => name.includes('.bad-'))).toHaveLength(1);
  expect(await site.read('edgemanage.log')).toContain('.bad-');
  expect((await site.state()).last_live).toEqual(NAMES.slice(0, 2));
});

test('a last run in the future, before the clock was set back, keeps no run from being made', async () => {
  await site.write(`${NETWORK}.state`, JSON.stringify({ last_run: Date.now() / 1000 + 7200 }));
  expect((await site.run('edge_manage')).status).toBe(0);
  expect((await site.state()).last_live).toEqual(NAMES.slice(0, 2));
});

test('the log has the form that log readers know; -v goes to standard error instead', async () => {
  expect((await site.run('edge_manage')).stderr).toBe('');
  const log = await site.read('edgemanage.log');
  for (const line of log.trimEnd().split('\n')) {
    expect(line).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \(\d+\): (INFO|WARNING|ERROR) \S/);
  }
  expect(log).toContain(`fetch from ${NAMES[0]}: `);
  const { stderr } = await site.run('edge_manage', ['--force', '-v']);
  expect(stderr).toMatch(/^edgemanage \(\d+\): DEBUG \S/m);
  expect(await site.read('edgemanage.log')).toBe(log);
});

test.each([
  ['its folder is missing', (text: string) => text.replace(/logpath: .*/, 'logpath: no/such/folder/log')],
  ['the disk is full', (text: string) => text.replace(/logpath: .*/, 'logpath: /dev/full')],
  ['it is a folder', (text: string) => text.replace(/logpath: .*/, `logpath: ${site.path('zones')}`)],
  ['it can never be made', (text: string) => text.replace(/logpath: .*/, 'logpath: /proc/x/log')],
])('a log that cannot be written (%s) costs no round', async (_, edit) => {
  await site.write('edgemanage.yaml', edit(await site.read('edgemanage.yaml')));
  const { status, stderr } = await site.run('edge_manage');
  expect(status).toBe(0);
  expect(stderr).toMatch(/^Cannot write the log/);
  expect(await site.list('named')).toContain('x.test.zone');
});

test('a dry run before the first run leaves no trace', async () => {
  const before = await site.list('.');
  const { status, stdout } = await site.run('edge_manage', ['-n']);
  expect(status).toBe(0);
  expect(stdout).toContain('Would write x.test.zone');
  expect(await site.list('.')).toEqual(before);
});

test('a zone file that was removed comes back with its serial', async () => {
  await site.run('edge_manage');
  const before = await site.read('named/x.test.zone');
  await unlink(site.path('named/x.test.zone'));
  await site.run('edge_manage', ['--force']);
  expect(await site.read('named/x.test.zone')).toBe(before);
});

describe('the daemon', () => {
  const LIVE = `${NETWORK}.live`;

  /** Resolved when the file says what `wanted` looks for. */
  async function until(file: string, wanted: (text: string) => boolean): Promise<void> {
    for (;;) {
      const text = await site.read(file).catch(() => '');
      if (wanted(text)) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  test('stays with -v, keeps its lock, takes up a mode at once and ends it in time, and ends with status 0', async () => {
    const child = site.start('edge_manage', ['--daemonise', '-v']);
    const end = ended(child);
    await until(LIVE, (text) => text === `${NAMES[0]}\n${NAMES[1]}\n`);
    expect((await site.run('edge_manage', ['--force'])).status).toBe(1);
    const { last_run } = await site.state();
    const unavailable = ['--no-syslog', '-m', 'unavailable', '-C', 'x', NAMES[0]];
    expect((await site.run('edge_conf', unavailable)).status).toBe(0);
    await until(LIVE, (text) => text === `${NAMES[1]}\n${NAMES[2]}\n`); // run_frequency is a minute: it was told
    expect((await site.run('edge_conf', ['--for', '1s', ...unavailable])).status).toBe(0);
    await until(`health/${NAMES[0]}.edgestore`, (text) => text.includes('"mode": "available"'));
    expect((await site.state()).last_run).toBe(last_run); // nor did the end wait for a round
    child.kill('SIGTERM');
    expect((await end).status).toBe(0);
  });

  test('leaves its terminal, and refuses when it cannot have its lock', async () => {
    expect((await site.run('edge_manage', ['--daemonise'])).status).toBe(0);
    await until(LIVE, (text) => text !== '');
    expect((await site.run('edge_manage', ['--daemonise', '--force'])).status).toBe(1);
    const pid = Number(/\((\d+)\): INFO/.exec(await site.read('edgemanage.log'))?.[1]);
    process.kill(pid, 'SIGTERM');
    await untilFree();
    expect((await stat(site.path(LIVE))).size).toBeGreaterThan(0);
  });

  test('ends its hooks with itself; those of a single run outlive it', async () => {
    await site.write('hook.sh', `echo $$ >> ${site.path('pids')}\nexec sleep 997\n`);
    const text = await site.read('edgemanage.yaml');
    const hook = `commands:\n  run_before: ["sh ${site.path('hook.sh')}"]`;
    await site.write('edgemanage.yaml', text.replace('commands: null', hook));
    const child = site.start('edge_manage', ['--daemonise', '-v']);
    const end = ended(child);
    await until('pids', (lines) => lines.endsWith('\n'));
    child.kill('SIGTERM');
    expect((await end).status).toBe(0);
    const [first] = (await site.read('pids')).trim().split('\n').map(Number);
    expect(() => process.kill(first, 0)).toThrow('ESRCH');

    expect((await site.run('edge_manage', ['--force'])).status).toBe(0);
    await until('pids', (lines) => /^\d+\n\d+\n$/.test(lines));
    const [, second] = (await site.read('pids')).trim().split('\n').map(Number);
    expect(process.kill(second, 'SIGKILL')).toBe(true);
  });

  async function untilFree(): Promise<void> {
    const locks = Locks.open(site.path('edgemanage.lock'));
    while (locks.isLocked('network', NETWORK)) await new Promise((resolve) => setTimeout(resolve, 20));
    locks.close();
  }
});
