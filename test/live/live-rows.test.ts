import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nameKey, type WireName } from '../../src/dns/name.ts';
import { LiveHistory } from '../../src/live/history.ts';
import { LiveRRsets, NETWORK_ROWS, NETWORKS_MAX } from '../../src/live/live-rrsets.ts';
import type { NetworkLive } from '../../src/live/network-live.ts';
import { clearNetwork, Stats, sumStats } from '../../src/server/stats.ts';

const ZONES: readonly WireName[] = ['x.test', 'y.test'].flatMap((text) => nameKey(text) ?? []);

/** A live set that shows whose it is. Zones with a version of their own have a fourth octet of 2. */
function liveOf(network: number, serial: number, own: readonly WireName[] = []): NetworkLive {
  const octets = (last: number): Uint8Array => Uint8Array.of(127, network >> 8, network & 255, last);
  const version = { serial, v4: [octets(1)], v6: [] };
  return { version, zones: new Map(own.map((origin) => [origin, { serial, v4: [octets(2)], v6: [] }])) };
}

const ownerOf = (address: Uint8Array | undefined): number | null =>
  address === undefined ? null : address[1] * 256 + address[2];

describe('rows of networks that are gone', () => {
  test('ten thousand reloads, each with another network and its canary, stay within the rows and slots', () => {
    const reused: number[] = [];
    const live = new LiveRRsets({ onReuse: (row) => reused.push(row) });
    live.register('stays');
    live.publish('stays', liveOf(0, 7));
    let highest = 0;
    for (let i = 1; i <= 10_000; i++) {
      const row = live.register(`n${i}`);
      expect(live.slots.read(row ?? 0).v4).toEqual([]);
      live.publish(`n${i}`, liveOf(i, i, ZONES));
      const slots = [row ?? 0, ...ZONES.map((origin) => live.slotOf(`n${i}`, origin))];
      highest = Math.max(highest, ...slots);
      expect(slots.map((slot) => ownerOf(live.slots.read(slot).v4[0]))).toEqual([i, i, i]);
      expect(live.history.versions(slots[0])).toHaveLength(1);
      live.retire(`n${i}`);
      live.release(live.retiredGeneration);
      live.takeNewVersions();
    }
    expect(live.rows()).toHaveLength(NETWORK_ROWS);
    expect(highest).toBeLessThan(NETWORK_ROWS + ZONES.length * NETWORK_ROWS);
    expect(reused).toHaveLength(10_000 - (NETWORK_ROWS - 2));
    expect(live.slots.read(1).serial).toBe(7);
    expect(live.history.all().length).toBeLessThan(3 * NETWORK_ROWS);
  });

  test('one that is back before its row was needed has it again, with all that it answered', () => {
    const live = new LiveRRsets();
    const row = live.register('a');
    live.publish('a', liveOf(1, 7, ZONES));
    const own = live.slotOf('a', ZONES[0]);
    live.retire('a');
    live.release(live.retiredGeneration);
    expect(live.rows()[row ?? 0]).toBe('a'); // so are its counters
    expect(live.servedRows()).toEqual(live.rows().map((name, i) => (i === 0 ? name : null)));
    expect(live.register('a')).toBe(row);
    expect(live.servedRows()).toEqual(live.rows());
    expect([live.slotOf('a', ZONES[0]), live.slotOf('a', ZONES[1])]).toEqual([own, own + 1]);
    expect(live.isRestored('a')).toBe(false);
  });

  test('a zone that goes to another network does not answer by the slot that it had', () => {
    const live = new LiveRRsets();
    live.register('a');
    live.register('b');
    live.publish('a', liveOf(1, 7, ZONES));
    live.publish('b', liveOf(2, 7));
    expect(ownerOf(live.slots.read(live.slotOf('b', ZONES[0])).v4[0])).toBe(2);
  });

  test('what a late round of a network that is gone publishes goes nowhere', () => {
    const live = new LiveRRsets();
    for (let i = 1; i < NETWORKS_MAX; i++) live.register(`n${i}`);
    live.retire('n1');
    for (let i = 0; i < NETWORK_ROWS; i++) {
      live.release(live.retiredGeneration);
      live.register(`m${i}`);
      live.publish(`m${i}`, liveOf(i, 8));
      live.retire(`m${i}`);
    }
    expect(live.slotOf('n1', ZONES[0])).toBe(-1);
    const before = live.rows().map((_, row) => live.slots.sequence(row));
    live.publish('n1', liveOf(999, 9, ZONES));
    expect(live.rows().map((_, row) => live.slots.sequence(row))).toEqual(before);
  });

  test('counters of a row that is used again begin at 0, in every thread', () => {
    const shared = Stats.create(3, 4);
    for (const row of [0, 1, 2]) for (const network of [1, 2]) Stats.attach(shared, 4, row).countQuery(0, 1, network);
    clearNetwork(shared, 4, 1);
    const { networks, noZone, queries } = sumStats(shared, 4);
    expect({ networks, noZone, queries }).toEqual({
      networks: [0, 0, 3, 0],
      noZone: 0,
      queries: [{ transport: 'udp4', type: 1, count: 6 }],
    });
  });
});

