import { describe, expect, test } from 'vitest';
import type { Decision, LiveMember } from '../../../src/health/choose/decision.ts';
import type { ActiveCanary } from '../../../src/health/choose/memory.ts';
import { nextState, openingState, type StateUpdate, zoneSerial } from '../../../src/health/pools/next-state.ts';
import { NEW_STATE, type NetworkState } from '../../../src/health/state/network-state.ts';

const NOW = 1_700_000_000.5;

function member(
  edge: string,
  v4: string | null = `192.0.2.${edge.charCodeAt(0)}`,
  v6: string | null = null,
): LiveMember {
  return { edge, v4, v6, why: `${edge} is fine` };
}

/** State of a network that has A and B live since a while ago. */
const STATE: NetworkState = {
  ...NEW_STATE,
  memory: { ...NEW_STATE.memory, lastLive: ['A', 'B'] },
  live: [member('A'), member('B')],
  serial: 1_600_000_000,
  zoneMtimes: new Map([
    ['x.test', 1],
    ['y.test', 1],
  ]),
};
const CANARY: ActiveCanary = { zone: 'x.test', address: '192.0.2.200', victim: 'A' };
const ZONES = { all: ['x.test', 'y.test'], changed: [] };

function decided(live: readonly LiveMember[], activeCanaries: readonly ActiveCanary[] = []): Decision {
  return {
    at: NOW,
    network: 'n',
    outcome: { kind: 'unchanged' },
    actions: [],
    hold: null,
    heldFailing: [],
    replaced: [],
    families: { v4: 'passing', v6: 'none' },
    live,
    wanted: 2,
    verdicts: [],
    reasons: new Map(),
    canaryVerdicts: [],
    canaries: [],
    safety: { unfilled: 0, minUp: null, heldUp: [], uplink: null },
    verificationFailures: [],
    notes: [],
    memory: {
      ...STATE.memory,
      lastLive: live.map(({ edge }) => edge),
      answered: new Map(live.map(({ edge, v4, v6 }) => [edge, { v4, v6 }])),
      activeCanaries,
    },
  };
}

function changeOf(state: NetworkState, decision: Decision, news: Partial<StateUpdate> = {}) {
  const usual = { records: new Map(), floorSerial: 0, forceUpdate: false, zones: ZONES, isRun: true };
  return nextState(state, { ...usual, decision, ...news });
}

const SAME = decided(STATE.live);

describe('what counts as a change of the live set', () => {
  test.each([
    ['nothing', SAME, false],
    ['another reason only', decided(STATE.live.map((each) => ({ ...each, why: 'else' }))), false],
    ['another member', decided([member('A'), member('C')]), true],
    ['one more', decided([...STATE.live, member('C')]), true],
    ['an address', decided([member('A', '192.0.2.250'), member('B')]), true],
    ['an address more', decided([member('A', '192.0.2.65', '2001:db8::1'), member('B')]), true],
    ['nothing to publish, so what was stays', decided([]), false],
  ])('%s', (_, decision, expected) => {
    const { liveChanged, state } = changeOf(STATE, decision);
    expect(liveChanged).toBe(expected);
    expect(state.serial).toBe(expected ? 1_700_000_000 : STATE.serial);
    expect(state.live).toEqual(decision.live.length === 0 ? STATE.live : decision.live);
    expect(state.pendingZones).toEqual(new Set(expected ? ZONES.all : []));
  });

  test('--force-update counts as one, unless nothing was ever live', () => {
    expect(changeOf(STATE, SAME, { forceUpdate: true })).toMatchObject({
      liveChanged: true,
      state: { serial: 1_700_000_000 },
    });
    expect(changeOf(NEW_STATE, decided([]), { forceUpdate: true })).toMatchObject({
      liveChanged: false,
      state: { serial: 0 },
    });
  });
});

