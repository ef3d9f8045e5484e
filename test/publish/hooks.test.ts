import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Hooks } from '../../src/publish/hooks.ts';
import { throwingGuard } from '../support/guard.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgewise-hooks-'));
});
afterEach(() => rm(folder, { recursive: true }));

const PATIENCE_MS = 20_000;
const WAIT = { timeout: PATIENCE_MS, interval: 20 };

/** Starts one command, waits for its end, and returns what was reported. */
async function trouble(command: string): Promise<readonly string[]> {
  const reports: string[] = [];
  const hooks = new Hooks((hook, text, why) => reports.push(`${hook} "${text}": ${why}`), { guard: throwingGuard() });
  hooks.start('run_after', [command]);
  await hooks.settle(PATIENCE_MS);
  return reports;
}

test.each([
  ['success', 'true', []],
  ['an exit status', 'false', ['run_after "false": exit status 1']],
  ['a program that does not exist', '/nonexistent x', ['run_after "/nonexistent x": spawn /nonexistent ENOENT']],
])('%s', async (_, command, expected) => {
  expect(await trouble(command)).toEqual(expected);
});

describe('what a command that fails says on standard error is in the report', () => {
  const failing = async (script: string): Promise<readonly string[]> => {
    const file = join(folder, 'fails.sh');
    await writeFile(file, script);
    return (await trouble(`sh ${file}`)).map((report) => report.replace(file, 'SCRIPT'));
  };
  const report = (said: string): string => `run_after "sh SCRIPT": exit status 3${said}`;

  test.each([
    ['its first line', 'echo "rndc: connection refused" >&2; echo more >&2; exit 3', ': rndc: connection refused'],
    ['behind empty ones', 'echo >&2; echo "  late  " >&2; exit 3', ': late'],
    ['without an end', 'printf half >&2; exit 3', ': half'],
    ['nothing', 'echo out; exit 3', ''],
    ['an escape sequence', "printf '\\033[2Jx\\n' >&2; exit 3", ': \ufffd[2Jx'],
    ['far too much', 'head -c 300000 /dev/zero | tr "\\0" x >&2; exit 3', `: ${'x'.repeat(200)}`],
    ['and another process keeps it open', 'sleep 20 & echo why >&2; exit 3', ': why'],
  ])('%s', async (_, script, said) => {
    expect(await failing(script)).toEqual([report(said)]);
  });

  test('but not where it succeeds', async () => {
    expect(await failing('echo "only a warning" >&2')).toEqual([]);
  });
});

test('an empty command is reported, not thrown', async () => {
  expect((await trouble('')).join()).toMatch(/^run_after "": /);
});

test('a command ended by a signal is reported', async () => {
  const child = "process.kill(process.pid,'SIGTERM');setTimeout(()=>{},9e9)";
  expect((await trouble(`${process.execPath} -e ${child}`)).join()).toContain('ended by SIGTERM');
});

test('commands are split on single spaces, and no shell sees them', async () => {
  const script = 'process.getBuiltinModule("fs").writeFileSync(process.argv[1],JSON.stringify(process.argv.slice(2)))';
  const file = join(folder, 'arguments');
  expect(await trouble(`${process.execPath} -e ${script} ${file} $HOME  *;true "a b"`)).toEqual([]);
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(['$HOME', '', '*;true', '"a', 'b"']);
});

test('nobody waits for a command: settling gives up on one that goes on', async () => {
  const reports: string[] = [];
  const hooks = new Hooks((_, command) => reports.push(command), { guard: throwingGuard() });
  hooks.start('run_before', ['sleep 6', 'false']);
  await hooks.settle(1000);
  await vi.waitUntil(() => reports.length > 0, { timeout: 60_000 });
  expect(reports).toEqual(['false']);
});

describe('a command that runs when it is to be started again', () => {
  const count = (hook: string): string =>
    `${process.execPath} -e process.getBuiltinModule("fs").appendFileSync(process.argv[1],"x");process.stdin;setTimeout(()=>{},300) ${join(folder, hook)}`;

  test('does not run twice at a time, starts once more at its end, and is reported once', async () => {
    const reports: string[] = [];
    const hooks = new Hooks((hook, _, why) => reports.push(`${hook}: ${why}`), { guard: throwingGuard() });
    for (let i = 0; i < 50; i++) hooks.start('run_after_changes', [count('one')]);
    await vi.waitUntil(async () => (await readFile(join(folder, 'one'), 'utf8').catch(() => '')) === 'xx', WAIT);
    await hooks.settle(PATIENCE_MS);
    expect(await readFile(join(folder, 'one'), 'utf8')).toBe('xx');
    expect(reports).toEqual(['run_after_changes: still runs, so it is started once more when it has ended']);
  });

  test('two hooks with one command, and two commands of one hook, do not wait for each other', async () => {
    const reports: string[] = [];
    const hooks = new Hooks((hook, _, why) => reports.push(`${hook}: ${why}`), { guard: throwingGuard() });
    hooks.start('run_before', ['sleep 30', 'sleep 31']);
    hooks.start('run_after', ['sleep 30']);
    expect(reports).toEqual([]);
    await hooks.stop();
  });

  test('a limit ends it', async () => {
    const reports: string[] = [];
    const hooks = new Hooks((hook, command, why) => reports.push(`${hook} ${command}: ${why}`), {
      limitMs: 100,
      guard: throwingGuard(),
    });
    hooks.start('run_after', ['sleep 1000']);
    await hooks.settle(PATIENCE_MS);
    expect(reports).toEqual([
      'run_after sleep 1000: ran for 0.1 s and is ended',
      'run_after sleep 1000: ended by SIGTERM',
    ]);
  });

  test('a stop ends it with what it started, though it heeds no signal, and starts nothing any more', async () => {
    const reports: string[] = [];
    const hooks = new Hooks((_, command, why) => reports.push(`${command}: ${why}`), { guard: throwingGuard() });
    const pids = join(folder, 'pids');
    await writeFile(
      join(folder, 'deaf.sh'),
      `trap '' TERM\nsleep 1000 &\necho $$ $! > ${pids}.new\nmv ${pids}.new ${pids}\nwait\n`,
    );
    hooks.start('run_after', [`sh ${join(folder, 'deaf.sh')}`]);
    const text = await vi.waitUntil(() => readFile(pids, 'utf8').catch(() => ''), WAIT);
    await hooks.stop();
    hooks.start('run_after', [`false`]);
    await hooks.settle(PATIENCE_MS);
    for (const pid of text.trim().split(' ')) await vi.waitUntil(() => !isAlive(Number(pid)), WAIT);
    expect(reports).toEqual([]);
  });
});

