import type { Sample } from '../../../../src/health/checks/sample.ts';
import type { Decision } from '../../../../src/health/choose/decision.ts';
import type { Judgement, Verdict } from '../../../../src/health/judge/verdict.ts';
import type { MemberView, NetworkView, StatusView, ZoneView } from '../../../../src/server/control/views/views.ts';
import { decision, network, statusView } from '../api/api-fixture.ts';

/** What an edge is, in a word; everything that is shown follows. */
export type Story = 'fast' | 'slow' | 'down' | 'refused' | 'forced' | 'off' | 'turning' | 'suspect' | 'new';

export type EdgeStory = { readonly story: Story; readonly comment?: string; readonly live?: boolean };

const FAILS: { readonly [story in Story]?: NonNullable<Sample['fail']> } = {
  down: { reason: 'timeout', detail: '10.000 s passed without an answer to the request' },
  refused: { reason: 'refused', detail: 'connection refused while connecting' },
  forced: { reason: 'status', detail: 'status 503' },
  turning: { reason: 'tls', detail: 'ERR_SSL_WRONG_VERSION_NUMBER during the TLS handshake' },
};

/** Samples that look like a fetch over a network: the same for the same edge. */
function history(index: number, story: Story, now: number): { times: number[]; seconds: number[] } {
  const times: number[] = [];
  const seconds: number[] = [];
  if (story === 'new' || story === 'off') return { times, seconds };
  for (let i = 39; i >= 0; i--) {
    times.push(now - 60 * i - (index % 50));
    const noise = Math.abs(Math.sin(index * 7.3 + i * 1.7)) * 0.12 + Math.abs(Math.sin(i * 0.4 + index)) * 0.05;
    const base = story === 'slow' ? 0.9 : 0.12 + (index % 5) * 0.04;
    const isFailed = (FAILS[story] !== undefined && i < 6) || (index % 11 === 3 && i === 20);
    seconds.push(isFailed ? 10 : base + noise);
  }
  return { times, seconds };
}

function member(index: number, { story, comment }: EdgeStory, now: number): MemberView {
  const recent = history(index, story, now);
  const seconds = recent.seconds.at(-1) ?? null;
  const fail = FAILS[story] ?? null;
  const address = `192.0.2.${index % 250}`;
  const isUp = story === 'off' || story === 'new' ? null : fail === null || story === 'turning';
  const isConnected = story !== 'refused';
  const phases = { resolve: null, connect: isConnected ? 0.01 : null, tls: null, firstByte: 0.1, total: seconds ?? 0 };
  const outcome = { name: 'http', kind: 'http', seconds: seconds ?? 0, fail, phases, attempts: 1, hops: 0 } as const;
  return {
    mode: story === 'forced' ? 'blindforce' : story === 'off' ? 'unavailable' : 'available',
    comment:
      comment ??
      (story === 'forced' ? '[anna] transit maintenance, keep it in' : story === 'off' ? '[bert] new disk' : ''),
    modeSince: story === 'forced' || story === 'off' ? now - 5000 : null,
    modeUntil: story === 'forced' ? now + 7200 : null,
    stateSince: null,
    v4: address,
    v6: index % 3 === 0 ? `2001:db8::${index.toString(16)}` : null,
    sample:
      seconds === null
        ? null
        : {
            edge: `edge${index}`,
            at: recent.times.at(-1) ?? now,
            seconds,
            fail,
            primary: { address, ...outcome, check: 'http', checks: [outcome] },
            others: [],
            stalledMs: 0,
          },
    uptime: {
      up: isUp,
      since: isUp === null ? null : now - (isUp ? 86_400 * (1 + (index % 9)) : 340),
      transitions:
        isUp === false
          ? [
              { at: now - 90_000, up: true },
              { at: now - 340, up: false },
            ]
          : [],
      downtimeOfDay: isUp === false ? 340 : 0,
      lastFailure: fail === null ? null : { at: now - 12, check: 'http', ...fail },
      position: story === 'turning' ? { count: 1, of: 3, towards: 'down' } : null,
      counts: { transitions: 0, downSeconds: 0 },
    },
    fetches: { passed: 0, failed: 0, seconds: 0 },
    figures: new Map(),
    recent: (most) => ({ times: recent.times.slice(-most), seconds: recent.seconds.slice(-most) }),
  };
}

