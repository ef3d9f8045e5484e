import { expect, test } from 'vitest';
import type { Decision } from '../../../../src/health/choose/decision.ts';
import type { RoundReport } from '../../../../src/health/pools/round-types.ts';
import { NetworkHistory } from '../../../../src/server/control/views/network-view.ts';
import { decision } from '../api/api-fixture.ts';

type Hold = Decision['hold'];
const HOLD = { until: 1 } as NonNullable<Hold>;

function report(live: string, over: Partial<Decision> = {}): RoundReport {
  const members = [...live].map((edge) => ({ edge, v4: '127.0.0.1', v6: null }));
  const verdicts = [...'abc'].map((edge) => ({ ...decision.verdicts[0], edge }));
  return {
    decision: { ...decision, verdicts, hold: null, outcome: { kind: 'unchanged' }, ...over },
    state: { serial: 1, live: members } as unknown as RoundReport['state'],
    liveChanged: false,
    canaryZones: [],
    probe: null,
    faults: [],
  };
}

test.each<[string, readonly (readonly [string, Partial<Decision>?])[], unknown]>([
  ['the set that was saved counts for nothing', [['ab'], ['ab']], {}],
  [
    'the first decision says what it changed',
    [['bc', { outcome: { kind: 'changed', added: ['c'], removed: ['a'], moved: [] } }]],
    { a: 1, c: 1 },
  ],
  ['an edge that left and came back between two scrapes', [['ab'], ['b'], ['ab']], { a: 2 }],
  ['a set that another vantage decided', [['ab'], ['ac', { outcome: { kind: 'unchanged' } }]], { b: 1, c: 1 }],
  ['an edge that was taken off the list', [['ab'], ['b'], ['b', { verdicts: [] }]], {}],
])('edges join and leave the live set: %s', (_, reports, counts) => {
  const history = new NetworkHistory();
  for (const [live, over] of reports) history.note(report(live, over));
  expect(Object.fromEntries(history.liveTransitions)).toEqual(counts);
});

test('a hold is counted when it begins, each time', () => {
  const history = new NetworkHistory();
  const counted = [null, HOLD, HOLD, null, HOLD].map((hold) => {
    history.note(report('a', { hold }));
    return history.holds;
  });
  expect(counted).toEqual([0, 1, 1, 1, 2]);
});
