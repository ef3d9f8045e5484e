import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { EDGEWISE, EdgewiseServer, edgewise } from '../../support/edgewise.ts';
import { Installation, NETWORK, OBJECT } from '../../support/installation.ts';
import { MockFleet } from '../../support/mock-fleet.ts';
import { freePort } from '../../support/ports.ts';

/** `edgewise status` with a real server: on a pseudo-terminal, which script(1) of util-linux makes, and on a pipe. */

const EDGES = ['127.78.40.1', '127.78.40.2'];
const ENTER = '\u001b[?1049h';
const LEAVE = '\u001b[?1049l';
const GREEN = '\u001b[32m';

let fleet: MockFleet;
let site: Installation;
let server: EdgewiseServer;
let base: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  fleet = await MockFleet.start(EDGES, OBJECT);
  site = await Installation.make({
    edges: EDGES,
    port: fleet.port,
    zones: { 'one.test': '' },
    keys: {
      run_frequency: 1,
      server: { listen: [`127.0.0.1:${await freePort()}`] },
      http: { listen: `127.0.0.1:${await freePort()}` },
    },
  });
  server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
  base = server.http;
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  await server?.stop('SIGKILL');
  await fleet?.close();
  await site?.remove();
});

/** What a child printed so far, and what it is about to print. */
class Watched {
  readonly child: ChildProcess;
  output = '';
  private readonly lookers = new Set<() => void>();

  constructor(child: ChildProcess) {
    this.child = child;
    children.push(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        for (const look of this.lookers) look();
      });
    }
  }

  type(keys: string): void {
    this.child.stdin?.write(keys);
  }

  /** Resolves once what came after `since` matches. */
  shows(pattern: RegExp | string, since = 0): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const text = this.output.slice(since);
        if (typeof pattern === 'string' ? !text.includes(pattern) : !pattern.test(text)) return;
        this.lookers.delete(look);
        resolve();
      };
      this.lookers.add(look);
      this.child.once('close', () => reject(new Error(`it ended without showing ${pattern}:\n${this.output}`)));
      look();
    });
  }

  async ended(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'close');
    return this.child.exitCode;
  }
}

/** `edgewise status --watch` on a terminal of 30 rows and 120 columns; script's exit status is the command's. */
function onTerminal(args: string, env: { readonly [name: string]: string } = {}): Watched {
  const command = `stty rows 30 cols 120; echo pid=$$ tty=$(tty); exec ${process.execPath} ${EDGEWISE} status --watch 0.5 ${args}`;
  const child = spawn('script', ['-q', '-e', '-f', '-c', command, '/dev/null'], {
    env: { ...process.env, TERM: 'xterm', SHELL: '/bin/sh', ...env },
  });
  return new Watched(child);
}

function onPipe(...args: readonly string[]): Watched {
  return new Watched(spawn(process.execPath, [EDGEWISE, 'status', '--watch', '0.5', ...args]));
}

function pidOf({ output }: Watched): number {
  return Number(/pid=(\d+)/.exec(output)?.[1]);
}

