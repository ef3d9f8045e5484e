import { expect, test } from 'vitest';
import { createMetrics, type Metrics } from '../../../../src/server/control/metrics/metrics.ts';
import type { StatusView } from '../../../../src/server/control/views/views.ts';
import { decision, NOW, network, statusView } from '../api/api-fixture.ts';
import { ODD_LABELS, TROUBLED } from './metrics-fixture.ts';

function scrape(over: Partial<StatusView> = {}): Promise<string> {
  return text(createMetrics(statusView(over)));
}

async function text(metrics: Metrics, wanted?: { readonly zones: boolean }): Promise<string> {
  return new TextDecoder().decode(await metrics.body(wanted));
}

/** Sample lines of the metrics whose names begin so. */
function samples(text: string, name: string): string[] {
  return text.split('\n').filter((line) => line.startsWith(`edgewise_${name}`));
}

test('problems and contained errors are counted by part, whatever the part and its words are', async () => {
  const body = await scrape(TROUBLED);
  expect(samples(body, 'part_faults')).toEqual([
    'edgewise_part_faults{part="publish"} 2',
    'edgewise_part_faults{part="secondaries"} 1',
  ]);
  expect(samples(body, 'contained_errors_total')).toEqual([
    'edgewise_contained_errors_total{part="the main thread"} 3',
    'edgewise_contained_errors_total{part="network \\"q\\\\\\"\\n"} 1',
    // Networks that are gone leave no series.
    'edgewise_contained_errors_total{part="network"} 5',
  ]);
});

test('every name begins with edgewise_ or is a usual one, ends in its unit, and has a help text', async () => {
  const text = await scrape();
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]));
  expect(types.size).toBeGreaterThan(40);
  for (const [name, type] of types) {
    expect(name).toMatch(/^(?:edgewise|process|nodejs)_[a-z][a-z0-9_]*$/);
    if (type !== 'untyped') expect(name.endsWith('_total')).toBe(type === 'counter');
    expect(name).not.toMatch(/_(?:ms|milliseconds|minutes|kb|mb)\b/);
    expect(text).toMatch(new RegExp(`^# HELP ${name} \\S.{10,}$`, 'm'));
  }
  for (const [, name] of text.matchAll(/^(\w+?)(?:_bucket|_sum|_count)?[{ ]/gm))
    expect(types.has(name), name).toBe(true);
});

