/** What each URL answers, as values: no socket here. Paths are exact. */
import type { TargetStatus } from '../../../publish/providers/target-status.ts';
import { formatFault } from '../../../system/fault.ts';
import type { ErrorJson, PublishJson, SecondaryJson, StatusJson, ZoneJson } from '../api/json.ts';
import { networkDetail, networkSummary } from '../api/network.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { healthBody, healthReasons } from '../views/healthz.ts';
import { vantageJson } from '../views/vantage-view.ts';
import type { SecondaryView, StatusView, ZoneView } from '../views/views.ts';

/** `body`: text, or its octets in UTF-8. */
export type Reply = {
  readonly status: number;
  readonly type: string;
  readonly body: string | Uint8Array;
  readonly headers?: { readonly [name: string]: string };
};

/** What routes read from. */
export type Sources = { readonly view: StatusView; readonly metrics: Metrics };

type Handler = (sources: Sources, segment: string, variant: string) => Reply | Promise<Reply>;

/**
 * A request's answer, still to be made. Requests with the same `key` may share one. `lane`: what an orchestrator or a
 * monitor decides by does not wait behind large answers.
 */
export type Routed = {
  readonly key: string;
  readonly lane: 'health' | 'rest';
  readonly render: () => Reply | Promise<Reply>;
};

/** Exact path → handler; a pattern's `*` is one segment, decoded. */
const ROUTES: readonly (readonly [path: string, handler: Handler])[] = [
  ['/', () => ({ status: 200, type: 'text/plain; charset=utf-8', body: INDEX })],
  ['/livez', ({ view }) => json(200, { status: 'ok', version: view.version })],
  ['/readyz', readyz],
  ['/healthz', healthz],
  ['/metrics', scrape],
  ['/api/v1/status', ({ view }) => json(200, status(view))],
  ['/api/v1/networks', ({ view }) => json(200, { networks: view.networks().map(networkSummary) })],
  ['/api/v1/networks/*', network],
  ['/api/v1/zones', ({ view }) => json(200, { zones: view.zones().map(zoneRow) })],
  ['/api/v1/secondaries', ({ view }) => json(200, { secondaries: view.secondaries().map(secondaryRow) })],
  ['/api/v1/vantage', vantage],
  ['/api/v1/publish', ({ view }) => json(200, { publish: view.providers().map(publishRow) })],
];

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

const HEALTH = ['/livez', '/readyz', '/healthz'];

/** `method` and `target` (`/path?query`) of a request line; anything but GET and HEAD is refused. */
export function route(method: string, target: string, sources: Sources): Routed {
  const [path, query = ''] = originForm(target).split('#', 1)[0].split('?', 2);
  const found = ROUTES.map(([pattern, handler]) => ({ segment: match(pattern, path), handler })).find(
    ({ segment }) => segment !== null,
  );
  if (found === undefined)
    return { key: '404', lane: 'rest', render: () => failure(404, 'not found', 'see / for what there is') };
  if (method !== 'GET' && method !== 'HEAD') {
    const refused = { ...failure(405, 'method not allowed', 'only GET and HEAD'), headers: { allow: 'GET, HEAD' } };
    return { key: '405', lane: 'rest', render: () => refused };
  }
  const { handler, segment } = found;
  // What else the query says makes no other answer, so it must not make another rendering.
  const variant =
    path === '/metrics' && new URLSearchParams(query).getAll('exclude[]').includes('zones') ? 'zones' : '';
  return {
    key: `${path} ${variant}`,
    lane: HEALTH.includes(path) ? 'health' : 'rest',
    render: () => handler(sources, segment ?? '', variant),
  };
}

/** `http://host/path` is `/path` here (RFC 9112 section 3.2.2: a server must accept both forms). */
function originForm(target: string): string {
  const authority = AUTHORITY.exec(target);
  if (authority === null) return target;
  const rest = target.slice(authority[0].length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

const AUTHORITY = /^https?:\/\/([^/?#]*)/i;

/** Whom a request is for: a target with an authority says it, else the `Host` field (RFC 9112 section 3.2.2). */
export function hostOf(target: string, field: string | undefined): string | undefined {
  return AUTHORITY.exec(target)?.[1] ?? field;
}

/** An error as every path reports it. */
export function failure(code: number, error: string, detail: string): Reply {
  return json(code, { error, detail } satisfies ErrorJson);
}

/** The decoded `*` (empty where there is none), or null where the path is another one. */
function match(pattern: string, path: string): string | null {
  if (!pattern.endsWith('*')) return path === pattern ? '' : null;
  const start = pattern.slice(0, -1);
  const rest = path.slice(start.length);
  if (!path.startsWith(start) || rest === '' || rest.includes('/')) return null;
  try {
    return decodeURIComponent(rest);
  } catch {
    return null; // not percent-encoding: no such thing here
  }
}

function json(code: number, value: object): Reply {
  return { status: code, type: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n` };
}

function healthz({ view }: Sources): Reply {
  const reasons = healthReasons(view);
  return json(reasons.length === 0 ? 200 : 503, healthBody(view, reasons));
}

function readyz({ view }: Sources): Reply {
  return json(view.ready() ? 200 : 503, { status: view.ready() ? 'ok' : 'not ready', ready: view.ready() });
}

async function scrape({ metrics }: Sources, _: string, exclude: string): Promise<Reply> {
  const body = await metrics.body({ zones: exclude !== 'zones' });
  return { status: 200, type: metrics.contentType, body };
}

function vantage({ view }: Sources): Reply {
  const source = view.vantage();
  if (source === null) return failure(404, 'not found', 'this server decides alone: its configuration has no vantage');
  return json(200, vantageJson(source, view.networks(), view.now()));
}

function network({ view }: Sources, name: string): Reply {
  const found = view.networks().find((candidate) => candidate.name === name);
  if (found === undefined) return failure(404, 'not found', `no network ${JSON.stringify(name)}`);
  return json(200, networkDetail(found, view.now()));
}

function status(view: StatusView): StatusJson {
  const { ok, stale, broken } = view.zoneStates();
  const reasons = healthReasons(view);
  return {
    ...healthBody(view, reasons),
    started_at: view.startedAt,
    networks: view.networks().map(networkSummary),
    zones: { ok, stale: stale.length, broken: broken.length },
    tls_certificate_ends: view.tlsNotAfter(),
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
