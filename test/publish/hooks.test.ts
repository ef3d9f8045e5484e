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

/** A process that is only waited for by its parent does not count. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
