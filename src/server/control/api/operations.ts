/** The reads of `/api/v1`, the health paths and the metrics. */
import { z } from 'zod';
import { rcodeName } from '../../../dns/rcode-name.ts';
import type { TargetStatus } from '../../../publish/providers/target-status.ts';
import { formatFault } from '../../../system/fault.ts';
import type { StatsSum } from '../../stats.ts';
import { type AnyOperation, json, operation } from '../http/operation.ts';
import { problem } from '../http/problem.ts';
import { healthBody, healthReasons } from '../views/healthz.ts';
import { vantageJson } from '../views/vantage-view.ts';
import type { SecondaryView, StatusView, ZoneView } from '../views/views.ts';
import type { PublishJson, SecondaryJson, StatusJson, ZoneJson } from './json.ts';
import { networkDetail, networkSummary } from './network.ts';

const INDEX = `Edgewise

/livez                 200 while the process works: for whoever would start it again
/readyz                200 while DNS queries are answered: for whoever sends them here
/healthz               200 when all is well, 503 with the reasons when not: for whoever is on duty
/metrics               for Prometheus; ?exclude[]=zones leaves out what has a sample for each zone
/api/v1/status         this server in a few lines
/api/v1/networks       the networks and what is live in them
/api/v1/networks/NET   one network: edges, judgements and the reasons for them, canaries, changes
/api/v1/zones          the zones, their serials and faults
/api/v1/vantage        several vantage points: who decides, which views count, who says what of suspect edges
/api/v1/secondaries    serials of the secondaries
/api/v1/publish        sets that are kept at other people's DNS
`;

/** `exclude[]=zones`, as the exporters of Prometheus have it. */
const exclude = z.object({ 'exclude[]': z.union([z.string(), z.array(z.string())]).optional() }).transform((query) => ({
  zones: ![query['exclude[]'] ?? []].flat().includes('zones'),
}));