describe('on a terminal', () => {
  test('a full screen with edges that are live; a filter, a resize; q gives the terminal back', async () => {
    const watched = onTerminal(`-u ${base}`);
    await watched.shows(/network mynet.*2 of \d+ live/s);
    expect(watched.output).toContain(ENTER);
    // A pseudo-terminal passes a screen on in parts: the rest of this one may be still to come.
    await watched.shows(/127\.78\.40\.1.*live.*up .*pass/s);
    await watched.shows(GREEN);
    let since = watched.output.length;
    watched.type('/nothing\r');
    await watched.shows(/filter: nothing/, since);
    since = watched.output.length;
    execFileSync('stty', ['-F', readlinkSync(`/proc/${pidOf(watched)}/fd/0`), 'rows', '7', 'cols', '50']);
    watched.type('\u001b'); // all networks again
    await watched.shows(/lines 1-\d of \d+/, since);
    watched.type('q');
    expect(await watched.ended()).toBe(0);
    expect(watched.output.lastIndexOf(LEAVE)).toBeGreaterThan(watched.output.lastIndexOf('network'));
    expect(watched.output).toContain('\u001b[?25h'); // the cursor
  });

  test.each([
    ['SIGINT', 0],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s gives it back, too; status %i', async (signal, status) => {
    const watched = onTerminal(`-u ${base}`, { NO_COLOR: '1' });
    await watched.shows(/network mynet/);
    process.kill(pidOf(watched), signal);
    expect(await watched.ended()).toBe(status);
    expect(watched.output.trimEnd().endsWith(LEAVE)).toBe(true);
    expect(watched.output).not.toContain(GREEN);
  });

  test('a crash gives it back before its trace is printed', async () => {
    const watched = onTerminal(`-u ${base}`, {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(CRASH)}`,
    });
    await watched.shows(/network mynet/);
    process.kill(pidOf(watched), 'SIGUSR2');
    expect(await watched.ended()).not.toBe(0);
    expect(watched.output.indexOf('a planned crash')).toBeGreaterThan(watched.output.indexOf(LEAVE));
    expect(watched.output).toContain(LEAVE);
  });
});

const CRASH = "process.on('SIGUSR2', () => { throw new Error('a planned crash'); });";

describe('on a pipe', () => {
  test('a block each time, without escape codes', async () => {
    const watched = onPipe('-u', base);
    await watched.shows(/(--- \d\d:\d\d:\d\d\nEdgewise [\s\S]*?\nqueries: [\s\S]*?\nnetwork mynet [\s\S]*?){2}/);
    expect(watched.output).not.toContain('\u001b');
  });

  test('with --json, a line each time', async () => {
    const watched = onPipe('-u', base, '--json');
    await watched.shows(/\n.*\n/);
    for (const text of watched.output.trimEnd().split('\n').slice(0, 2)) {
      expect(JSON.parse(text)).toMatchObject({
        status: { ready: true },
        networks: [{ network: NETWORK }],
        zones: [{ zone: 'one.test' }],
        vantage: null,
      });
    }
  });

  test('a dumb terminal gets blocks', async () => {
    const watched = onTerminal(`-u ${base}`, { TERM: 'dumb' });
    await watched.shows(/network mynet/);
    expect(watched.output).not.toContain('\u001b');
  });
});

test('a server that goes away and comes back', async () => {
  const keys = parse(await site.read('edgemanage.yaml')) as object;
  const listen = {
    server: { listen: [`127.0.0.1:${await freePort()}`] },
    http: { listen: `127.0.0.1:${await freePort()}` },
  };
  await site.write('other.yaml', stringify({ ...keys, ...listen }));
  const other = await EdgewiseServer.start(site.path('other.yaml'), ['-n']);
  const watched = onPipe('-u', other.http);
  await watched.shows(/network mynet/);
  await other.stop();
  await watched.shows(/NO ANSWER since \d\d:\d\d:\d\d \(.*\)(; below: as at \d\d:\d\d:\d\d)?: ECONNREFUSED/);
  const since = watched.output.length;
  const again = await EdgewiseServer.start(site.path('other.yaml'), ['-n']);
  await watched.shows(/network mynet/, since);
  await again.stop();
});

test('--json gives what the API answers; --all and --json exclude each other; so do wrong intervals', async () => {
  const { status, stdout } = await edgewise(['status', '-u', base, '--json']);
  expect(status).toBe(0);
  const answers = JSON.parse(stdout) as {
    readonly zones: unknown;
    readonly networks: readonly { readonly edges: readonly object[] }[];
  };
  expect({ zones: answers.zones, next: null }).toEqual(JSON.parse((await server.get('/api/v1/zones')).text));
  expect(answers.networks[0].edges).toHaveLength(2);
  for (const args of [
    ['--json', '--all'],
    ['--watch', '0'],
    ['--watch', 'soon'],
  ]) {
    expect(await edgewise(['status', '-u', base, ...args])).toMatchObject({ status: 2, stdout: '' });
  }
  const none = await edgewise(['status', '-u', 'http://127.0.0.1:1', '--json']);
  expect(none).toMatchObject({
    status: 2,
    stdout: '',
    stderr: expect.stringContaining('does not answer: ECONNREFUSED'),
  });
});