const JUDGED: { readonly [story in Story]: readonly [Judgement | null, string, string] } = {
  fast: ['pass_threshold', 'last 0.204 s < goodenough 0.700 s', 'spare: enough edges are live'],
  slow: ['pass_average', 'average 0.980 s ≥ goodenough 0.700 s', 'slower than the edges that are live'],
  down: ['fail', 'last 10.000 s ≥ timeout 10.000 s', 'fails: last 10.000 s ≥ timeout 10.000 s'],
  refused: ['fail', 'last 10.000 s ≥ timeout 10.000 s', 'fails: last 10.000 s ≥ timeout 10.000 s'],
  forced: ['fail', 'last 10.000 s ≥ timeout 10.000 s', 'blindly forced in by an operator'],
  off: [null, 'unavailable', 'set unavailable'],
  turning: ['pass', '1 of 3 failures in a row', 'steady: it was live before'],
  suspect: ['pass_threshold', 'last 0.204 s < goodenough 0.700 s', 'steady: it was live before'],
  new: [null, 'never fetched', 'not judged yet'],
};

export type NetworkStory = {
  readonly name: string;
  readonly edges: ReadonlyMap<string, EdgeStory>;
  readonly now: number;
  readonly wanted?: number;
  readonly isHeld?: boolean;
  readonly vantages?: readonly string[];
};

/** A network in the middle of its day. */
export function networkOf({ name, edges, now, wanted = 4, isHeld = false, vantages = [] }: NetworkStory): NetworkView {
  const members = new Map([...edges].map(([edge, story], index) => [edge, member(index, story, now)]));
  const verdicts = [...edges].map(([edge, { story }]): Verdict => {
    const [judgement, why] = JUDGED[story];
    const { seconds } = members.get(edge)?.recent(40) ?? { seconds: [] };
    const mean = (values: readonly number[]): number | null =>
      values.length === 0 ? null : values.reduce((sum, each) => sum + each, 0) / values.length;
    return {
      edge,
      judgement,
      last: seconds.at(-1) ?? null,
      windowAverage: mean(seconds.slice(-5)),
      average: mean(seconds),
      why,
    };
  });
  const live = [...edges]
    .filter(([, { live: isLive }]) => isLive === true)
    .map(([edge]) => ({ edge, v4: members.get(edge)?.v4 ?? null, v6: members.get(edge)?.v6 ?? null }));
  const made: Decision = {
    ...decision,
    at: now - 8,
    network: name,
    wanted,
    hold: isHeld ? { until: now + 170, recent: 10, limit: 10 } : null,
    heldFailing: [],
    outcome: isHeld ? { kind: 'held', until: now + 170, wanted: ['edge7', 'edge8'] } : decision.outcome,
    live: live.map((each) => ({ ...each, why: 'steady: it was live before' })),
    verdicts,
    reasons: new Map(
      [...edges].map(([edge, { story, live: isLive = false }]) => [
        edge,
        { live: isLive, why: isLive && story === 'fast' ? 'steady: it was live before' : JUDGED[story][2] },
      ]),
    ),
    notes: live.length < wanted ? [`${live.length} of ${wanted} wanted edges`] : [],
    verificationFailures: [],
    memory: { ...decision.memory, rotations: [now - 400, now - 30] },
  };
  const names = [...edges.keys()];
  const says = (isDown: boolean) =>
    vantages.map((vantage, index) => ({
      vantage,
      up: index === 2 ? null : !(isDown && index === 1),
      detail: index === 2 ? 'no view for 95 s' : isDown && index === 1 ? 'timeout' : 'passes',
    }));
  return {
    ...network,
    name,
    serial: 2_026_112_901,
    wanted,
    decision: made,
    live,
    edges: names,
    members,
    silent: new Set(),
    changes: [
      {
        at: now - 7000,
        serial: 2_026_112_900,
        added: [names[0]],
        removed: [],
        live: names.slice(0, 4),
        reasons: new Map([[names[0], 'fills up: last 0.204 s < goodenough 0.700 s']]),
        actions: [],
      },
      {
        at: now - 340,
        serial: 2_026_112_901,
        added: [names[1]],
        removed: [names[5] ?? 'gone'],
        live: names.slice(0, 4),
        actions: [{ action: 'mode', by: 'alice', reason: 'new disk', edge: 'e2', mode: 'unavailable', until: null }],
        reasons: new Map([
          [names[1], 'takes the place of an edge that fails'],
          [names[5] ?? 'gone', 'fails: last 10.000 s ≥ timeout 10.000 s'],
        ]),
      },
    ],
    agreement:
      vantages.length === 0
        ? null
        : {
            config: 'c',
            counting: 2,
            needed: 2,
            excluded: [{ vantage: vantages[2], why: 'no view for 95 s' }],
            quorums: new Map(
              [...edges].map(([edge, { story }]) => [
                edge,
                {
                  up: true,
                  says: says(story === 'suspect'),
                  needed: { down: 2, up: 2 },
                  works: { v4: true, v6: true },
                  from: null,
                },
              ]),
            ),
          },
    round: { ...network.round, lastRun: now - 8, seconds: 58.2, nextDue: now + 52, cancelledCanaries: [] },
  };
}

