import { expect, test } from 'vitest';
import { CHECK_KINDS, REASONS } from '../../../../src/health/checks/sample.ts';
import type { EdgeQuorum } from '../../../../src/health/judge/quorum.ts';
import { FETCH_BOUNDS, FETCH_PHASES, FetchCounters } from '../../../../src/health/pools/fetch-counters.ts';
import { Refusals } from '../../../../src/server/control/http/refusals.ts';
import { boundValue, type Quantity } from '../../../../src/server/control/metrics/description.ts';
import { createMetrics } from '../../../../src/server/control/metrics/metrics.ts';
import type { NetworkView, StatusView } from '../../../../src/server/control/views/views.ts';
import { Stats, sumStats } from '../../../../src/server/stats.ts';
import { decision, network, statusView } from '../api/api-fixture.ts';

/** docs/metrics.md says how many series each metric has at most: no server, however large, and no stranger makes more. */

const SIZES: { readonly [name in Quantity]: number } = {
  networks: 20,
  edges: 20 * 150,
  canaries: 20 * 5,
  zones: 5000,
  secondaries: 4,
  'zone secondaries': 4 * 5000,
  'publish targets': 40,
  'notice targets': 6,
  vantages: 5,
  'check kinds': 20 * CHECK_KINDS.length,
};

const TEN = Array.from({ length: 10 }, (_, i) => i);
const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

function largeNetwork(name: string): NetworkView {
  const edges = range(150).map((i) => `edge${i}.${name}`);
  const [verdict] = decision.verdicts;
  const member = network.members.get('e2');
  const canary = decision.canaries[0];
  if (member === undefined) throw new Error('the fixture has it');
  const durations = { counts: FETCH_BOUNDS.map(() => 1), sum: 1 };
  const counts = (
    kind: keyof typeof REASONS,
  ): NetworkView['checkCounts'] extends ReadonlyMap<unknown, infer C> ? C : never => ({
    results: new Map(['pass', 'unknown', ...REASONS[kind]].map((result) => [result, 1])),
    phases: new Map(FETCH_PHASES.map((phase) => [phase, durations])),
  });
  return {
    ...network,
    name,
    edges,
    members: new Map(edges.map((edge) => [edge, member])),
    decision: {
      ...decision,
      network: name,
      verdicts: edges.map((edge) => ({ ...verdict, edge })),
      canaries: range(5).map((i) => ({ ...canary, zone: `${name}.test`, address: `192.0.2.${i}` })),
      safety: {
        ...decision.safety,
        minUp: { up: 1, needed: 2 } as NonNullable<NetworkView['decision']>['safety']['minUp'],
        uplink: { inDoubt: true, known: 1, failing: ['gateway'] },
      },
    },
    checkCounts: new Map(CHECK_KINDS.map((kind) => [kind, counts(kind)])),
    agreement: {
      ...({} as NonNullable<NetworkView['agreement']>),
      counting: 3,
      excluded: [],
      needed: 3,
      quorums: new Map(edges.map((edge) => [edge, { up: true, says: [{ up: false }] } as unknown as EdgeQuorum])),
    },
  };
}

/** Every type and response code there can be, over every transport, of every size. */
function hostileStats(): StatusView['stats'] {
  const rows = SIZES.networks + 5;
  const shared = Stats.create(1, rows);
  const stats = Stats.attach(shared, rows, 0);
  for (const transport of range(4)) {
    for (const type of range(65536)) stats.countQuery(transport, type, (type % (rows + 1)) - 1);
    for (const rcode of range(4096)) stats.countAnswer(transport, rcode);
    for (const size of range(65536)) stats.countSize(transport, size);
  }
  return () => sumStats(shared, rows);
}

