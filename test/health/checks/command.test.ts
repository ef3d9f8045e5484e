import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { probeAddress } from '../../../src/health/checks/attempts.ts';
import type { CommandTest } from '../../../src/health/checks/command.ts';
import type { Lane } from '../../../src/health/checks/lanes.ts';
import { Programs } from '../../../src/health/checks/programs.ts';
import type { Fetch } from '../../../src/health/checks/sample.ts';
import { GROUPS_MAX, GroupTable } from '../../../src/system/process-group.ts';

let folder: string;
let programs: Programs;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-command-'));
  programs = new Programs(new GroupTable());
});
afterEach(() => {
  programs.groups.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A shell script; `$DIR` in it is the test's folder. */
function script(text: string, name = 'check'): string {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\nDIR='${folder}'\n${text}\n`);
  chmodSync(file, 0o755);
  return file;
}

type Options = Partial<CommandTest> & {
  readonly signal?: AbortSignal;
  readonly address?: string;
  readonly lane?: Lane;
  readonly lateMs?: number;
};

async function probe(
  program: string,
  { signal, address = '127.0.0.1', lane = 'live', lateMs = 0, ...more }: Options = {},
): Promise<Fetch & { readonly stalledMs: number }> {
  const args = ['{edge}', '{address}'];
  const check: CommandTest = {
    kind: 'command',
    name: 'cmd',
    timeout: 20,
    program,
    args,
    ok: [0],
    unknown: [],
    ...more,
  };
  const plan = { checks: [check], combine: 'all', timeout: 20, retry: 2, workers: 1 } as const;
  const tools = {
    userAgent: 'Edgewise/test',
    trust: () => {
      throw new Error('not needed');
    },
    stalls: { late: () => lateMs, total: () => lateMs },
    programs,
    signal: signal ?? new AbortController().signal,
    pause: async () => {},
  };
  const { fetch, stalledMs } = await probeAddress({ edge: 'edge.test', address, resolve: null, lane }, plan, tools);
  return { ...fetch, stalledMs };
}

const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const pidIn = (name: string): number => Number(read(name));

/** Whether a process is gone; one that nobody has waited for yet is. */
function isGone(pid: number): boolean {
  try {
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
}
const gone = (pid: number): Promise<void> => vi.waitFor(() => expect(isGone(pid)).toBe(true), { timeout: 20_000 });
const written = (name: string): Promise<void> =>
  vi.waitFor(() => expect(existsSync(join(folder, name)) && read(name)).toMatch(/\n$/), { timeout: 20_000 });

describe('the exit status', () => {
  test('0 passes', async () => {
    const fetch = await probe(script('exit 0'));
    expect(fetch).toMatchObject({ fail: null, attempts: 1, check: 'cmd', checks: [{ kind: 'command' }] });
    expect(fetch.seconds).toBeGreaterThan(0);
  });

  test.each<[string, string, Partial<CommandTest>, { reason: string; detail: string } | null]>([
    ['others fail, and are not tried again', 'exit 7', {}, { reason: 'exit', detail: 'exit status 7' }],
    ['a warning of a plugin fails', 'exit 1', {}, { reason: 'exit', detail: 'exit status 1' }],
    ['unless it passes', 'exit 1', { ok: [0, 1] }, null],
    ['0 fails where another is wanted', 'exit 0', { ok: [3] }, { reason: 'exit', detail: 'exit status 0' }],
    [
      'the first line is in the reason',
      'echo "CRITICAL - no route | t=1"; echo more; exit 2',
      {},
      { reason: 'exit', detail: 'exit status 2: CRITICAL - no route | t=1' },
    ],
    [
      'empty lines are none',
      'printf "\\n \\r\\n  late  \\n"; exit 2',
      {},
      { reason: 'exit', detail: 'exit status 2: late' },
    ],
    [
      'of standard error where nothing else is said',
      'echo oops >&2; exit 2',
      {},
      { reason: 'exit', detail: 'exit status 2: oops' },
    ],
    [
      'control characters are not passed on',
      'printf "a\\033[31mb\\007\\n"; exit 2',
      {},
      { reason: 'exit', detail: 'exit status 2: a?[31mb?' },
    ],
    [
      'nor marks that turn a line round',
      'printf "\\342\\200\\256ko\\342\\201\\251\\n"; exit 2',
      {},
      { reason: 'exit', detail: 'exit status 2: ?ko?' },
    ],
    ['closed streams', 'exec >&- 2>&-; exit 4', {}, { reason: 'exit', detail: 'exit status 4' }],
    ['a signal', 'kill -SEGV $$', {}, { reason: 'signal', detail: 'ended by SIGSEGV' }],
  ])('%s', async (_, text, more, fail) => {
    const fetch = await probe(script(text), more);
    expect(fetch.fail).toEqual(fail);
    expect(fetch.attempts).toBe(1);
  });

  test('a stall of our own counts half, and is no reason to run the program again', async () => {
    const started = performance.now();
    const late = await probe(script('sleep 0.2'), { lateMs: 60_000 });
    expect(late).toMatchObject({ fail: null, stalledMs: 0 });
    expect(late.seconds).toBeGreaterThan(0);
    expect(late.seconds).toBeLessThanOrEqual((performance.now() - started) / 2000);
  });

  test('one that says nothing about the edge is unknown', async () => {
    const fetch = await probe(script('echo "UNKNOWN - usage"; exit 3'), { unknown: [3] });
    expect(fetch.fail).toEqual({ reason: 'exit', detail: 'exit status 3: UNKNOWN - usage', unknown: true });
  });
});

describe('what the program gets', () => {
  test('edge and address as arguments, no shell between', async () => {
    const program = script('printf "%s\\n" "$#" "$@" > $DIR/args');
    expect((await probe(program, { address: '::1' })).fail).toBeNull();
    expect(read('args')).toBe('2\nedge.test\n::1\n');
    const args = ['-H', '{address}', 'x={edge}/{address}', '$HOME; `id`', '{port}', ''];
    expect((await probe(program, { args })).fail).toBeNull();
    expect(read('args')).toBe('6\n-H\n127.0.0.1\nx=edge.test/127.0.0.1\n$HOME; `id`\n{port}\n\n');
  });

  test('an environment of its own, without what is meant for us', async () => {
    for (const name of [
      'NOTIFY_SOCKET',
      'LISTEN_FDS',
      'LISTEN_PID',
      'WATCHDOG_USEC',
      'AWS_SECRET_ACCESS_KEY',
      'NODE_OPTIONS',
    ]) {
      vi.stubEnv(name, 'secret');
    }
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv('LC_ALL', 'C');
    expect((await probe(script('env > $DIR/env; pwd > $DIR/pwd; cat > $DIR/stdin'))).fail).toBeNull();
    const env = new Map(
      read('env')
        .trim()
        .split('\n')
        .map((line) => [line.split('=')[0] ?? '', line.split('=')[1] ?? '']),
    );
    expect(Object.fromEntries(env)).toMatchObject({
      EDGEWISE_EDGE: 'edge.test',
      EDGEWISE_ADDRESS: '127.0.0.1',
      EDGEWISE_FAMILY: '4',
      EDGEWISE_CHECK: 'cmd',
      EDGEWISE_TIMEOUT: '20',
      PATH: process.env['PATH'],
      LC_ALL: 'C',
    });
    expect(read('env')).not.toContain('secret');
    expect(read('pwd')).toBe('/\n');
    expect(read('stdin')).toBe('');
  });
});

describe('output', () => {
  test('of which 200 octets a stream are kept', async () => {
    const { fail } = await probe(script('head -c 5000 /dev/zero | tr "\\0" x; exit 2'));
    expect(fail?.detail).toBe(`exit status 2: ${'x'.repeat(200)}`);
  });

  test('is read, so that a program that says much ends', async () => {
    expect((await probe(script('head -c 900000 /dev/zero; head -c 900000 /dev/zero >&2'))).fail).toBeNull();
  });

  test('without end is closed', async () => {
    const { fail } = await probe(script('echo first; exec yes'));
    expect(fail).toMatchObject({
      detail: expect.stringMatching(
        /^(?:exit status 1|ended by SIGPIPE), having written more than 1048576 octets: first$/,
      ),
    });
  });
});

describe('its process group ends with it', () => {
  test('what hangs, and what that started, at the deadline', async () => {
    const program = script(
      "(trap \"\" TERM HUP INT; echo $$ > $DIR/outer; sh -c 'echo $$ > '$DIR/inner'; exec sleep 600') & echo waiting; wait",
    );
    const { fail, seconds } = await probe(program, { timeout: 1.5 });
    expect(fail).toEqual({ reason: 'timeout', detail: 'did not end within 1.500 s: waiting' });
    expect(seconds).toBe(20); // the network's, as every failure
    await gone(pidIn('outer'));
    await gone(pidIn('inner'));
  });

  test('what it leaves behind, though it passes', async () => {
    expect((await probe(script('sleep 600 & echo $! > $DIR/left; exit 0'))).fail).toBeNull();
    await gone(pidIn('left'));
  });

  test('when nobody wants the result any more', async () => {
    const controller = new AbortController();
    const asked = probe(script('echo $$ > $DIR/pid; exec sleep 600'), { signal: controller.signal });
    await written('pid');
    controller.abort();
    expect((await asked).fail).toMatchObject({ reason: 'start', unknown: true });
    await gone(pidIn('pid'));
    expect((await probe(script('exit 0'), { signal: controller.signal })).fail).toMatchObject({ unknown: true });
  });

  test('a process that makes a session of its own is not caught, but holds nothing up', async () => {
    const program = script(
      "setsid sh -c 'echo $$ > '$DIR/daemon'; exec sleep 600' & while [ ! -s $DIR/daemon ]; do sleep 0.02; done; echo gone; exit 5",
    );
    const { fail } = await probe(program);
    const daemon = pidIn('daemon');
    onTestFinished(() => void process.kill(daemon, 'SIGKILL'));
    expect(fail).toEqual({ reason: 'exit', detail: 'exit status 5: gone' });
    expect(isGone(daemon)).toBe(false);
  });

  test('when the table of groups is closed, those to come included', async () => {
    const asked = probe(script('echo $$ > $DIR/pid; exec sleep 600'));
    await written('pid');
    programs.groups.close();
    expect((await asked).fail).toMatchObject({ reason: 'signal', detail: 'ended by SIGKILL' });
    expect((await probe(script('exec sleep 600'))).fail).toMatchObject({ reason: 'start', unknown: true });
  });
});

describe('what cannot be started is unknown', () => {
  test.each<[string, () => string, RegExp]>([
    ['a program that was removed', () => join(folder, 'nowhere'), /nowhere could not be started: .*ENOENT/],
    [
      'one without the right to run',
      () => {
        const file = script('exit 0');
        chmodSync(file, 0o644);
        return file;
      },
      /could not be started: .*EACCES/,
    ],
    ['a folder', () => folder, /could not be started: .*EACCES/],
    [
      'a script whose interpreter is missing',
      () => {
        const file = join(folder, 'odd');
        writeFileSync(file, '#!/nowhere/interpreter\n');
        chmodSync(file, 0o755);
        return file;
      },
      /could not be started: .*ENOENT/,
    ],
  ])('%s', async (_, make, detail) => {
    const fetch = await probe(make());
    expect(fetch.fail).toMatchObject({ reason: 'start', unknown: true, detail: expect.stringMatching(detail) });
    expect(fetch.attempts).toBe(1);
    // Its place is free again.
    const others = await Promise.all(Array.from({ length: GROUPS_MAX + 1 }, () => probe(make())));
    expect(others.filter(({ fail }) => fail?.detail.includes('could not be started'))).toHaveLength(GROUPS_MAX + 1);
  });

  test('a shortage of descriptors is tried again', async () => {
    // In a process of its own, which has no descriptor left.
    const limited = spawn(
      'prlimit',
      [
        '--nofile=400:400',
        process.execPath,
        '--input-type=module',
        '-e',
        `
      import { openSync } from 'node:fs';
      const { commandCheck } = await import(process.argv[1]);
      const { Programs } = await import(process.argv[2]);
      const { GroupTable } = await import(process.argv[3]);
      try { for (;;) openSync('/dev/null', 'r'); } catch {}
      const test = { kind: 'command', name: 'c', timeout: 5, program: '/bin/true', args: [], ok: [0], unknown: [] };
      const tools = { stalls: { late: () => 0, total: () => 0 }, programs: new Programs(new GroupTable()), signal: new AbortController().signal };
      const attempt = await commandCheck.probe({ edge: 'e', address: '127.0.0.1', test }, performance.now() + 5000, tools);
      process.stdout.write(JSON.stringify(attempt.fail));
    `,
        ...['health/checks/command', 'health/checks/programs', 'system/process-group'].map((name) =>
          join(process.cwd(), `dist/${name}.js`),
        ),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let out = '';
    limited.stdout.on('data', (piece) => (out += piece));
    await once(limited, 'close');
    expect(JSON.parse(out)).toMatchObject({
      reason: 'start',
      retry: true,
      unknown: true,
      detail: expect.stringMatching(/EMFILE|EAGAIN/),
    });
  });
});

describe('many at once', () => {
  test('200 edges, of which 32 run at a time', async () => {
    const program = script('echo start >> $DIR/log; sleep 0.05; echo end >> $DIR/log; exit 0');
    const all = await Promise.all(
      Array.from({ length: 200 }, (_, i) => probe(program, { address: `127.0.0.${i + 1}`, timeout: 60 })),
    );
    expect(all.every(({ fail }) => fail === null)).toBe(true);
    let running = 0;
    let most = 0;
    for (const line of read('log').trim().split('\n')) {
      running += line === 'start' ? 1 : -1;
      most = Math.max(most, running);
    }
    expect(read('log').match(/start/g)).toHaveLength(200);
    expect(most).toBeLessThanOrEqual(GROUPS_MAX);
  });

  test('one that gets no place in time is unknown, and places come back', async () => {
    const hanging = Array.from({ length: GROUPS_MAX }, () => probe(script('exec sleep 600'), { timeout: 3 }));
    const { fail } = await probe(script('exit 0', 'quick'), { timeout: 0.4 });
    expect(fail).toMatchObject({ reason: 'start', unknown: true, detail: expect.stringContaining('32 programs') });
    const later = probe(script('exit 0', 'later'), { timeout: 20 });
    for (const fetch of await Promise.all(hanging)) expect(fetch.fail?.reason).toBe('timeout');
    expect((await later).fail).toBeNull();
  });

  test('what hangs leaves places to live members, and to those that passed last time', async () => {
    const controller = new AbortController();
    const hang = script('exec sleep 600', 'hang');
    const more = { signal: controller.signal, timeout: 20 };
    const slow = Array.from({ length: 40 }, () => probe(hang, { ...more, lane: 'slow' }));
    expect((await probe(script('exit 0'), { lane: 'usual', timeout: 10 })).fail).toBeNull();
    const usual = Array.from({ length: 40 }, () => probe(hang, { ...more, lane: 'usual' }));
    expect((await probe(script('exit 6'), { timeout: 10 })).fail).toMatchObject({ reason: 'exit' });
    controller.abort();
    for (const fetch of await Promise.all([...slow, ...usual])) expect(fetch.fail).toMatchObject({ unknown: true });
  });

  test('a place that comes back goes to a live member first', async () => {
    const { signal } = new AbortController();
    const taken = await Promise.all(Array.from({ length: 16 }, () => programs.take('usual', 0, signal)));
    const live = await Promise.all(Array.from({ length: 16 }, () => programs.take('live', 0, signal)));
    expect([...taken, ...live].every(Boolean)).toBe(true);
    const order: string[] = [];
    const wait = (lane: Lane): Promise<unknown> => programs.take(lane, 60_000, signal).then(() => order.push(lane));
    const waiting = [wait('slow'), wait('usual'), wait('live')];
    for (let i = 0; i < 3; i++) programs.release('usual');
    await Promise.all(waiting);
    expect(order).toEqual(['live', 'usual', 'slow']);
  });

  test('one that waits is let go when nobody wants the result any more', async () => {
    const controller = new AbortController();
    const hanging = Array.from({ length: GROUPS_MAX + 3 }, () =>
      probe(script('exec sleep 600'), { signal: controller.signal }),
    );
    controller.abort();
    for (const fetch of await Promise.all(hanging)) expect(fetch.fail).toMatchObject({ unknown: true });
    expect((await probe(script('exit 0'))).fail).toBeNull();
  });
});