test('every metric is described as it comes out: name, type, help, and the names of its labels', async () => {
  const metrics = createMetrics(statusView());
  const described = new Map(metrics.subjects.flatMap((subject) => subject.metrics.map((one) => [one.name, one])));
  const body = await text(metrics);
  const heads = [...body.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)\n((?:[^#\n].*\n)*)/gm)];
  expect(heads.map(([, name]) => name).sort()).toEqual([...described.keys()].sort());
  for (const [, name, help, type, lines] of heads) {
    const one = described.get(name);
    expect(type).toBe(one?.type === 'unknown' ? 'untyped' : one?.type);
    if (!help.startsWith('Node') && !name.startsWith('edgewise_nodejs') && !name.startsWith('edgewise_process')) {
      expect(help).toBe(one?.help);
    }
    const labels = [...lines.matchAll(/[{,](\w+)="/g)].map(([, label]) => label).filter((label) => label !== 'le');
    expect([...(one?.labels.keys() ?? [])], name).toEqual(expect.arrayContaining(labels));
  }
});

test("Node's and the process's metrics have their usual names, which dashboards ask for, and ours as well", async () => {
  const body = await scrape();
  for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'nodejs_eventloop_lag_seconds']) {
    expect(body).toMatch(new RegExp(`^${name} \\S+$`, 'm'));
    expect(body).toMatch(new RegExp(`^edgewise_${name} \\S+$`, 'm'));
  }
  expect(body).toContain('# TYPE nodejs_gc_duration_seconds histogram');
  // What dashboard 11159 of grafana.com (Node.js application) asks for besides.
  for (const name of [
    'nodejs_active_requests_total',
    'nodejs_external_memory_bytes',
    'nodejs_heap_size_total_bytes',
    'nodejs_heap_size_used_bytes',
    'nodejs_heap_space_size_available_bytes',
    'nodejs_heap_space_size_total_bytes',
    'nodejs_heap_space_size_used_bytes',
    'nodejs_version_info',
    'process_cpu_system_seconds_total',
    'process_cpu_user_seconds_total',
    'process_start_time_seconds',
  ]) {
    expect(body, name).toMatch(new RegExp(`^${name}(?:\\{.*\\})? \\S+$`, 'm'));
  }
  // It asks for this, too. A gauge must not be called so, and a counter it is not.
  expect(body).toMatch(/^# TYPE nodejs_active_handles_total untyped\nnodejs_active_handles_total \d+$/m);
  expect(body).not.toContain('edgewise_nodejs_active_handles_total');
});

test.each([
  ['ready', ['edgewise_ready 1']],
  ['healthy', ['edgewise_healthy 1']],
  ['build_info', ['edgewise_build_info{version="1.2.3"} 1']],
  ['zones{', ['edgewise_zones{state="ok"} 2', 'edgewise_zones{state="stale"} 0', 'edgewise_zones{state="broken"} 0']],
  [
    'zone_serial',
    [`edgewise_zone_serial{zone="example.test"} ${NOW - 4}`, 'edgewise_zone_serial{zone="static.test"} 7'],
  ],
  ['zone_records', ['edgewise_zone_records{zone="example.test"} 12', 'edgewise_zone_records{zone="static.test"} 4']],
  ['zone_load_timestamp_seconds{zone="e', [`edgewise_zone_load_timestamp_seconds{zone="example.test"} ${NOW - 90}`]],
  ['zones_load_duration', ['edgewise_zones_load_duration_seconds 0.25']],
  ['zones_load_timestamp', [`edgewise_zones_load_timestamp_seconds ${NOW - 9}`]],
  ['network_holds_total', ['edgewise_network_holds_total{network="net-a"} 2']],
  [
    'edge_live_transitions',
    [
      'edgewise_edge_live_transitions_total{network="net-a",edge="e1"} 0',
      'edgewise_edge_live_transitions_total{network="net-a",edge="e2"} 3',
      'edgewise_edge_live_transitions_total{network="net-a",edge="e3"} 0',
    ],
  ],
  [
    'edge_fetch_failures',
    [
      'edgewise_edge_fetch_failures_total{network="net-a",edge="e2"} 2',
      'edgewise_edge_fetch_failures_total{network="net-a",edge="e3"} 0',
    ],
  ],
  [
    'edge_fetch_duration_seconds_',
    [
      'edgewise_edge_fetch_duration_seconds_sum{network="net-a",edge="e2"} 1.25',
      'edgewise_edge_fetch_duration_seconds_count{network="net-a",edge="e2"} 4',
      'edgewise_edge_fetch_duration_seconds_sum{network="net-a",edge="e3"} 0',
      'edgewise_edge_fetch_duration_seconds_count{network="net-a",edge="e3"} 0',
    ],
  ],
  [
    'checks_total',
    [
      'edgewise_checks_total{network="net-a",kind="http",result="pass"} 3',
      'edgewise_checks_total{network="net-a",kind="http",result="timeout"} 1',
    ],
  ],
  [
    'check_duration_seconds_bucket{network="net-a",kind="http",phase="first_byte",le="0.0',
    [
      ['0.001', 0],
      ['0.0025', 1],
      ['0.005', 1],
      ['0.01', 3],
      ['0.025', 3],
      ['0.05', 3],
    ].map(
      ([le, count]) =>
        `edgewise_check_duration_seconds_bucket{network="net-a",kind="http",phase="first_byte",le="${le}"} ${count}`,
    ),
  ],
  [
    'check_duration_seconds_count',
    ['edgewise_check_duration_seconds_count{network="net-a",kind="http",phase="first_byte"} 4'],
  ],
  ['prober_troubles_total', ['edgewise_prober_troubles_total 0']],
  ['prober_loop_delay_seconds', ['edgewise_prober_loop_delay_seconds 0.0012']],
  ['secondary_lag_seconds', ['edgewise_secondary_lag_seconds{secondary="192.0.2.53:53",zone="example.test"} 4']],
  [
    'notify_total',
    [
      'edgewise_notify_total{result="acknowledged"} 3',
      'edgewise_notify_total{result="refused"} 1',
      'edgewise_notify_total{result="unanswered"} 0',
      'edgewise_notify_total{result="unsent"} 0',
    ],
  ],
  ['notify_pending', ['edgewise_notify_pending 2']],
  ['notices_sent_total', ['edgewise_notices_sent_total{target="ops"} 3']],
  ['notices_failed_total', ['edgewise_notices_failed_total{target="ops"} 1']],
  ['notices_pending', ['edgewise_notices_pending{target="ops"} 2']],
  [
    'secondary_zones',
    [
      'edgewise_secondary_zones{secondary="192.0.2.53:53",state="current"} 0',
      'edgewise_secondary_zones{secondary="192.0.2.53:53",state="behind"} 1',
      'edgewise_secondary_zones{secondary="192.0.2.53:53",state="ahead"} 0',
      'edgewise_secondary_zones{secondary="192.0.2.53:53",state="unknown"} 0',
    ],
  ],
  ['secondary_up', ['edgewise_secondary_up{secondary="192.0.2.53:53",zone="example.test"} 1']],
  ['network_live_edges', ['edgewise_network_live_edges{network="net-a"} 1']],
  ['network_wanted_edges', ['edgewise_network_wanted_edges{network="net-a"} 2']],
  ['network_held{', ['edgewise_network_held{network="net-a"} 0']],
  ['network_recent_rotations', ['edgewise_network_recent_rotations{network="net-a"} 2']],
  ['network_rotations_total', ['edgewise_network_rotations_total{network="net-a"} 3']],
  ['network_verification_failures', ['edgewise_network_verification_failures{network="net-a"} 1']],
  ['network_round_duration_seconds', ['edgewise_network_round_duration_seconds{network="net-a"} 1.5']],
  ['network_round_overlong', ['edgewise_network_round_overlong{network="net-a"} 0']],
  ['network_round_overdue', ['edgewise_network_round_overdue{network="net-a"} 0']],
  [
    'network_edges',
    [
      'edgewise_network_edges{network="net-a",judgement="pass_threshold"} 1',
      'edgewise_network_edges{network="net-a",judgement="pass_window"} 0',
      'edgewise_network_edges{network="net-a",judgement="pass_average"} 0',
      'edgewise_network_edges{network="net-a",judgement="pass"} 0',
      'edgewise_network_edges{network="net-a",judgement="fail"} 1',
      'edgewise_network_edges{network="net-a",judgement="none"} 1',
    ],
  ],
  ['edge_up', ['edgewise_edge_up{network="net-a",edge="e1"} 1', 'edgewise_edge_up{network="net-a",edge="e2"} 0']],
  [
    'edge_silent',
    [
      'edgewise_edge_silent{network="net-a",edge="e1"} 0',
      'edgewise_edge_silent{network="net-a",edge="e2"} 1',
      'edgewise_edge_silent{network="net-a",edge="e3"} 0',
    ],
  ],
  [
    'edge_last_fetch_seconds',
    [
      'edgewise_edge_last_fetch_seconds{network="net-a",edge="e1"} 0.2',
      'edgewise_edge_last_fetch_seconds{network="net-a",edge="e2"} 10',
    ],
  ],
  ['edge_state_since', [`edgewise_edge_state_since_timestamp_seconds{network="net-a",edge="e2"} ${NOW - 65}`]],
  [
    'edge_transitions',
    [
      'edgewise_edge_transitions_total{network="net-a",edge="e2"} 2',
      'edgewise_edge_transitions_total{network="net-a",edge="e3"} 0',
    ],
  ],
  [
    'edge_down_seconds',
    [
      'edgewise_edge_down_seconds_total{network="net-a",edge="e2"} 300',
      'edgewise_edge_down_seconds_total{network="net-a",edge="e3"} 0',
    ],
  ],
  ['edge_contrary_results', ['edgewise_edge_contrary_results{network="net-a",edge="e2"} 1']],
  ['edge_last_failure', [`edgewise_edge_last_failure_timestamp_seconds{network="net-a",edge="e2"} ${NOW - 5}`]],
  ['canary_active', ['edgewise_canary_active{network="net-a",zone="example.test",address="192.0.2.9"} 1']],
  [
    'edge_mode_info',
    [
      'edgewise_edge_mode_info{network="net-a",edge="e1",mode="available"} 1',
      'edgewise_edge_mode_info{network="net-a",edge="e2",mode="available"} 1',
      'edgewise_edge_mode_info{network="net-a",edge="e3",mode="unavailable"} 1',
    ],
  ],
  [
    'dns_queries_total',
    [
      'edgewise_dns_queries_total{transport="udp4",type="A"} 2',
      'edgewise_dns_queries_total{transport="tcp",type="other"} 2',
    ],
  ],
  [
    'dns_network_queries_total',
    ['edgewise_dns_network_queries_total{network="none"} 1', 'edgewise_dns_network_queries_total{network="net-a"} 2'],
  ],
  ['dns_events_total{event="dropped"}', ['edgewise_dns_events_total{event="dropped"} 0']],
])('%s', async (name, expected) => {
  expect(samples(await scrape(), name)).toEqual(expected);
});

test('every transport has every response code from 0 on, so that the first SERVFAIL is an increase', async () => {
  const lines = samples(await scrape(), 'dns_answers_total');
  expect(lines).toHaveLength(4 * 14);
  expect(lines.filter((line) => !line.endsWith(' 0'))).toEqual([
    'edgewise_dns_answers_total{transport="udp4",rcode="NOERROR"} 1',
    'edgewise_dns_answers_total{transport="tcp",rcode="other"} 1',
  ]);
  expect(lines).toContain('edgewise_dns_answers_total{transport="tls",rcode="SERVFAIL"} 0');
});

test("a histogram's buckets hold what is smaller, too, and the last one everything", async () => {
  const lines = samples(await scrape(), 'dns_response_size_bytes').filter((line) => line.includes('transport="udp4"'));
  const le = (bound: string, count: number): string =>
    `edgewise_dns_response_size_bytes_bucket{transport="udp4",le="${bound}"} ${count}`;
  expect(lines.slice(0, 2)).toEqual([le('64', 0), le('128', 2)]);
  expect(lines.slice(-6)).toEqual([
    le('2048', 3),
    le('4096', 3),
    le('16384', 3),
    le('+Inf', 3),
    'edgewise_dns_response_size_bytes_sum{transport="udp4"} 1435',
    'edgewise_dns_response_size_bytes_count{transport="udp4"} 3',
  ]);
});

test('scrapes that come together share one, and none is older than its request', async () => {
  let pending = 0;
  const metrics = createMetrics(
    statusView({ notify: () => ({ acknowledged: 0, refused: 0, unanswered: 0, unsent: 0, pending }) }),
  );
  const first = metrics.body();
  await new Promise((resolve) => setImmediate(resolve)); // it is being made
  pending = 7;
  const later = Array.from({ length: 200 }, () => metrics.body());
  const [shared, ...others] = await Promise.all(later);
  expect(others.every((body) => body === shared)).toBe(true);
  expect(shared).not.toBe(await first);
  expect(new TextDecoder().decode(shared)).toContain('\nedgewise_notify_pending 7\n');
  // Those who want it without zones are a scrape of their own.
  expect(new TextDecoder().decode(await metrics.body({ zones: false }))).not.toContain('edgewise_zone_serial');
});

test('what takes long to put together is put together once a scrape, and anew for the next', async () => {
  const asked = { networks: 0, zones: 0, secondaries: 0, stats: 0 };
  const usual = statusView();
  const counted = <Name extends keyof typeof asked>(name: Name) => {
    const ask: () => ReturnType<StatusView[Name]> = usual[name] as never;
    return () => {
      asked[name] += 1;
      return ask();
    };
  };
  const metrics = createMetrics({
    ...usual,
    networks: counted('networks'),
    zones: counted('zones'),
    secondaries: counted('secondaries'),
    stats: counted('stats'),
  });
  await metrics.body();
  expect(asked).toEqual({ networks: 1, zones: 1, secondaries: 1, stats: 1 });
  await metrics.body();
  expect(asked).toEqual({ networks: 2, zones: 2, secondaries: 2, stats: 2 });
});

test('a scrape that fails fails for those who share it, and no other', async () => {
  let fails = true;
  const metrics = createMetrics(
    statusView({
      ready: () => {
        if (fails) throw new Error('a bug');
        return true;
      },
    }),
  );
  const both = await Promise.allSettled([metrics.body(), metrics.body()]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  fails = false;
  expect(new TextDecoder().decode(await metrics.body())).toContain('\nedgewise_ready 1\n');
});

test('what is gone from the server is gone from the next scrape', async () => {
  let networks = [network];
  const metrics = createMetrics(statusView({ networks: () => networks }));
  expect(samples(await text(metrics), 'edge_up')).toHaveLength(2);
  networks = [{ ...network, decision: { ...decision, verdicts: decision.verdicts.slice(0, 1) } }];
  expect(samples(await text(metrics), 'edge_up')).toHaveLength(1);
  networks = [];
  expect(samples(await text(metrics), 'network_live_edges')).toEqual([]);
});

test('what the server lists twice comes out once', async () => {
  const [row] = statusView().secondaries();
  const text = await scrape({ secondaries: () => [row, row], statsNetworks: () => ['net-a', 'net-a'] });
  expect(samples(text, 'secondary_up')).toHaveLength(1);
  expect(samples(text, 'dns_network_queries_total{network="net-a"}')).toEqual([
    'edgewise_dns_network_queries_total{network="net-a"} 3',
  ]);
  const names = samples(text, '').map((line) => line.slice(0, line.lastIndexOf(' ')));
  expect(new Set(names).size).toBe(names.length);
});

test('a network that is called none, and labels with quotes, backslashes and line ends, come out sound', async () => {
  const text = await scrape(ODD_LABELS);
  expect(samples(text, 'network_live_edges')).toEqual([
    'edgewise_network_live_edges{network="a\\"b\\\\c\\nd"} 1',
    'edgewise_network_live_edges{network="ä\\"\\\\\\n"} 1',
  ]);
  expect(samples(text, 'dns_network_queries_total')).toEqual(['edgewise_dns_network_queries_total{network="none"} 3']);
});

test('what has a sample for each zone can be left out', async () => {
  const exposed = await text(createMetrics(statusView()), { zones: false });
  expect(samples(exposed, 'zone_serial')).toEqual([]);
  expect(samples(exposed, 'secondary_lag_seconds')).toEqual([]);
  expect(samples(exposed, 'secondary_zones')).toHaveLength(4);
  expect(samples(exposed, 'zones{')).toHaveLength(3);
});

test('before the first round nothing is claimed', async () => {
  const bare = {
    ...network,
    decision: null,
    silent: new Set<string>(),
    round: { ...network.round, lastRun: null, seconds: null },
  };
  const text = await scrape({ networks: () => [bare] });
  expect(samples(text, 'network_round_duration_seconds')).toEqual([]);
  expect(samples(text, 'network_held')).toEqual([]);
  expect(samples(text, 'edge_')).toEqual([]);
  expect(samples(text, 'network_live_edges')).toEqual(['edgewise_network_live_edges{network="net-a"} 1']);
});

test('an edge that is taken off the list has no series any more, one that is unavailable has', async () => {
  const shown = await scrape({ networks: () => [{ ...network, edges: ['e1', 'e3'] }] });
  const series = samples(shown, 'edge_');
  expect(series.filter((line) => line.includes('edge="e2"'))).toEqual([]);
  expect(series.filter((line) => line.includes('edge="e3"')).length).toBeGreaterThan(2);
  expect(series).toContain('edgewise_edge_live{network="net-a",edge="e3"} 0');
});

test("several servers in one process do not get in one another's way", async () => {
  const [first, second] = [createMetrics(statusView()), createMetrics(statusView({ version: '9' }))];
  expect(samples(await text(first), 'build_info')).toEqual(['edgewise_build_info{version="1.2.3"} 1']);
  expect(samples(await text(second), 'build_info')).toEqual(['edgewise_build_info{version="9"} 1']);
});

test('the duration of a turn is explained, for it is no measure of how fast edges answer', async () => {
  const help = (await scrape()).match(/^# HELP edgewise_network_round_duration_seconds (.*)$/m)?.[1];
  expect(help).toMatch(/about its interval/);
  expect(help).toContain('round_overlong');
});
