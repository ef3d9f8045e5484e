import type { Sample } from '../../../../src/health/checks/sample.ts';
import type { Decision } from '../../../../src/health/choose/decision.ts';
import { zoneStates } from '../../../../src/server/control/views/status-view.ts';
import type { NetworkView, StatusView, UptimeView } from '../../../../src/server/control/views/views.ts';
import { NO_ZONE, Stats, sumStats } from '../../../../src/server/stats.ts';

/** The clock of the fixtures, epoch seconds. */
export const NOW = 1_700_000_000;

const slowFigures = {
  seconds: 10,
  fail: { reason: 'timeout', detail: 'no answer within 10 s, while waiting for the first byte' },
  phases: { resolve: null, connect: 0.002, tls: null, firstByte: null, total: 10 },
  attempts: 1,
  hops: 0,
} as const;
const fastFigures = { ...slowFigures, seconds: 0.002, fail: null, phases: { ...slowFigures.phases, total: 0.002 } };

export const slowSample: Sample = {
  edge: 'e2',
  at: NOW - 5,
  seconds: 10,
  fail: { reason: 'timeout', detail: 'no answer within 10 s, while waiting for the first byte' },
  primary: {
    address: '192.0.2.2',
    ...slowFigures,
    check: 'api',
    checks: [
      { name: 'web', kind: 'tcp', ...fastFigures },
      { name: 'api', kind: 'http', ...slowFigures },
    ],
  },
  others: [],
  stalledMs: 0,
};

export const TRANSITIONS = [
  { at: NOW - 605, up: false },
  { at: NOW - 365, up: true },
  { at: NOW - 65, up: false },
];

const downUptime: UptimeView = {
  up: false,
  since: NOW - 65,
  transitions: TRANSITIONS,
  downtimeOfDay: 305,
  position: { count: 1, of: 2, towards: 'up' },
  lastFailure: { at: NOW - 5, check: 'api', ...slowFigures.fail },
  counts: { transitions: 2, downSeconds: 300 },
};

export const decision: Decision = {
  at: NOW - 4,
  network: 'net-a',
  outcome: { kind: 'changed', added: ['e1'], removed: ['e2'], moved: [] },
  actions: [],
  hold: null,
  heldFailing: [],
  replaced: [],
  families: { v4: 'passing', v6: 'passing' },
  live: [{ edge: 'e1', v4: '192.0.2.1', v6: '2001:db8::1', why: 'fills up: last 0.200 s < goodenough 0.700 s' }],
  wanted: 2,
  verdicts: [
    {
      edge: 'e1',
      judgement: 'pass_threshold',
      last: 0.2,
      windowAverage: 0.25,
      average: 0.3,
      why: 'last 0.200 s < goodenough 0.700 s',
    },
    { edge: 'e2', judgement: 'fail', last: 10, windowAverage: 5, average: 1, why: 'last 10.000 s ≥ timeout 10.000 s' },
    { edge: 'e3', judgement: null, last: null, windowAverage: null, average: null, why: 'unavailable' },
  ],
  reasons: new Map([
    ['e1', { live: true, why: 'fills up' }],
    ['e2', { live: false, why: 'fails' }],
    ['e3', { live: false, why: 'set unavailable' }],
  ]),
  canaryVerdicts: [
    {
      edge: '192.0.2.9',
      judgement: 'pass',
      last: 1,
      windowAverage: 1,
      average: 1,
      why: 'average 1.000 s ≥ goodenough 0.700 s',
    },
  ],
  canaries: [
    {
      zone: 'example.test',
      address: '192.0.2.9',
      active: { zone: 'example.test', address: '192.0.2.9', victim: 'e1' },
      changed: false,
      held: false,
      why: 'passes',
    },
  ],
  safety: { unfilled: 0, minUp: null, heldUp: [], uplink: null },
  verificationFailures: ['e2'],
  notes: ['1 of 2 wanted edges'],
  memory: {
    lastLive: ['e1'],
    rotations: [NOW - 700, NOW - 300, NOW - 4],
    activeCanaries: [],
    canaryRotations: new Map(),
    answered: new Map(),
    unanswered: null,
    unsteady: new Map(),
    judged: new Map(),
    misses: new Map(),
  },
};

