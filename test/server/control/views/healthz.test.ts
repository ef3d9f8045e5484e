import { expect, test } from 'vitest';
import { healthReasons, healthWarnings } from '../../../../src/server/control/views/healthz.ts';
import type { NetworkView, StatusView, ZoneView } from '../../../../src/server/control/views/views.ts';
import { decision, NOW, network, statusView } from '../api/api-fixture.ts';

function withNetwork(over: Partial<NetworkView>): Partial<StatusView> {
  return { networks: () => [{ ...network, ...over }] };
}

function zones(...states: readonly ZoneView['state'][]): Partial<StatusView> {
  const [zone] = statusView().zones();
  return { zones: () => states.map((state, i) => ({ ...zone, name: `z${i}`, state })) };
}

const { round } = network;
const REPLACED = { alive: true, loopDelaySeconds: 0, troubles: 1 };

test.each<[string, Partial<StatusView>, readonly string[]]>([
  ['all is well', {}, []],
  ['no network and no zone', { networks: () => [], zones: () => [] }, []],
  ['not ready', { ready: () => false }, ['not ready: DNS queries are not answered yet']],
  [
    'no prober',
    { prober: () => ({ alive: false, loopDelaySeconds: 0, troubles: 0, trouble: null }) },
    ['prober: its thread does not run'],
  ],
  ['no live edge', withNetwork({ live: [] }), ['network net-a: no live edge']],
  [
    'live edges that all fail',
    withNetwork({
      live: [{ edge: 'e2', v4: '192.0.2.2', v6: null }],
      decision: { ...decision, families: { v4: 'failing', v6: 'none' } },
    }),
    ['network net-a: every live edge fails; the last set is kept'],
  ],
  [
    'one live edge of two that fails',
    withNetwork({ live: [...network.live, { edge: 'e2', v4: '192.0.2.2', v6: null }] }),
    [],
  ],
  [
    'a family that nothing passes in any more',
    withNetwork({ decision: { ...decision, families: { v4: 'passing', v6: 'failing' } } }),
    ['network net-a: no live edge passes over IPv6; the last AAAA records are kept'],
  ],
  [
    'a family that nothing ever passed in',
    withNetwork({ decision: { ...decision, families: { v4: 'unanswered', v6: 'passing' } } }),
    ['network net-a: no edge passes over IPv4 and no answer is left to keep; A is answered with SERVFAIL'],
  ],
  [
    'a hold that keeps a failing edge',
    withNetwork({
      decision: { ...decision, hold: { until: NOW + 60, recent: 4, limit: 4 }, heldFailing: ['e2'] },
    }),
    [
      `network net-a: the rotation limit keeps what fails live until ${new Date((NOW + 60) * 1000).toISOString().slice(0, 19)}Z: e2`,
    ],
  ],
  [
    'no edge fit to be live, and the set before still answered with',
    withNetwork({
      live: [{ edge: 'e3', v4: '192.0.2.3', v6: null }],
      decision: { ...decision, live: [], outcome: { kind: 'empty' } },
    }),
    ['network net-a: no edge is fit to be live; the last set is kept'],
  ],
  [
    'a saved set before the first decision',
    withNetwork({ live: [{ edge: 'e2', v4: '192.0.2.2', v6: null }], decision: null }),
    [],
  ],
  [
    'a round that could not be made',
    withNetwork({ round: { ...round, failure: 'the prober thread died' } }),
    ['network net-a: no round could be made: the prober thread died'],
  ],
  [
    'a decision that could not be saved',
    withNetwork({ round: { ...round, unsaved: ['/state cannot be written (ENOSPC)', 'no space', 'no space'] } }),
    ['network net-a: served but not saved: /state cannot be written (ENOSPC) (and 2 more)'],
  ],
  [
    'zones that are wrong as a set',
    {
      zoneFaults: () => [
        {
          severity: 'error' as const,
          code: 'zone-twice',
          at: { file: '/zones/b/example.test.zone', line: 1, col: 1, text: '' },
          message: 'zone example.test is in two networks',
        },
      ],
    },
    ['zones: /zones/b/example.test.zone: zone example.test is in two networks'],
  ],
  [
    'a turn that does not end',
    withNetwork({ round: { ...round, unended: 'a turn is overdue: no answer of A' } }),
    ['network net-a: a turn is overdue: no answer of A'],
  ],
  [
    'a round that takes too long',
    withNetwork({ round: { ...round, overlong: 'the round is not over yet, longer than run_frequency (60 s)' } }),
    ['network net-a: the round is not over yet, longer than run_frequency (60 s)'],
  ],
  [
    'edges without samples',
    withNetwork({ round: { ...round, silence: 'no check of e2 has ended for 180 s or longer' } }),
    ['network net-a: no check of e2 has ended for 180 s or longer'],
  ],
  [
    'an edge that we could not check',
    withNetwork({ round: { ...round, unchecked: '192.0.2.1 could not be checked, which is trouble of our own: x' } }),
    ['network net-a: 192.0.2.1 could not be checked, which is trouble of our own: x'],
  ],
  [
    'an overdue round',
    withNetwork({ round: { ...round, overdue: true, lastRun: NOW - 130 } }),
    ['network net-a: probing round overdue, the last ended 130 s ago (every 60 s)'],
  ],
  [
    'no round ever',
    withNetwork({ round: { ...round, overdue: true, lastRun: null } }),
    ['network net-a: probing round overdue, none has ended yet (every 60 s)'],
  ],
  [
    'zones that do not load',
    zones('ok', 'stale', 'broken'),
    ['zones: z2 do not load', 'zones: z1 do not load; their last good version is served'],
  ],
  ['many of them', zones(...Array<'broken'>(7).fill('broken')), ['zones: z0, z1, z2, z3, z4 and 2 more do not load']],
  [
    'several reasons',
    { ...withNetwork({ live: [] }), ready: () => false },
    ['not ready: DNS queries are not answered yet', 'network net-a: no live edge'],
  ],
])('%s', (_, over, reasons) => {
  expect(healthReasons(statusView(over))).toEqual(reasons);
});