/** A thread that answers: it has zones and histories by messages that it takes over when it comes to it. */
class Thread {
  readonly slots = new Map<string, { readonly network: number; readonly slot: number }>();
  readonly history = new LiveHistory();
  private readonly waiting: (() => void)[] = [];

  send(message: () => void): void {
    this.waiting.push(message);
  }

  takeOver(count: number): void {
    for (const message of this.waiting.splice(0, count)) message();
  }
}

test('no answer, and no difference, ever comes from the row of another network', () => {
  const step = fc.record({
    /** Of the reload: these networks, each with these zones of their own. */
    networks: fc.subarray([1, 2, 3, 4, 5, 6]),
    own: fc.subarray([...ZONES]),
    /** Messages that each thread takes over before its next queries. */
    pace: fc.tuple(fc.nat(6), fc.nat(6)),
    isSettled: fc.boolean(),
    isSkipped: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => {
      // So few that each new network soon needs a row that another one had.
      const live = new LiveRRsets({ networkRows: 9 });
      const threads = [new Thread(), new Thread()];
      let names = new Map<number, string>();
      let turn = 0;
      const answer = (): void => {
        for (const { slots, history } of threads) {
          for (const { network, slot } of slots.values()) {
            const { v4 } = live.slots.read(slot);
            if (v4.length > 0) expect(ownerOf(v4[0])).toBe(network);
            for (const version of history.versions(slot)) expect(ownerOf(version.v4[0])).toBe(network);
          }
        }
      };
      for (const { networks, own, pace, isSettled, isSkipped } of steps) {
        turn++;
        const before = names;
        // Some keep their name, and some go and come back as another one.
        names = new Map(networks.map((n) => [n, isSkipped ? (before.get(n) ?? `${n}-${turn}`) : `${n}-${turn}`]));
        for (const [n, name] of before) if (names.get(n) !== name) live.retire(name);
        for (const [n, name] of names) {
          if (live.register(name) === null) {
            names.delete(n); // no row: it is served later
            continue;
          }
          live.publish(name, liveOf(n, turn, own));
        }
        const versions = live.takeNewVersions();
        const served = [...names].flatMap(([n, name]) =>
          ZONES.map((origin) => ({ key: `${n} ${origin}`, network: n, slot: live.slotOf(name, origin) })),
        );
        for (const thread of threads) {
          thread.send(() => thread.history.add(versions));
          thread.send(() => {
            thread.slots.clear();
            for (const { key, network, slot } of served) thread.slots.set(key, { network, slot });
          });
        }
        answer();
        for (const [i, thread] of threads.entries()) thread.takeOver(pace[i]);
        answer();
        if (!isSettled) continue;
        const retired = live.retiredGeneration;
        for (const thread of threads) thread.takeOver(Number.POSITIVE_INFINITY);
        live.release(retired);
        answer();
      }
    }),
    { numRuns: 60 },
  );
});