const EVERY: readonly EdgeStory[] = [
  { story: 'fast', live: true },
  { story: 'fast', live: true },
  { story: 'forced', live: true },
  { story: 'turning', live: true },
  { story: 'slow' },
  { story: 'down' },
  { story: 'refused' },
  { story: 'off' },
  { story: 'suspect' },
  { story: 'new' },
];

/** So many edges, every kind among the first ten; the rest are spare, one in twenty of them down. */
export function edgesOf(count: number): ReadonlyMap<string, EdgeStory> {
  const width = String(count).length;
  return new Map(
    Array.from({ length: count }, (_, index) => [
      `edge${String(index + 1).padStart(width, '0')}.example.net`,
      EVERY[index] ?? { story: index % 20 === 13 ? 'down' : index % 9 === 4 ? 'slow' : 'fast' },
    ]),
  );
}

export function zonesOf(count: number, now: number): readonly ZoneView[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `zone${String(index).padStart(4, '0')}.example.org`,
    network: index % 4 === 0 ? null : 'north',
    file: `/etc/edgewise/zones/zone${index}.zone`,
    state: index === 700 ? 'broken' : index === 900 ? 'stale' : 'ok',
    serial: 2_026_110_000 + (index % 97),
    faults:
      index === 700 || index === 900
        ? [
            {
              severity: 'error',
              code: 'zone-unreadable',
              at: {
                file: `/etc/edgewise/zones/zone${index}.zone`,
                line: 12,
                col: 9,
                text: 'www     1OO IN A 192.0.2.1',
              },
              message: 'expected a TTL or a class, found "1OO"',
            },
          ]
        : [],
    records: 6 + ((index * 37) % 900),
    signaturesEnd: index % 5 === 1 ? now + (index === 1 ? 90_000 : 86_400 * 12) : null,
    loadedAt: now - 4000 - index,
  }));
}

export type Site = { readonly edges: number; readonly zones: number; readonly now: () => number };

/** Three networks, one of them large, and everything else that the page can show. */
export function siteView({ edges, zones, now }: Site, over: Partial<StatusView> = {}): StatusView {
  const at = now();
  const networks = [
    networkOf({
      name: 'north',
      edges: edgesOf(edges),
      now: at,
      wanted: 5,
      isHeld: true,
      vantages: ['ams', 'fra', 'nyc'],
    }),
    networkOf({
      name: 'south',
      edges: new Map([
        ['s1.example.net', { story: 'fast', live: true }],
        ['s2.example.net', { story: 'fast', live: true }],
      ]),
      now: at,
      wanted: 2,
    }),
  ];
  const list = zonesOf(zones, at);
  return statusView({
    startedAt: at - 400_000,
    now,
    networks: () => networks,
    zones: () => list,
    secondaries: () => [
      {
        secondary: '192.0.2.53:53',
        zone: 'zone0001.example.org',
        network: 'north',
        serial: 2_026_110_001,
        ourSerial: 2_026_110_001,
        state: 'current',
        lagSeconds: 0,
        checkedAt: at - 20,
        error: null,
      },
      {
        secondary: '192.0.2.54:53',
        zone: 'zone0001.example.org',
        network: 'north',
        serial: 2_026_110_000,
        ourSerial: 2_026_110_001,
        state: 'behind',
        lagSeconds: 310,
        checkedAt: at - 20,
        error: null,
      },
      {
        secondary: '192.0.2.55:53',
        zone: 'zone0001.example.org',
        network: 'north',
        serial: null,
        ourSerial: 2_026_110_001,
        state: 'unknown',
        lagSeconds: null,
        checkedAt: at - 20,
        error: 'no answer within 5 s',
      },
    ],
    partFaults: () => [
      { part: 'notices', message: 'notices: pager takes none since 2026-11-29T16:00:00Z (2 events wait): status 500' },
    ],
    notices: () =>
      new Map([
        ['ops', { sent: 31, failed: 0, pending: 0 }],
        ['pager', { sent: 3, failed: 14, pending: 2 }],
      ]),
    ...over,
  });
}
