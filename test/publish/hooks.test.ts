import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Hooks } from '../../src/publish/hooks.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgewise-hooks-'));
});
afterEach(() => rm(folder, { recursive: true }));

const PATIENCE_MS = 20_000;

/** Starts one command, waits for its end, and returns what was reported. */
async function trouble(command: string): Promise<readonly string[]> {
  const reports: string[] = [];
  const hooks = new Hooks((hook, text, why) => reports.push(`${hook} "${text}": ${why}`));
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
  const hooks = new Hooks((_, command) => reports.push(command));
  hooks.start('run_before', ['sleep 6', 'false']);
  await hooks.settle(1000);
  await vi.waitUntil(() => reports.length > 0, { timeout: 60_000 });
  expect(reports).toEqual(['false']);
});