describe('serials only go up', () => {
  test.each([
    ['behind the clock', {}, 0, 1_700_000_000],
    ['the same second', { serial: 1_700_000_000 }, 0, 1_700_000_001],
    ['ahead of a clock that was set back', { serial: 1_800_000_000 }, 0, 1_800_000_001],
    ["over a canary's", { canarySerials: new Map([['x.test', 1_800_000_000]]) }, 0, 1_800_000_001],
    ["over a zone's", { zoneSerials: new Map([['x.test', 1_800_000_000]]) }, 0, 1_800_000_001],
    ["over the server's own", {}, 1_800_000_000, 1_800_000_001],
  ])('%s', (_, state, floorSerial, expected) => {
    expect(changeOf({ ...STATE, ...state }, decided([member('C')]), { floorSerial }).state.serial).toBe(expected);
  });
});

describe('zones of their own', () => {
  test.each([
    ['a canary comes', STATE, decided(STATE.live, [CANARY])],
    ['a canary goes', { ...STATE, memory: { ...STATE.memory, activeCanaries: [CANARY] } }, SAME],
    [
      'it stands in for another',
      { ...STATE, memory: { ...STATE.memory, activeCanaries: [CANARY] } },
      decided(STATE.live, [{ ...CANARY, victim: 'B' }]),
    ],
    [
      'it has another address',
      { ...STATE, memory: { ...STATE.memory, activeCanaries: [CANARY] } },
      decided(STATE.live, [{ ...CANARY, address: '192.0.2.201' }]),
    ],
  ])('%s', (_, before, decision) => {
    const { state, liveChanged, canaryZones } = changeOf(before, decision);
    expect({ liveChanged, canaryZones }).toEqual({ liveChanged: false, canaryZones: ['x.test'] });
    expect(zoneSerial(state, 'x.test')).toBe(1_700_000_000);
    expect(zoneSerial(state, 'y.test')).toBe(STATE.serial);
    expect(state.pendingZones).toEqual(new Set(['x.test']));
  });

  test('an include file that changed', () => {
    const { state } = changeOf(STATE, SAME, { zones: { ...ZONES, changed: ['y.test'] } });
    // Its content's own serial is the ledger's to give.
    expect([zoneSerial(state, 'x.test'), zoneSerial(state, 'y.test')]).toEqual([STATE.serial, STATE.serial]);
    expect(state.pendingZones).toEqual(new Set(['y.test']));
  });

  test('need no serial of their own where all get a new one', () => {
    const before = { ...STATE, zoneSerials: new Map([['y.test', 1_650_000_000]]) };
    const { state } = changeOf(before, decided([member('C')], [CANARY]), { zones: { ...ZONES, changed: ['y.test'] } });
    expect(state).toMatchObject({ serial: 1_700_000_000, canarySerials: new Map(), zoneSerials: new Map() });
  });

  test('that are gone are forgotten', () => {
    const before = { ...STATE, pendingZones: new Set(['x.test', 'y.test']) };
    const { state } = changeOf(before, SAME, { zones: { all: ['x.test'], changed: [] } });
    expect(state.pendingZones).toEqual(new Set(['x.test']));
    expect(state.zoneMtimes).toEqual(new Map([['x.test', 1]]));
  });

  test('are no business of a server', () => {
    const { state } = changeOf(STATE, decided([member('C')]), { zones: null });
    expect(state.pendingZones).toEqual(new Set());
    expect(state.zoneMtimes).toEqual(STATE.zoneMtimes);
  });
});

test('only a run counts as one', () => {
  expect(changeOf(STATE, SAME).state.lastRun).toBe(NOW);
  expect(changeOf(STATE, SAME, { isRun: false }).state.lastRun).toBeNull();
});

describe('the state to begin with', () => {
  test('a set that was live before us is served under a serial of now', () => {
    expect(openingState({ ...STATE, serial: 0 }, 'run', NOW).serial).toBe(1_700_000_000);
    expect(openingState(NEW_STATE, 'server', NOW).serial).toBe(0);
  });

  test('a server goes on from what single runs gave to zones', () => {
    const before = { ...STATE, zoneSerials: new Map([['x.test', 1_650_000_000]]), pendingZones: new Set(['x.test']) };
    expect(openingState(before, 'run', NOW)).toEqual(before);
    const state = openingState(before, 'server', NOW);
    expect(state).toMatchObject({ serial: 1_650_000_000, zoneSerials: new Map(), pendingZones: new Set() });
  });
});
