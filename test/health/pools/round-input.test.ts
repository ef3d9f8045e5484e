import { expect, test } from 'vitest';
import type { FailReason, Fetch, Sample } from '../../../src/health/checks/sample.ts';
import { hasBadObject, roundInput } from '../../../src/health/pools/round-input.ts';
import { type EdgeRecord, NEW_EDGE } from '../../../src/health/state/edge-store.ts';
import { NEW_STATE } from '../../../src/health/state/network-state.ts';
import { BASE, parse } from '../../config/config-fixture.ts';

const failed = (reason: FailReason | null): Fetch => ({
  address: '127.0.0.1',
  seconds: 10,
  fail: reason === null ? null : { reason, detail: '' },
  phases: { resolve: null, connect: null, tls: null, firstByte: null, total: 10 },
  attempts: 1,
  hops: 0,
  check: 'http',
  checks: [],
});
const sample = (reason: FailReason | null, other: FailReason | null = null): Sample => ({
  edge: 'e',
  at: 0,
  seconds: 10,
  fail: failed(reason).fail,
  primary: failed(reason),
  others: [failed(other)],
  stalledMs: 0,
});

// Specification section 4: "MD5 differs (incl. truncated …)".
test.each<[FailReason | null, boolean]>([
  ['checksum', true],
  ['truncated', true],
  ['too-large', true],
  ['status', false],
  ['timeout', false],
  ['reset', false],
  ['headers-too-large', false],
  [null, false],
])('a fetch that ended with %s is a verification failure: %s', (reason, expected) => {
  expect(hasBadObject(sample(reason))).toBe(expected);
  expect(hasBadObject(sample(null, reason))).toBe(expected);
});

test('no fetch is none', () => {
  expect(hasBadObject(null)).toBe(false);
});

test.each<[string, Partial<EdgeRecord>, Sample | null, readonly number[]]>([
  ['of its own network', { series: new Map([['n', { times: [1], seconds: [0.1] }]]) }, sample(null), [0.1]],
  ['none where only others know it', {}, null, []],
  ['the newest of this process, where the record has lost them', {}, { ...sample(null), at: 5, seconds: 0.3 }, [0.3]],
])('an edge has the samples %s', (_, known, newest, expected) => {
  const { config } = parse(`${BASE}checks: {n: [{kind: tcp, port: 443}]}\n`);
  if (config === null) throw new Error('no configuration');
  const here = { state: 'in', stateSince: 0, health: 'pass', seen: 0 } as const;
  const history = { times: [2], seconds: [0.2] };
  const record: EdgeRecord = { ...NEW_EDGE, history, networks: new Map([['other', here]]), ...known };
  const { edges } = roundInput({
    now: 10,
    config,
    files: { name: 'n', edges: ['e'], canaries: new Map() },
    state: NEW_STATE,
    records: new Map([['e', record]]),
    samples: new Map(newest === null ? [] : [['e', newest]]),
  });
  expect(edges[0].history.seconds).toEqual(expected);
});
