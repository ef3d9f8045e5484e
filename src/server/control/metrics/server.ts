import { REFUSALS } from '../http/refusals.ts';
import { healthReasons } from '../views/healthz.ts';
import type { SecondaryView, StatusView } from '../views/views.ts';
import { inCode } from './description.ts';
import { counter, type Family, gauge } from './metric-family.ts';

/** The server as a whole, its zones, its prober and the secondaries. */
export function addServerMetrics(families: Family[], view: StatusView): void {
  gauge(families, {
    name: 'build_info',
    help: 'Always 1; the label says which version runs',
    labels: ['version'],
    series: { product: [] },
    collect: (put) => put({ version: view.version }, 1),
  });
  gauge(families, {
    name: 'ready',
    help: 'Whether DNS queries are answered',
    labels: [],
    series: { product: [] },
    collect: (put) => put({}, view.ready()),
  });
  gauge(families, {
    name: 'healthy',
    help: 'Whether /healthz answers 200',
    labels: [],
    series: { product: [] },
    collect: (put) => put({}, healthReasons(view).length === 0),
  });
  gauge(families, {
    name: 'part_faults',
    help: 'Problems that a part of the server has now; /healthz describes each in a sentence',
    labels: ['part'],
    series: { product: ['networks'], plus: 30 },
    collect: (put) => {
      const counts = new Map<string, number>();
      for (const { part } of view.partFaults()) counts.set(part, (counts.get(part) ?? 0) + 1);
      for (const [part, count] of counts) put({ part }, count);
    },
  });
  counter(families, {
    name: 'contained_errors_total',
    help: 'Unexpected errors (bugs) that were caught and logged while the server went on, by part of the server',
    labels: ['part'],
    series: { product: ['networks'], plus: 30 },
    collect: (put) => {
      const served = new Set(view.networks().map(({ name }) => `network ${name}`));
      const counts = new Map<string, number>();
      for (const { part, count } of view.contained()) {
        // A network that is gone leaves no series of its own.
        const label = part.startsWith('network ') && !served.has(part) ? 'network' : part;
        counts.set(label, count + (counts.get(label) ?? 0));
      }
      for (const [part, count] of counts) put({ part }, count);
    },
  });
  counter(families, {
    name: 'http_refused_total',
    help: 'HTTP requests that were refused for what they are or who sends them',
    labels: ['reason'],
    values: { reason: inCode(REFUSALS) },
    series: { product: [REFUSALS.length] },
    collect: (put) => {
      for (const [reason, count] of view.httpRefused()) put({ reason }, count);
    },
  });
  gauge(families, {
    name: 'zones',
    help: 'Zones by state; stale: the last good version is served, broken: there is none',
    labels: ['state'],
    values: { state: '`ok`, `stale`, `broken`' },
    series: { product: [3] },
    collect: (put) => {
      const count = { ok: 0, stale: 0, broken: 0 };
      for (const { state } of view.zones()) count[state]++;
      for (const state of ['ok', 'stale', 'broken'] as const) put({ state }, count[state]);
    },
  });
  gauge(families, {
    name: 'zone_serial',
    help: 'SOA serial that is answered for the zone',
    labels: ['zone'],
    series: { product: ['zones'] },
    perZone: true,
    collect: (put) => {
      for (const { name, state, serial } of view.zones()) if (state !== 'broken') put({ zone: name }, serial);
    },
  });
  gauge(families, {
    name: 'zone_records',
    help: 'Records of the zone that are served, those of the live set not counted',
    labels: ['zone'],
    series: { product: ['zones'] },
    perZone: true,
    collect: (put) => {
      for (const { name, state, records } of view.zones()) if (state !== 'broken') put({ zone: name }, records);
    },
  });
  gauge(families, {
    name: 'zone_load_timestamp_seconds',
    help: 'When the version of the zone that is served was loaded',
    labels: ['zone'],
    series: { product: ['zones'] },
    perZone: true,
    collect: (put) => {
      for (const { name, state, loadedAt } of view.zones()) if (state !== 'broken') put({ zone: name }, loadedAt);
    },
  });
  gauge(families, {
    name: 'zones_load_duration_seconds',
    help: 'How long it took to look at all zones and to load what had changed, at the start or at the last reload',
    labels: [],
    series: { product: [] },
    collect: (put) => put({}, view.zonesLoad()?.seconds),
  });
  gauge(families, {
    name: 'zones_load_timestamp_seconds',
    help: 'When all zones were looked at last: at the start, or at the last reload',
    labels: [],
    series: { product: [] },
    collect: (put) => put({}, view.zonesLoad()?.at),
  });
  gauge(families, {
    name: 'zone_signatures_expiry_timestamp_seconds',
    help: 'When the first signature of a zone that was signed elsewhere ends, seconds since 1970',
    labels: ['zone'],
    series: { product: ['zones'] },
    perZone: true,
    collect: (put) => {
      for (const { name, signaturesEnd } of view.zones())
        if (signaturesEnd !== null) put({ zone: name }, signaturesEnd);
    },
  });
  gauge(families, {
    name: 'tls_certificate_expiry_timestamp_seconds',
    help: 'When the first of the certificates for DNS over TLS and HTTP ends, seconds since 1970',
    labels: [],
    series: { product: [] },
    collect: (put) => put({}, view.tlsNotAfter()),
  });
  gauge(families, {
    name: 'prober_up',
    help: 'Whether the thread that fetches from the edges runs',
    labels: [],
    series: { product: [] },
    collect: (put) => put({}, view.prober().alive),
  });
  counter(families, {
    name: 'prober_troubles_total',
    help: 'How often the thread that fetches from the edges died, hung or met a problem, and was replaced',
    labels: [],
    series: { product: [] },
    collect: (put) => put({}, view.prober().troubles),
  });
  gauge(families, {
    name: 'prober_loop_delay_seconds',
    help: 'Largest event-loop delay of the prober thread in its last round; it makes fetch times look longer',
    labels: [],
    series: { product: [] },
    collect: (put) => put({}, view.prober().loopDelaySeconds),
  });
  counter(families, {
    name: 'notify_total',
    help: 'NOTIFY by result, retries not counted; unsent: the system refused to send any of them',
    labels: ['result'],
    values: { result: '`acknowledged`, `refused`, `unanswered`, `unsent`' },
    series: { product: [4] },
    collect: (put) => {
      const { pending: _, ...results } = view.notify();
      for (const [result, count] of Object.entries(results)) put({ result }, count);
    },
  });
  gauge(families, {
    name: 'notify_pending',
    help: 'NOTIFY that wait to be sent or for an answer',
    labels: [],
    series: { product: [] },
    collect: (put) => put({}, view.notify().pending),
  });
  gauge(families, {
    name: 'secondary_zones',
    help: 'Zones by how the secondary has them; ahead: it takes no change from here, unknown: it has not answered yet',
    labels: ['secondary', 'state'],
    values: { state: '`current`, `behind`, `ahead`, `unknown`' },
    series: { product: ['secondaries', 4] },
    collect: (put) => {
      const counts = new Map<string, Record<SecondaryView['state'], number>>();
      for (const { secondary, state } of secondariesOnce(view)) {
        const count = counts.get(secondary) ?? { current: 0, behind: 0, ahead: 0, unknown: 0 };
        counts.set(secondary, count);
        count[state]++;
      }
      for (const [secondary, count] of counts) {
        for (const state of ['current', 'behind', 'ahead', 'unknown'] as const) put({ secondary, state }, count[state]);
      }
    },
  });
  gauge(families, {
    name: 'secondary_lag_seconds',
    help: 'How long the secondary has not had the serial that is answered here; 0: it has it',
    labels: ['secondary', 'zone'],
    series: { product: ['zone secondaries'] },
    perZone: true,
    collect: (put) => {
      for (const { secondary, zone, lagSeconds } of secondariesOnce(view)) put({ secondary, zone }, lagSeconds);
    },
  });
  gauge(families, {
    name: 'secondary_serial',
    help: 'SOA serial that the secondary answered last',
    labels: ['secondary', 'zone'],
    series: { product: ['zone secondaries'] },
    perZone: true,
    collect: (put) => {
      for (const { secondary, zone, serial } of secondariesOnce(view)) put({ secondary, zone }, serial);
    },
  });
  gauge(families, {
    name: 'secondary_up',
    help: 'Whether the secondary answered when it was last asked for its serial',
    labels: ['secondary', 'zone'],
    series: { product: ['zone secondaries'] },
    perZone: true,
    collect: (put) => {
      for (const { secondary, zone, error, checkedAt } of secondariesOnce(view)) {
        if (checkedAt !== null) put({ secondary, zone }, error === null);
      }
    },
  });
}

/** A secondary may be configured twice for the same zone; the same labels twice would spoil the whole scrape. */
function secondariesOnce(view: StatusView): readonly SecondaryView[] {
  const seen = new Map<string, Set<string>>();
  return view.secondaries().filter(({ secondary, zone }) => {
    const zones = seen.get(secondary) ?? new Set();
    seen.set(secondary, zones);
    const first = !zones.has(zone);
    zones.add(zone);
    return first;
  });
}