test.each([
  [60, ['prober: 60 s ago: it was blocked']],
  [299, ['prober: 299 s ago: it was blocked']],
  [301, []],
])('a prober that was replaced %i s ago and works is a warning for a while', (age, warnings) => {
  const trouble = { message: 'it was blocked\n  at x', at: NOW - age };
  const view = statusView({ networks: () => [], prober: () => ({ ...REPLACED, trouble }) });
  expect(healthReasons(view)).toEqual([]);
  expect(healthWarnings(view)).toEqual(warnings);
});

const ODD = { vantage: 'lon1', why: 'its configuration is another one' };
const AWAY = { vantage: 'ams1', why: 'its last view is 40 s old' };
const LEFT_OUT = 'network net-a: views that do not count: lon1 (its configuration is another one)';

test.each<[string, Pick<NonNullable<NetworkView['agreement']>, 'counting' | 'needed' | 'excluded'>, boolean, RegExp]>([
  ['all count', { counting: 3, needed: 2, excluded: [] }, false, /^$/],
  ['one is left out by a majority', { counting: 2, needed: 2, excluded: [ODD] }, false, /^network net-a: views/],
  ['the one that is left out', { counting: 1, needed: 2, excluded: [ODD, AWAY] }, true, /^$/],
  ['two peers of three leave one out', { counting: 2, needed: 1, excluded: [ODD] }, false, /^network net-a: views/],
  ['a peer that both others leave out', { counting: 1, needed: 1, excluded: [ODD, AWAY] }, true, /^$/],
  ['one of two peers is away', { counting: 1, needed: 1, excluded: [AWAY] }, true, /^$/],
])('vantage points: %s', (_, views, isRed, warning) => {
  const agreement = { ...views, quorums: new Map(), config: '0123' };
  const view = statusView(withNetwork({ agreement }));
  expect(healthReasons(view).some((reason) => /views that do not count|no quorum/.test(reason))).toBe(isRed);
  const warnings = healthWarnings(view).filter((text) => text.includes('views that do not count'));
  expect(warnings.join()).toMatch(warning);
  if (warnings.length > 0) expect(warnings).toEqual([LEFT_OUT]);
});
