import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test, vi } from 'vitest';
import { groupExists, groupLives, signalGroup } from '../../src/system/process-group.ts';

const WAIT = { timeout: 20_000, interval: 20 };
const started: ChildProcess[] = [];
afterEach(() => {
  for (const { pid } of started.splice(0)) signalGroup(pid, 'SIGKILL');
});

/** A shell that leads a group of its own. */
function shell(script: string): ChildProcess & { readonly pid: number } {
  const child = spawn('sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  started.push(child);
  if (child.pid === undefined) throw new Error('no shell');
  return child as ChildProcess & { readonly pid: number };
}

test('a group lives while its leader does, and as long as anything that it left behind', async () => {
  const leader = shell('sleep 1000 & echo $!');
  const stdout = await once(leader.stdout ?? leader, 'data');
  await once(leader, 'exit');
  expect([groupExists(leader.pid), await groupLives(leader.pid)]).toEqual([true, true]);
  process.kill(Number(String(stdout[0])), 'SIGKILL');
  await vi.waitUntil(() => groupLives(leader.pid).then((lives) => !lives), WAIT);
});

test('the dead that nobody waits for exist, but do not live', async () => {
  const leader = shell('(sleep 0.1 & exec setsid sleep 1000) & echo $!');
  const stdout = await once(leader.stdout ?? leader, 'data');
  await once(leader, 'exit');
  await vi.waitUntil(() => groupLives(leader.pid).then((lives) => !lives), WAIT);
  expect(groupExists(leader.pid)).toBe(true);
  process.kill(Number(String(stdout[0])), 'SIGKILL');
});

test('no group: none, our own group, every process', () => {
  for (const leader of [undefined, 0, 1, -1]) expect(groupExists(leader)).toBe(false);
});
