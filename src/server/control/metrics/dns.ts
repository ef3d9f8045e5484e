import { RCODE_NAMES } from '../../../dns/rcode-name.ts';
import { typeName } from '../../../dns/type-name.ts';
import { DROP_REASONS } from '../../dnstap/shared.ts';
import { EVENTS, SIZE_BOUNDS, TRANSPORTS, TYPE_BUCKETS } from '../../stats.ts';
import type { StatusView } from '../views/views.ts';
import { inCode } from './description.ts';
import { counter, type Family, histogram } from './metric-family.ts';

/** Types that are counted under a name of their own: mnemonics of types up to 262, CAA and AMTRELAY among them. */
const TYPE_NAMES = new Set(Array.from({ length: TYPE_BUCKETS }, (_, type) => typeLabel(type)));

const RCODE_LABELS: readonly string[] = [...RCODE_NAMES.values(), 'other'];

/** What the answering threads counted. */
export function addDnsMetrics(families: Family[], view: StatusView): void {
  counter(families, {
    name: 'dns_queries_total',
    help: 'Queries by transport and type; types that are rare or unknown are one: other',
    labels: ['transport', 'type'],
    values: { type: 'the mnemonic of a type up to 262, else `other`' },
    series: { product: [TRANSPORTS.length, TYPE_NAMES.size] },
    collect: (put) => {
      const rows = view.stats().queries.map((row) => ({ ...row, label: typeLabel(row.type) }));
      for (const { transport, label, count } of addedUp(rows)) put({ transport, type: label }, count);
    },
  });
  counter(families, {
    name: 'dns_answers_total',
    help: 'Answers by transport and response code',
    labels: ['transport', 'rcode'],
    values: { rcode: inCode(RCODE_LABELS) },
    series: { product: [TRANSPORTS.length, RCODE_LABELS.length] },
    collect: (put) => {
      const none = TRANSPORTS.flatMap((transport) => RCODE_LABELS.map((label) => ({ transport, label, count: 0 })));
      const rows = view.stats().answers.map((row) => ({ ...row, label: RCODE_NAMES.get(row.rcode) ?? 'other' }));
      for (const { transport, label, count } of addedUp([...none, ...rows])) put({ transport, rcode: label }, count);
    },
  });
  histogram(families, {
    name: 'dns_response_size_bytes',
    help: 'Sizes of the answers that were sent, transfers message by message, without the frame of TCP',
    labels: ['transport'],
    series: { product: [TRANSPORTS.length] },
    buckets: SIZE_BOUNDS,
    collect: (put) => {
      for (const { transport, counts, octets } of view.stats().sizes) put({ transport }, { counts, sum: octets });
    },
  });
  counter(families, {
    name: 'dns_network_queries_total',
    help: 'Queries by the network whose zone they were for; static: zones of no network, none: no zone of ours',
    labels: ['network'],
    values: { network: 'a network; `static`: zones of no network, `none`: no zone of ours' },
    series: { product: ['networks'], plus: 2 },
    collect: (put) => {
      const names = view.statsNetworks();
      const sums = new Map<string, number>();
      const { networks, noZone } = view.stats();
      sums.set('none', noZone);
      for (const [row, count] of networks.entries()) {
        const network = names[row] ?? null;
        // A network may be called as another row is labelled; the same labels twice would spoil the whole scrape.
        if (network !== null) sums.set(network, count + (sums.get(network) ?? 0));
      }
      for (const [network, count] of sums) put({ network }, count);
    },
  });
  counter(families, {
    name: 'dns_events_total',
    help: 'DNS events: queries and connections dropped, truncated, rate limited, cookies, EDNS, send failures',
    labels: ['event'],
    values: { event: inCode(EVENTS) },
    series: { product: [EVENTS.length] },
    collect: (put) => {
      const { events } = view.stats();
      for (const event of EVENTS) put({ event }, events[event]);
    },
  });
  counter(families, {
    name: 'dnstap_messages_total',
    help: 'Messages of dnstap that were handed to the receiver or written to the file; no sample where it was never on',
    labels: [],
    series: { product: [1] },
    collect: (put) => put({}, view.dnstap()?.sent),
  });
  counter(families, {
    name: 'dnstap_dropped_total',
    help: 'Messages of dnstap that were sampled and not sent: over max_per_second, read too slowly, or nobody took them',
    labels: ['reason'],
    values: { reason: inCode(DROP_REASONS) },
    series: { product: [DROP_REASONS.length] },
    collect: (put) => {
      const counts = view.dnstap();
      if (counts !== null) for (const reason of DROP_REASONS) put({ reason }, counts.dropped[reason]);
    },
  });
}

/** Types without a name of their own would let clients choose the labels. */
function typeLabel(type: number): string {
  const name = typeName(type);
  return type >= TYPE_BUCKETS - 1 || name.startsWith('TYPE') ? 'other' : name;
}

type Row = { readonly transport: string; readonly label: string; readonly count: number };

/** One row per transport and label: several types or codes share `other`. */
function addedUp(rows: readonly Row[]): readonly Row[] {
  const sums = new Map<string, Row>();
  for (const { transport, label, count } of rows) {
    const key = `${transport} ${label}`;
    sums.set(key, { transport, label, count: count + (sums.get(key)?.count ?? 0) });
  }
  return [...sums.values()];
}
