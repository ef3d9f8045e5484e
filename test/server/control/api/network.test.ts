import { expect, test } from 'vitest';
import { edgeVersion } from '../../../../src/server/control/api/edge-version.ts';
import { networkDetail, networkSummary } from '../../../../src/server/control/api/network.ts';
import { decision, NOW, network, TRANSITIONS } from './api-fixture.ts';

/** What a client would see. */
function asJson(value: object): unknown {
  return JSON.parse(JSON.stringify(value));
}

test('the summary', () => {
  expect(asJson(networkSummary(network))).toEqual({
    network: 'net-a',
    live: ['e1'],
    wanted: 2,
    edges: 3,
    serial: NOW - 4,
    held: false,
    overdue: false,
    last_run: NOW - 4,
  });
});

test('the whole network', () => {
  expect(asJson(networkDetail(network, NOW))).toMatchObject({
    network: 'net-a',
    now: NOW,
    at: NOW - 4,
    serial: NOW - 4,
    wanted: 2,
    outcome: 'changed',
    hold: null,
    live: [{ edge: 'e1', v4: '192.0.2.1', v6: '2001:db8::1', why: 'fills up: last 0.200 s < goodenough 0.700 s' }],
    notes: ['1 of 2 wanted edges'],
    rotations: { last_600s: 2, times: [NOW - 700, NOW - 300, NOW - 4] },
    maxfreq: 10,
    verification_failures: ['e2'],
    goodenough: 0.7,
    timeout: 10,
    changes: [{ at: NOW - 4, added: ['e1'], removed: ['e2'], live: ['e1'], reasons: { e1: 'fills up', e2: 'fails' } }],
    round: {
      last_run: NOW - 4,
      seconds: 1.5,
      run_frequency: 60,
      next_due: NOW + 56,
      overdue: false,
      cancelled_canaries: ['192.0.2.8'],
    },
  });
});

test('edges: one that was never set, one that fails, one that is set aside', () => {
  const { edges } = asJson(networkDetail(network, NOW)) as { edges: unknown[] };
  expect(edges).toEqual([
    {
      edge: 'e1',
      mode_version: edgeVersion(null),
      mode: 'available',
      comment: '',
      mode_since: null,
      mode_until: null,
      addresses: { v4: null, v6: null },
      last_at: null,
      fail: null,
      address: null,
      attempts: null,
      hops: null,
      check: null,
      checks: [],
      stalled_ms: null,
      phases: null,
      uptime: { up: null, since: null, transitions: [], downtime_last_day: 0, last_failure: null, position: null },
      state: 'in',
      judgement: 'pass_threshold',
      last: 0.2,
      window_average: 0.25,
      average: 0.3,
      why: 'last 0.200 s < goodenough 0.700 s',
      reason: 'fills up',
      verification_failed: false,
    },
    expect.objectContaining({
      edge: 'e2',
      mode_version: edgeVersion(network.members.get('e2')),
      state: 'out',
      judgement: 'fail',
      last: 10,
      last_at: NOW - 5,
      fail: { reason: 'timeout', detail: 'no answer within 10 s, while waiting for the first byte' },
      address: '192.0.2.2',
      attempts: 1,
      hops: 0,
      check: 'api',
      checks: [
        {
          name: 'web',
          kind: 'tcp',
          seconds: 0.002,
          fail: null,
          attempts: 1,
          hops: 0,
          phases: { resolve: null, connect: 0.002, tls: null, first_byte: null, total: 0.002 },
          samples: 9,
          window_average: 0.003,
          average: 0.004,
        },
        expect.objectContaining({
          name: 'api',
          kind: 'http',
          fail: expect.objectContaining({ reason: 'timeout' }),
          samples: 0,
          window_average: null,
        }),
      ],
      phases: { resolve: null, connect: 0.002, tls: null, first_byte: null, total: 10 },
      uptime: {
        up: false,
        since: NOW - 65,
        transitions: TRANSITIONS,
        downtime_last_day: 305,
        position: { count: 1, of: 2, towards: 'up' },
        last_failure: {
          at: NOW - 5,
          check: 'api',
          reason: 'timeout',
          detail: 'no answer within 10 s, while waiting for the first byte',
        },
      },
      verification_failed: true,
    }),
    expect.objectContaining({
      edge: 'e3',
      mode_version: edgeVersion(network.members.get('e3')),
      mode: 'unavailable',
      comment: '[me] new "disk"\nsoon',
      mode_since: NOW - 60,
      mode_until: NOW + 60,
      judgement: null,
      last: null,
    }),
  ]);
});

test('canaries', () => {
  const { canaries } = asJson(networkDetail(network, NOW)) as { canaries: unknown[] };
  expect(canaries).toEqual([
    expect.objectContaining({
      zone: 'example.test',
      address: '192.0.2.9',
      active: true,
      victim: 'e1',
      judgement: 'pass',
      why: 'passes',
      judgement_why: 'average 1.000 s ≥ goodenough 0.700 s',
      mode: 'available',
      verification_failed: false,
    }),
  ]);
});

test('a hold says until when and what is wanted', () => {
  const hold = { until: NOW + 300, recent: 10, limit: 10 };
  const held = { ...decision, hold, outcome: { kind: 'held', until: hold.until, wanted: ['e3'] } } as const;
  expect(asJson(networkDetail({ ...network, decision: held }, NOW))).toMatchObject({
    outcome: 'held',
    hold: { ...hold, wanted: ['e3'] },
  });
  expect(asJson(networkSummary({ ...network, decision: held }))).toMatchObject({ held: true });
});

test('before the first decision: the saved live set and the listed edges', () => {
  const saved = { ...network, decision: null };
  expect(asJson(networkDetail(saved, NOW))).toMatchObject({
    at: null,
    outcome: null,
    hold: null,
    live: [{ edge: 'e1', v4: '192.0.2.1', why: null }],
    edges: [
      { edge: 'e1', state: 'in', judgement: null, last: null, reason: null },
      { edge: 'e2', state: 'out', mode: 'available' },
      { edge: 'e3', state: 'out', mode: 'unavailable' },
    ],
    canaries: [],
    rotations: { last_600s: 0, times: [] },
    verification_failures: [],
  });
});