export const network: NetworkView = {
  name: 'net-a',
  serial: NOW - 4,
  goodenough: 0.7,
  timeout: 10,
  maxfreq: 10,
  wanted: 2,
  decision,
  live: [{ edge: 'e1', v4: '192.0.2.1', v6: '2001:db8::1' }],
  edges: ['e1', 'e2', 'e3'],
  recentFacts: [],
  past: {
    changes: async () => ({ changes: [], earlier: null }),
    modeChanges: async () => [],
  },
  agreement: null,
  notStored: null,
  members: new Map([
    [
      'e2',
      {
        mode: 'available',
        comment: '',
        modeSince: null,
        modeUntil: null,
        stateSince: NOW - 65,
        v4: null,
        v6: null,
        sample: slowSample,
        fetches: { passed: 4, failed: 2, seconds: 1.25 },
        uptime: downUptime,
        figures: new Map([['web', { last: 0.002, windowAverage: 0.003, windowCount: 2, average: 0.004, count: 9 }]]),
        recent: () => ({ times: [NOW - 65, NOW - 5], seconds: [0.25, 10] }),
      },
    ],
    [
      'e3',
      {
        mode: 'unavailable',
        comment: '[me] new "disk"\nsoon',
        modeSince: NOW - 60,
        modeUntil: NOW + 60,
        stateSince: null,
        v4: null,
        v6: null,
        sample: null,
        fetches: { passed: 0, failed: 0, seconds: 0 },
        uptime: {
          up: null,
          since: null,
          transitions: [],
          downtimeOfDay: 0,
          lastFailure: null,
          position: null,
          counts: { transitions: 0, downSeconds: 0 },
        },
        figures: new Map(),
        recent: () => ({ times: [], seconds: [] }),
      },
    ],
  ]),
  silent: new Set(['e2']),
  rotationsTotal: 3,
  holdExceptionsTotal: 1,
  holdsTotal: 2,
  liveTransitions: new Map([['e2', 3]]),
  checkCounts: new Map([
    [
      'http',
      {
        results: new Map([
          ['pass', 3],
          ['timeout', 1],
        ]),
        phases: new Map([['firstByte', { counts: [0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], sum: 12.5 }]]),
      },
    ],
  ]),
  changes: [
    {
      at: NOW - 4,
      serial: NOW - 4,
      added: ['e1'],
      removed: ['e2'],
      live: ['e1'],
      actions: [{ action: 'mode', by: 'alice', reason: 'new disk', edge: 'e2', mode: 'unavailable', until: null }],
      reasons: new Map([
        ['e1', 'fills up'],
        ['e2', 'fails'],
      ]),
    },
  ],
  round: {
    lastRun: NOW - 4,
    seconds: 1.5,
    runFrequency: 60,
    nextDue: NOW + 56,
    overdue: false,
    overlong: null,
    unended: null,
    unchecked: null,
    silence: null,
    failure: null,
    unsaved: [],
    cancelledCanaries: ['192.0.2.8'],
  },
};

/** A healthy server with one network and two zones, changed by `over`. */
export function statusView(over: Partial<StatusView> = {}): StatusView {
  const shared = Stats.create(1, 2);
  const stats = Stats.attach(shared, 2, 0);
  stats.countQuery(0, 1, 1);
  stats.countQuery(0, 1, 1);
  stats.countQuery(2, 199, 0);
  stats.countQuery(2, 65_280, NO_ZONE);
  stats.countAnswer(0, 0);
  stats.countAnswer(2, 11);
  stats.countSize(0, 65);
  stats.countSize(0, 70);
  stats.countSize(0, 1300);
  stats.addOctets(0, 1435);
  const view: StatusView = {
    version: '1.2.3',
    startedAt: NOW - 100,
    now: () => NOW,
    ready: () => true,
    networks: () => [network],
    zones: () => [
      {
        name: 'example.test',
        network: 'net-a',
        file: '/zones/net-a/example.test.zone',
        state: 'ok',
        serial: NOW - 4,
        faults: [],
        records: 12,
        signaturesEnd: null,
        loadedAt: NOW - 90,
      },
      {
        name: 'static.test',
        network: null,
        file: '/zones/static.zone',
        state: 'ok',
        serial: 7,
        faults: [],
        records: 4,
        signaturesEnd: null,
        loadedAt: NOW - 90,
      },
    ],
    zoneFaults: () => [],
    stats: () => sumStats(shared, 2),
    zonesLoad: () => ({ at: NOW - 9, seconds: 0.25 }),
    statsNetworks: () => [null, 'net-a'],
    prober: () => ({ alive: true, troubles: 0, trouble: null, loopDelaySeconds: 0.0012 }),
    vantage: () => null,
    secondaries: () => [
      {
        secondary: '192.0.2.53:53',
        zone: 'example.test',
        network: 'net-a',
        serial: NOW - 10,
        ourSerial: NOW - 4,
        state: 'behind',
        lagSeconds: 4,
        checkedAt: NOW - 1,
        error: null,
      },
    ],
    providers: () => [],
    notify: () => ({ acknowledged: 3, refused: 1, unanswered: 0, unsent: 0, pending: 2 }),
    zoneStates: () => zoneStates(view.zones()),
    tlsNotAfter: () => null,
    notices: () => new Map([['ops', { sent: 3, failed: 1, pending: 2 }]]),
    partFaults: () => [],
    httpRefused: () => new Map([['token', 3]]),
    contained: () => [],
    dnstap: () => ({ sent: 7, dropped: { rate_limit: 2, queue_full: 1, disconnected: 0 } }),
    warnings: () => [],
    replay: async () => ({ ok: false, code: 'failed', message: 'nothing is recorded' }),
    ...over,
  };
  return view;
}
