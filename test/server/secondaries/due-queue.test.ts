import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DueQueue } from '../../../src/server/secondaries/due-queue.ts';

test('hands out what is due, the earliest first, each once, whatever changed meanwhile', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('add' as const), item: fc.nat(9), at: fc.nat(50) }),
      fc.record({ kind: fc.constant('take' as const), now: fc.nat(50) }),
    ),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(steps, (list) => {
      const queue = new DueQueue<{ readonly id: number; nextAt: number }>();
      const items = Array.from({ length: 10 }, (_, id) => ({ id, nextAt: -1 }));
      const expected = new Map<number, number>(); // item → when it is due
      for (const step of list) {
        if (step.kind === 'add') {
          items[step.item].nextAt = step.at;
          queue.add(items[step.item]);
          expected.set(step.item, step.at);
          continue;
        }
        const taken = queue.take(step.now, ({ id }) => expected.has(id));
        const due = [...expected.values()].filter((at) => at <= step.now);
        expect(taken?.nextAt ?? null).toBe(due.length === 0 ? null : Math.min(...due));
        if (taken !== null) expected.delete(taken.id);
      }
    }),
  );
});
