import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Slices } from '../../../src/server/transfer/slices.ts';

test('one at a time, in turn, and the event loop goes round between two', async () => {
  const slices = new Slices();
  const order: string[] = [];
  const work = async (name: string): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      await slices.next();
      order.push(name);
    }
  };
  const all = Promise.all(['a', 'b', 'c'].map(work));
  for (let turns = 0; turns < 9; turns++) {
    expect(order.length).toBeLessThanOrEqual(turns + 1);
    await nextTurn();
  }
  await all;
  expect(order.join('')).toBe('abcabcabc');
});
