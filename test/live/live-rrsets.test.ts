import { describe, expect, test } from 'vitest';
import { nameKey } from '../../src/dns/name.ts';
import type { LiveMember } from '../../src/health/choose/decision.ts';
import { NO_MEMORY } from '../../src/health/choose/memory.ts';
import { NEW_STATE, type NetworkState } from '../../src/health/state/network-state.ts';
import { LiveRRsets, NETWORKS_MAX } from '../../src/live/live-rrsets.ts';
import { liveOf } from '../../src/live/network-live.ts';

const ZONE = nameKey('x.test');
if (ZONE === null) throw new Error('not a name');

const member = (edge: string, v4: string | null, v6: string | null): LiveMember => ({ edge, v4, v6, why: '' });

function state(over: Partial<NetworkState>): NetworkState {
  return { ...NEW_STATE, serial: 7, live: [member('a', '127.0.0.1', null)], ...over };
}

describe('a family without an answer', () => {
  const unanswered = { ...NO_MEMORY, unanswered: 'v6' as const };

  test('is marked in the version and in the slot', () => {
    const live = new LiveRRsets();
    const slot = live.register('n');
    live.publish('n', liveOf(state({ memory: unanswered })));
    expect(slot === null ? null : live.slots.read(slot)).toMatchObject({ serial: 7, v6: [], unanswered: 'v6' });
    live.publish('n', liveOf(state({ serial: 8 })));
    expect(slot === null ? null : live.slots.read(slot).unanswered).toBeUndefined();
  });

  test.each<[string, string, 'v6' | undefined]>([
    ['a canary of that family answers it in its zone', '::9', undefined],
    ['one of the other family does not', '127.0.0.9', 'v6'],
  ])('%s', (_, address, expected) => {
    const activeCanaries = [{ zone: 'x.test', address, victim: 'a' }];
    const memory = { ...unanswered, activeCanaries };
    const { version, zones } = liveOf(state({ memory, canarySerials: new Map([['x.test', 8]]) }));
    expect(version.unanswered).toBe('v6');
    expect(zones.get(ZONE)?.unanswered).toBe(expected);
  });

  test('a state that nothing was published from has no family at all', () => {
    expect(liveOf(state({ memory: unanswered, live: [] })).version).toEqual({ serial: 0, v4: [], v6: [] });
    expect(liveOf(state({ memory: unanswered, serial: 0 })).version.serial).toBe(0);
  });
});

test('a network keeps its slot, and one too many gets none', () => {
  const live = new LiveRRsets();
  expect([live.register('a'), live.register('b'), live.register('a')]).toEqual([1, 2, 1]);
  for (let i = 3; i < NETWORKS_MAX; i++) expect(live.register(`n${i}`)).toBe(i);
  expect(live.register('more')).toBeNull();
  expect(live.register('a')).toBe(1);
});

test('the highest serial is that of all pools together', () => {
  const live = new LiveRRsets();
  live.register('a');
  live.register('b');
  expect(live.highestSerial).toBe(0);
  live.publish('a', liveOf(state({ serial: 100 })));
  live.publish('b', liveOf(state({ serial: 90, canarySerials: new Map([['x.test', 120]]) })));
  expect(live.highestSerial).toBe(120);
});
