/**
 * Query statistics in shared memory: one row a thread, one writer a row, summed on scrape. Counters are float64, whole
 * up to 2^53; an aligned 64-bit store is one store on the machines Node runs on, so a reader never sees half of one.
 *
 * A row: `queries` per transport × type bucket, `answers` per transport × rcode, single events, queries of no zone,
 * then queries per network.
 */
export const TRANSPORTS: readonly string[] = ['udp4', 'udp6', 'tcp', 'tls'];
export const TYPE_BUCKETS = 264; // types 0–262, all others 263
export const RCODES = 24; // 0–23; BADVERS 16, BADCOOKIE 23
export const EVENTS = [
  'dropped', // garbage and responses: no reply
  'truncated',
  'rate_limited', // dropped by the rate limit
  'rate_slipped', // sent truncated instead
  'cookie_good',
  'cookie_bad',
  'edns',
  'send_failed',
  'tcp_connections',
  'tcp_refused', // connections over a limit, TLS included
  'tcp_evicted', // idle connections closed to make room for others, TLS included
  'tls_handshakes',
  'tls_failed', // connections that ended or were ended before the handshake did
] as const;
export type StatEvent = (typeof EVENTS)[number];

const QUERIES = 0;
const ANSWERS = QUERIES + TRANSPORTS.length * TYPE_BUCKETS;
const EVENTS_AT = ANSWERS + TRANSPORTS.length * RCODES;
const NETWORKS = EVENTS_AT + EVENTS.length + 1;

/** The "network" of a query that no zone of ours answers; its counter comes before those of the networks. */
export const NO_ZONE = -1;

export const EVENT: { readonly [name in StatEvent]: number } = Object.fromEntries(
  EVENTS.map((name, i) => [name, EVENTS_AT + i]),
) as { [name in StatEvent]: number };

export class Stats {
  readonly shared: SharedArrayBuffer;
  readonly networks: number;
  readonly rowLength: number;
  /** The row's counters; `counters[EVENT.dropped] += 1` is the way to count. */
  readonly counters: Float64Array;

  private constructor(shared: SharedArrayBuffer, networks: number, row: number) {
    this.shared = shared;
    this.networks = networks;
    this.rowLength = NETWORKS + networks;
    this.counters = new Float64Array(shared, 8 * row * this.rowLength, this.rowLength);
  }

  static create(rows: number, networks: number): SharedArrayBuffer {
    return new SharedArrayBuffer(8 * rows * (NETWORKS + networks));
  }

  /** The row of one thread. `networks` is the number given to `create`. */
  static attach(shared: SharedArrayBuffer, networks: number, row: number): Stats {
    return new Stats(shared, networks, row);
  }

  /** `network`: a zone's row, or `NO_ZONE`. */
  countQuery(transport: number, type: number, network: number): void {
    this.counters[QUERIES + transport * TYPE_BUCKETS + Math.min(type, TYPE_BUCKETS - 1)] += 1;
    this.counters[NETWORKS + network] += 1;
  }

  countAnswer(transport: number, rcode: number): void {
    this.counters[ANSWERS + transport * RCODES + (rcode < RCODES ? rcode : RCODES - 1)] += 1;
  }
}

/** Sums of all rows, ready to be exported. Zero rows are left out. */
export type StatsSum = {
  readonly queries: readonly { readonly transport: string; readonly type: number; readonly count: number }[];
  readonly answers: readonly { readonly transport: string; readonly rcode: number; readonly count: number }[];
  readonly networks: readonly number[];
  /** Queries that no zone answered: refused, or about the server itself. */
  readonly noZone: number;
  readonly events: { readonly [name in StatEvent]: number };
};

/** Before anything is answered. */
export const NO_STATS: StatsSum = {
  queries: [],
  answers: [],
  networks: [],
  noZone: 0,
  events: Object.fromEntries(EVENTS.map((name) => [name, 0])) as StatsSum['events'],
};

/** Sets a network's counters to 0, in the rows of all threads. */
export function clearNetwork(shared: SharedArrayBuffer, networks: number, network: number): void {
  const all = new Float64Array(shared);
  for (let at = NETWORKS + network; at < all.length; at += NETWORKS + networks) all[at] = 0;
}

export function sumStats(shared: SharedArrayBuffer, networks: number): StatsSum {
  const length = NETWORKS + networks;
  const all = new Float64Array(shared);
  const sum = new Float64Array(length);
  for (let i = 0; i < all.length; i++) sum[i % length] += all[i];
  const rows = <T>(start: number, width: number, make: (transport: string, key: number, count: number) => T): T[] =>
    TRANSPORTS.flatMap((transport, t) =>
      Array.from(sum.subarray(start + t * width, start + (t + 1) * width), (count, key) => ({ key, count }))
        .filter(({ count }) => count > 0)
        .map(({ key, count }) => make(transport, key, count)),
    );
  return {
    queries: rows(QUERIES, TYPE_BUCKETS, (transport, type, count) => ({ transport, type, count })),
    answers: rows(ANSWERS, RCODES, (transport, rcode, count) => ({ transport, rcode, count })),
    networks: Array.from(sum.subarray(NETWORKS, NETWORKS + networks)),
    noZone: sum[NETWORKS + NO_ZONE],
    events: Object.fromEntries(EVENTS.map((name) => [name, sum[EVENT[name]]])) as StatsSum['events'],
  };
}
