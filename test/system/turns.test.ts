import { expect, test } from 'vitest';
import { Turns } from '../../src/system/turns.ts';

test('work runs in the order of the calls, never two pieces at once, and a failure stops nobody', async () => {
  const turns = new Turns();
  const seen: string[] = [];
  let running = 0;
  const piece = (name: string) => async () => {
    running++;
    expect(running).toBe(1);
    await null;
    seen.push(name);
    running--;
    if (name === 'b') throw new Error('b failed');
    return name;
  };
  const results = await Promise.allSettled(['a', 'b', 'c'].map((name) => turns.take(piece(name))));
  expect(seen).toEqual(['a', 'b', 'c']);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test('idle waits for what is taken while it waits', async () => {
  const turns = new Turns();
  const seen: number[] = [];
  const first = turns.take(() => {
    void turns.take(async () => {
      await null;
      seen.push(2);
    });
    seen.push(1);
  });
  await turns.idle();
  expect(seen).toEqual([1, 2]);
  await first;
});