export const OPERATIONS: readonly AnyOperation[] = [
  operation({
    method: 'GET',
    path: '/',
    summary: 'What there is',
    tag: null,
    access: 'open',
    answers: { 200: { description: 'The paths', type: 'text/plain' } },
    handle: () => ({ status: 200, type: 'text/plain; charset=utf-8', body: INDEX }),
  }),
  operation({
    method: 'GET',
    path: '/livez',
    summary: 'Whether the process works',
    tag: 'health',
    access: 'open',
    lane: 'health',
    answers: { 200: { description: 'It does' } },
    handle: ({ view }) => json(200, { status: 'ok', version: view.version }),
  }),
  operation({
    method: 'GET',
    path: '/readyz',
    summary: 'Whether DNS queries are answered',
    tag: 'health',
    access: 'open',
    lane: 'health',
    answers: { 200: { description: 'They are' }, 503: { description: 'Not yet, or not any more' } },
    handle: ({ view }) =>
      json(view.ready() ? 200 : 503, { status: view.ready() ? 'ok' : 'not ready', ready: view.ready() }),
  }),
  operation({
    method: 'GET',
    path: '/healthz',
    summary: 'Whether all is well, and every reason why not',
    tag: 'health',
    access: 'open',
    lane: 'health',
    answers: { 200: { description: 'All is well' }, 503: { description: 'The reasons why not' } },
    handle: ({ view }) => {
      const reasons = healthReasons(view);
      return json(reasons.length === 0 ? 200 : 503, healthBody(view, reasons));
    },
  }),
  operation({
    method: 'GET',
    path: '/metrics',
    summary: 'For Prometheus',
    tag: 'metrics',
    access: 'read',
    query: exclude,
    answers: { 200: { description: 'Exposition text', type: 'text/plain' } },
    handle: async ({ metrics }, { query }) => ({
      status: 200,
      type: metrics.contentType,
      body: await metrics.body(query),
    }),
  }),
  operation({
    method: 'GET',
    path: '/api/v1/status',
    summary: 'This server in a few lines',
    tag: 'server',
    access: 'read',
    answers: { 200: { description: 'The server' } },
    handle: ({ view }) => json(200, status(view)),
  }),
  operation({
    method: 'GET',
    path: '/api/v1/networks',
    summary: 'The networks and what is live in them',
    tag: 'networks',
    access: 'read',
    answers: { 200: { description: 'Sorted by name' } },
    handle: ({ view }) => json(200, { networks: view.networks().map(networkSummary) }),
  }),
  operation({
    method: 'GET',
    path: '/api/v1/networks/{network}',
    summary: 'One network: edges, judgements and the reasons for them, canaries, changes',
    tag: 'networks',
    access: 'read',
    params: z.object({ network: z.string() }),
    answers: { 200: { description: 'The network' }, 404: { description: 'There is none of this name' } },
    handle: ({ view }, { params }) => {
      const found = view.networks().find(({ name }) => name === params.network);
      if (found === undefined) return problem(404, `no network ${JSON.stringify(params.network)}`);
      return json(200, networkDetail(found, view.now()));
    },
  }),
  operation({
    method: 'GET',
    path: '/api/v1/zones',
    summary: 'The zones, their serials and faults',
    tag: 'zones',
    access: 'read',
    answers: { 200: { description: 'Sorted by name' } },
    handle: ({ view }) => json(200, { zones: view.zones().map(zoneRow) }),
  }),
  operation({
    method: 'GET',
    path: '/api/v1/secondaries',
    summary: 'Serials of the secondaries',
    tag: 'zones',
    access: 'read',
    answers: { 200: { description: 'A row per secondary and zone' } },
    handle: ({ view }) => json(200, { secondaries: view.secondaries().map(secondaryRow) }),
  }),
  operation({
    method: 'GET',
    path: '/api/v1/vantage',
    summary: 'Several vantage points: who decides, which views count, who says what of suspect edges',
    tag: 'vantage',
    access: 'read',
    answers: { 200: { description: 'The vantage points' }, 404: { description: 'This server decides alone' } },
    handle: ({ view }) => {
      const source = view.vantage();
      if (source === null) return problem(404, 'this server decides alone: its configuration has no vantage');
      return json(200, vantageJson(source, view.networks(), view.now()));
    },
  }),
  operation({
    method: 'GET',
    path: '/api/v1/publish',
    summary: "Sets that are kept at other people's DNS",
    tag: 'publish',
    access: 'read',
    answers: { 200: { description: 'A row a target' } },
    handle: ({ view }) => json(200, { publish: view.providers().map(publishRow) }),
  }),
];
function status(view: StatusView): StatusJson {
  const { ok, stale, broken } = view.zoneStates();
  const reasons = healthReasons(view);
  return {
    ...healthBody(view, reasons),
    started_at: view.startedAt,
    networks: view.networks().map(networkSummary),
    zones: { ok, stale: stale.length, broken: broken.length },
    tls_certificate_ends: view.tlsNotAfter(),
    dns: dnsCounters(view.stats()),
  };
}

function dnsCounters({ queries, answers, events }: StatsSum): StatusJson['dns'] {
  const sums = new Map<string, number>();
  for (const { rcode, count } of answers) sums.set(rcodeName(rcode), count + (sums.get(rcodeName(rcode)) ?? 0));
  return {
    queries: queries.reduce((sum, { count }) => sum + count, 0),
    answers: Object.fromEntries(sums),
    dropped: events.dropped,
    rate_limited: events.rate_limited + events.rate_slipped,
  };
}

function zoneRow({
  name,
  network: net,
  state,
  serial,
  records,
  file,
  loadedAt,
  signaturesEnd,
  faults,
}: ZoneView): ZoneJson {
  return {
    zone: name,
    network: net,
    state,
    serial: state === 'broken' ? null : serial,
    records,
    file,
    loaded_at: loadedAt === 0 ? null : loadedAt,
    signatures_end: signaturesEnd,
    faults: faults.map(formatFault),
  };
}

function publishRow({ name, kind, network, names, state, since, held, ...row }: TargetStatus): PublishJson {
  return {
    target: name,
    provider: kind,
    network,
    names,
    state,
    since,
    last_right: row.lastRight,
    problem: row.problem?.text ?? null,
    corrections: row.corrections,
    failures: row.failures,
    foreign_changes: row.foreignChanges,
    sets: held.map((set) => ({ name: set.name, type: set.type, ttl: set.ttl, addresses: set.addresses })),
  };
}

function secondaryRow(row: SecondaryView): SecondaryJson {
  return {
    secondary: row.secondary,
    zone: row.zone,
    network: row.network,
    serial: row.serial,
    our_serial: row.ourSerial,
    state: row.state,
    lag_seconds: row.lagSeconds,
    checked_at: row.checkedAt,
    error: row.error,
  };
}
