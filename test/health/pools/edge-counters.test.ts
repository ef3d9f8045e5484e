import { expect, test } from 'vitest';
import { EdgeCounters } from '../../../src/health/pools/edge-counters.ts';
import { type EdgeRecord, NEW_EDGE, withRound } from '../../../src/health/state/edge-store.ts';

const NOW = 1_700_000_000;
const REACH = 180;

function sampled(record: EdgeRecord, at: number, up: boolean, network = 'n'): EdgeRecord {
  const sample = { at: NOW + at, seconds: 0.1, failure: null, reach: REACH };
  const health = up ? 'pass' : 'fail';
  return withRound(record, { network, at: NOW + at + 1, isRun: true, sample, live: up, health, position: null });
}

function records(record: EdgeRecord): ReadonlyMap<string, EdgeRecord> {
  return new Map([['e', record]]);
}

test('counts from what the record said at the start, up to the newest sample', () => {
  const counters = new EdgeCounters('n');
  let record = sampled(sampled(NEW_EDGE, -120, true), -60, false);
  const counted = [
    [0, false],
    [60, false],
    [120, true],
    [180, true],
    [1000, false], // after a pause
    [5000, false], // in which nobody ran
    [5060, true],
  ].map(([at, up]) => {
    const before = record;
    record = sampled(before, Number(at), up === true);
    counters.note(records(before), records(record), REACH);
    return [counters.of('e').transitions, counters.of('e').downSeconds];
  });
  expect(counted).toEqual([
    [0, 60],
    [0, 120],
    [1, 180],
    [1, 180],
    [2, 180],
    [2, 180],
    [3, 240],
  ]);
});

test.each<[string, EdgeRecord, EdgeRecord]>([
  ['the first sample', NEW_EDGE, sampled(NEW_EDGE, 0, false)],
  ['a sample of another network', sampled(NEW_EDGE, 0, false), sampled(sampled(NEW_EDGE, 0, false), 60, true, 'm')],
  ['a decision without a sample', sampled(NEW_EDGE, 0, false), { ...sampled(NEW_EDGE, 0, false), comment: 'new' }],
  ['the clock set back', sampled(NEW_EDGE, 0, false), sampled(sampled(NEW_EDGE, 0, false), -3600, false)],
  ['a record that was set aside', sampled(NEW_EDGE, 0, false), NEW_EDGE],
])('%s counts nothing', (_, before, after) => {
  const counters = new EdgeCounters('n');
  counters.note(records(before), records(after), REACH);
  expect(counters.of('e')).toEqual({ transitions: 0, downSeconds: 0 });
});

test('an edge that left the list and returned begins anew', () => {
  const counters = new EdgeCounters('n');
  const down = sampled(NEW_EDGE, 0, false);
  const up = sampled(down, 60, true);
  counters.note(records(down), records(up), REACH);
  expect(counters.of('e')).toEqual({ transitions: 1, downSeconds: 60 });
  counters.note(new Map(), new Map(), REACH);
  expect(counters.of('e').transitions).toBe(0);
  counters.note(records(up), records(up), REACH);
  expect(counters.of('e').transitions).toBe(0);
});

test('each of several samples between two decisions counts', () => {
  const counters = new EdgeCounters('n');
  const first = sampled(NEW_EDGE, 0, true);
  const earlier = [
    { at: NOW + 10, seconds: 10, failure: null, reach: REACH, health: 'fail', position: null },
    { at: NOW + 15, seconds: 0.1, failure: null, reach: REACH, health: 'pass', position: null },
    { at: NOW + 17, seconds: 0.1, failure: null, reach: REACH, health: null, position: null },
  ] as const;
  const sample = { at: NOW + 20, seconds: 10, failure: null, reach: REACH };
  const update = { network: 'n', at: NOW + 21, isRun: true, earlier, sample, live: true, position: null };
  const last = withRound(first, { ...update, health: 'fail' });
  counters.note(records(first), records(last), REACH, new Map([['e', earlier]]));
  expect(counters.of('e')).toEqual({ transitions: 3, downSeconds: 5 });
});