function largeView(): StatusView {
  const [zone] = statusView().zones();
  const [secondary] = statusView().secondaries();
  const names = range(SIZES.networks).map((i) => `network${i}`);
  const networks = names.map(largeNetwork);
  const zones = range(SIZES.zones).map((i) => ({ ...zone, name: `zone${i}.test`, signaturesEnd: 1 }));
  const vantages = range(SIZES.vantages).map((i) => `vantage${i}`);
  return statusView({
    httpRefused: () => new Refusals().all,
    networks: () => networks,
    zones: () => zones,
    zoneStates: () => ({ ok: zones.length, stale: [], broken: [] }),
    secondaries: () =>
      range(SIZES.secondaries).flatMap((i) =>
        // One of them twice, as it is when configured for two networks.
        [...zones, zones[0]].map(({ name }) => ({ ...secondary, secondary: `192.0.2.${i}:53`, zone: name })),
      ),
    stats: hostileStats(),
    statsNetworks: () => ['static', ...names, null, 'network0', null],
    providers: () =>
      range(SIZES['publish targets']).map(
        (i) =>
          ({
            ...({} as ReturnType<StatusView['providers']>[number]),
            name: `target${i}`,
            network: 'network0',
            state: 'right',
            lastRight: 1,
            corrections: 1,
            failures: 1,
            foreignChanges: 1,
          }) as const,
      ),
    notices: () => new Map(range(SIZES['notice targets']).map((i) => [`t${i}`, { sent: 1, failed: 1, pending: 1 }])),
    contained: () =>
      [...names, 'gone', 'gone too'].map((name) => ({ part: `network ${name}`, count: 1, message: '', at: 0 })),
    vantage: () => ({
      ...({} as NonNullable<ReturnType<StatusView['vantage']>>),
      role: { isOurs: true } as never,
      override: null,
      vantages: vantages.map((name) => ({ name, isSelf: false, reachable: true, clockOffset: 1 }) as never),
      refused: new Map(TEN.slice(0, 8).map((i) => [`kind${i}`, 1])),
      views: () => [...vantages, 'a stranger'].map((name) => ({ view: { vantage: name }, age: 1 }) as never),
    }),
  });
}

test('no metric has more series than its description says, whatever is configured and whatever strangers send', async () => {
  const metrics = createMetrics(largeView());
  const lines = new TextDecoder().decode(await metrics.body()).split('\n');
  const series = new Map<string, number>();
  let name = '';
  for (const line of lines) {
    if (line.startsWith('# HELP ')) name = line.split(' ')[2];
    else if (line !== '' && !line.startsWith('#')) series.set(name, (series.get(name) ?? 0) + 1);
  }
  const described = metrics.subjects.flatMap((subject) => subject.metrics);
  const over = described.flatMap((one) => {
    const [count, most] = [series.get(one.name) ?? 0, boundValue(one.series, SIZES)];
    return count > most ? [`${one.name}: ${count} of ${most}`] : [];
  });
  expect(over).toEqual([]);
  // The bounds are not just large: all are reached, but for parts that have no trouble and a server without TLS.
  const less = /_(?:part_faults|contained_errors_total|tls_certificate_expiry_timestamp_seconds)$/;
  const below = described.flatMap((one) => {
    const [count, most] = [series.get(one.name) ?? 0, boundValue(one.series, SIZES)];
    const isOfProcess = !one.name.startsWith('edgewise_') || /^edgewise_(?:process|nodejs)_/.test(one.name);
    return isOfProcess || less.test(one.name) || count > 0.6 * most ? [] : [`${one.name}: ${count} of ${most}`];
  });
  expect(below).toEqual([]);
  const all = lines.filter((line) => line !== '' && !line.startsWith('#'));
  expect(new Set(all.map((line) => line.slice(0, line.lastIndexOf(' ')))).size).toBe(all.length);
});

test('without the zones, their number makes no difference', async () => {
  const metrics = createMetrics(largeView());
  const text = new TextDecoder().decode(await metrics.body({ zones: false }));
  expect(text).not.toContain('zone17.test');
  expect(text.split('\n').length).toBeLessThan(SIZES.edges * 20 + 25_000);
});

test('networks that go away leave no series', async () => {
  let view = largeView();
  const metrics = createMetrics({
    ...view,
    networks: () => view.networks(),
    statsNetworks: () => view.statsNetworks(),
  });
  expect(new TextDecoder().decode(await metrics.body())).toContain('network="network7"');
  const networks = view.networks().filter(({ name }) => name !== 'network7');
  const rows = view.statsNetworks().map((name) => (name === 'network7' ? null : name));
  view = { ...view, networks: () => networks, statsNetworks: () => rows };
  expect(new TextDecoder().decode(await metrics.body())).not.toContain('network7"');
});

test('counts of fetches are kept for those who are asked only', () => {
  const counters = new FetchCounters('n');
  for (const i of range(1000)) {
    counters.keep([{ name: `edge${i}` }]);
    expect(counters.of(`edge${i - 1}`).passed).toBe(0);
  }
});
