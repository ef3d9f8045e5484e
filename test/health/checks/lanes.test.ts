import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Lane, Lanes, LIVE_PLACES, type Place, SLOW_PLACES } from '../../../src/health/checks/lanes.ts';

/** A target: where it waits, and its place once it has one. */
type Holder = { readonly lane: Lane; place: Place | null; isOver: boolean };

function taken(lanes: Lanes, lane: Lane): Holder {
  const holder: Holder = { lane, place: null, isOver: false };
  lanes.take(lane, (place) => {
    holder.place = place;
  });
  return holder;
}

const many = (lanes: Lanes, lane: Lane, count: number): Holder[] =>
  Array.from({ length: count }, () => taken(lanes, lane));
const having = (holders: readonly Holder[]): number => holders.filter(({ place }) => place !== null).length;

describe('places', () => {
  test('whatever the others hold, a live member has one at once', () => {
    const lanes = new Lanes(2);
    many(lanes, 'usual', 500);
    many(lanes, 'slow', 500);
    expect(having(many(lanes, 'live', LIVE_PLACES))).toBe(LIVE_PLACES);
    expect(taken(lanes, 'live').place).toBeNull();
  });

  test('of usual targets that hang go to the next ones, until the slow lane is full', () => {
    const lanes = new Lanes(2);
    const all = many(lanes, 'usual', 1000);
    expect(having(all)).toBe(2);
    for (const holder of all) holder.place?.slow();
    expect(having(all)).toBe(2 + SLOW_PLACES);
    // One that ends makes room in the slow lane for the first that waits for it, and that one for another.
    all[0].place?.release();
    expect(having(all)).toBe(3 + SLOW_PLACES);
  });

  test('of targets that failed last time are not those of the others', () => {
    const lanes = new Lanes(3);
    many(lanes, 'slow', 1000);
    expect(having(many(lanes, 'usual', 5))).toBe(3);
  });

  test('in the slow lane go to those that keep others waiting first', () => {
    const lanes = new Lanes(1);
    const slow = many(lanes, 'slow', SLOW_PLACES + 1);
    const [hangs, next] = many(lanes, 'usual', 2);
    hangs.place?.slow();
    expect(next.place).toBeNull();
    slow[0].place?.release();
    expect(next.place).not.toBeNull();
    expect(slow[SLOW_PLACES].place).toBeNull();
  });

  test('are had at once by a target that becomes live while it waits, and only once', () => {
    const lanes = new Lanes(1);
    many(lanes, 'usual', 1);
    let began = 0;
    const hurry = lanes.take('usual', () => {
      began += 1;
    });
    expect(began).toBe(0);
    hurry();
    hurry();
    expect(began).toBe(1);
    expect(having(many(lanes, 'live', LIVE_PLACES))).toBe(LIVE_PLACES - 1);
  });

  test('that were released twice, or moved after their end, count once', () => {
    const lanes = new Lanes(1);
    const [first, second, third] = many(lanes, 'usual', 3);
    first.place?.release();
    first.place?.slow();
    first.place?.release();
    expect([second.place !== null, third.place !== null]).toEqual([true, false]);
  });
});

test('never more than there are; nobody waits beside a free place; all are served in the end', () => {
  const lane = fc.constantFrom<Lane>('live', 'usual', 'slow');
  const act = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ kind: fc.constant('take' as const), lane, count: fc.integer({ min: 1, max: 40 }) }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('slow' as const), at: fc.nat() }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('release' as const), at: fc.nat() }) },
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.array(act, { maxLength: 80 }), (workers, acts) => {
      const lanes = new Lanes(workers);
      const all: Holder[] = [];
      const most = LIVE_PLACES + workers + Math.max(workers, SLOW_PLACES);
      const holding = (): Holder[] => all.filter(({ place, isOver }) => place !== null && !isOver);
      const waits = (which: Lane): number => all.filter((one) => one.lane === which && one.place === null).length;
      for (const step of acts) {
        const held = holding();
        if (step.kind === 'take') all.push(...many(lanes, step.lane, step.count));
        else if (held.length > 0) {
          const holder = held[step.at % held.length];
          if (step.kind === 'slow') holder.place?.slow();
          else {
            holder.isOver = true;
            holder.place?.release();
          }
        }
        expect(holding().length).toBeLessThanOrEqual(most);
        const after = holding();
        if (waits('live') > 0) expect(after.length).toBeGreaterThanOrEqual(LIVE_PLACES);
        if (waits('usual') > 0) expect(after.length).toBeGreaterThanOrEqual(workers);
        if (waits('slow') > 0) expect(after.length).toBeGreaterThanOrEqual(Math.max(workers, SLOW_PLACES));
      }
      for (let left = all.length; left > 0 && all.some(({ isOver }) => !isOver); left--) {
        for (const holder of holding()) {
          holder.isOver = true;
          holder.place?.release();
        }
      }
      expect(all.every(({ isOver }) => isOver)).toBe(true);
      // Every place is free again.
      expect(having(many(lanes, 'live', LIVE_PLACES + 1))).toBe(LIVE_PLACES);
      expect(having(many(lanes, 'usual', workers + 1))).toBe(workers);
      expect(having(many(lanes, 'slow', 1000))).toBe(Math.max(workers, SLOW_PLACES));
    }),
  );
});