describe('a command that ends and leaves processes behind', () => {
  /** A script that starts `line` in the background, notes its pid in `pids`, and ends. */
  async function leaving(line: string, rest = ''): Promise<string> {
    const script = join(folder, 'leaves.sh');
    await writeFile(script, `${line} &\necho $! >> ${join(folder, 'pids')}\n${rest}`);
    return `sh ${script}`;
  }
  const pids = async (): Promise<readonly number[]> =>
    (await readFile(join(folder, 'pids'), 'utf8').catch(() => '')).trim().split('\n').filter(Boolean).map(Number);
  const reports: string[] = [];
  const make = (limitMs?: number): Hooks =>
    new Hooks((_, __, why) => reports.push(why), {
      guard: throwingGuard(),
      ...(limitMs === undefined ? {} : { limitMs }),
    });
  beforeEach(() => {
    reports.length = 0;
  });

  test('still runs as long as they do: they do not pile up, and it is reported once', async () => {
    const hooks = make();
    const command = await leaving('sleep 1000');
    hooks.start('run_after', [command]);
    await hooks.settle(PATIENCE_MS); // the command itself
    for (let i = 0; i < 20; i++) hooks.start('run_after', [command]);
    expect(await pids()).toHaveLength(1);
    expect(reports).toEqual([
      'has left processes behind that still run, so it is started once more when they have ended',
    ]);
    process.kill((await pids())[0]);
    await vi.waitUntil(async () => (await pids()).length === 2, WAIT);
    await hooks.stop();
    for (const pid of await pids()) await vi.waitUntil(() => !isAlive(pid), WAIT);
  });

  test.each([
    ['', ''],
    [', though the command failed', 'exit 3\n'],
  ])('a stop ends them, deaf ones too%s', async (_, rest) => {
    const hooks = make();
    hooks.start('run_after', [await leaving(`sh -c "trap '' TERM; sleep 1000; sleep 1000"`, rest)]);
    await hooks.settle(PATIENCE_MS);
    const [pid] = await pids();
    expect(isAlive(pid)).toBe(true);
    await hooks.stop();
    await vi.waitUntil(() => !isAlive(pid), WAIT);
    expect(reports).toEqual(rest === '' ? [] : ['exit status 3']);
  });

  test('the limit ends them', async () => {
    const hooks = make(500);
    hooks.start('run_after', [await leaving('sleep 1000')]);
    await hooks.settle(PATIENCE_MS);
    const [pid] = await pids();
    await vi.waitUntil(() => !isAlive(pid), WAIT);
    expect(reports).toEqual(['ran for 0.5 s and is ended']);
    await hooks.stop();
  });

  test('a dead one that nobody waits for holds nothing up', async () => {
    const hooks = make();
    const command = await leaving('(sleep 0.2 & exec setsid sleep 1000)');
    hooks.start('run_after', [command]);
    await hooks.settle(PATIENCE_MS);
    const [daemon] = await pids();
    hooks.start('run_after', [command]);
    await vi.waitUntil(async () => (await pids()).length === 2, WAIT);
    for (const pid of [daemon, ...(await pids())]) process.kill(pid, 'SIGKILL');
    await hooks.stop();
  });

  test('a daemon in a session of its own is let go', async () => {
    const hooks = make();
    const command = await leaving('setsid sleep 1000');
    hooks.start('run_after', [command]);
    await vi.waitUntil(async () => (await pids()).length === 1, WAIT);
    const [pid] = await pids();
    await vi.waitUntil(() => isSessionLeader(pid), WAIT);
    await hooks.stop();
    expect(isAlive(pid)).toBe(true);
    process.kill(pid, 'SIGKILL');
    expect(reports).toEqual([]);
  });
});

function isSessionLeader(pid: number): boolean {
  // After the name: state, parent, group, session.
  return (
    readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /, '')
      .split(' ')[3] === `${pid}`
  );
}

/** A process that is only waited for by its parent does not count. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
