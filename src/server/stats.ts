/**
 * Query statistics in shared memory: one row a thread, one writer a row, summed on scrape. Counters are float64, whole
 * up to 2^53; an aligned 64-bit store is one store on the machines Node runs on, so a reader never sees half of one.
 *
 * A row: `queries` per transport × type bucket, `answers` per transport × rcode, sizes of answers per transport, single
 * events, queries of no zone, then queries per network.
 */
export const TRANSPORTS: readonly string[] = ['udp4', 'udp6', 'tcp', 'tls'];
export const TYPE_BUCKETS = 264; // types 0–262, all others 263
export const RCODES = 24; // 0–23; BADVERS 16, BADCOOKIE 23
/**
 * Upper bounds of the buckets of answers' sizes, octets: multiples of `SIZE_STEP`. 512 and 1232 are the usual limits of
 * UDP; what is larger than the last has a bucket of its own.
 */
export const SIZE_BOUNDS: readonly number[] = [64, 128, 192, 256, 384, 512, 768, 1024, 1232, 2048, 4096, 16384];
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
const SIZES = ANSWERS + TRANSPORTS.length * RCODES;
/** Of a transport: its buckets, then the sum of all sizes. */
const SIZE_SLOTS = SIZE_BOUNDS.length + 2;
const EVENTS_AT = SIZES + TRANSPORTS.length * SIZE_SLOTS;
const NETWORKS = EVENTS_AT + EVENTS.length + 1;

const SIZE_STEP = 16;
/** The bucket of a size, by the size in steps, rounded up. */
const SIZE_BUCKETS = Uint8Array.from({ length: 65536 / SIZE_STEP + 1 }, (_, steps) => {
  const bucket = SIZE_BOUNDS.findIndex((bound) => steps * SIZE_STEP <= bound);
  return bucket < 0 ? SIZE_BOUNDS.length : bucket;
});

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

  /** An answer of `size` octets is sent; a frame's length is no part of it. The caller adds it up for `addOctets`. */
  countSize(transport: number, size: number): void {
    this.counters[SIZES + transport * SIZE_SLOTS + SIZE_BUCKETS[(size + SIZE_STEP - 1) >> 4]] += 1;
  }

  /** What several answers have together: added once a batch, so that an answer costs one count. */
  addOctets(transport: number, octets: number): void {
    this.counters[SIZES + (transport + 1) * SIZE_SLOTS - 1] += octets;
  }
}

/** Sums of all rows, ready to be exported. Zero rows are left out. */
export type StatsSum = {
  readonly queries: readonly { readonly transport: string; readonly type: number; readonly count: number }[];
  readonly answers: readonly { readonly transport: string; readonly rcode: number; readonly count: number }[];
  /** Of each transport, used or not. `counts`: by bucket (`SIZE_BOUNDS`). `octets`: of all answers together. */
  readonly sizes: readonly {
    readonly transport: string;
    readonly counts: readonly number[];
    readonly octets: number;
  }[];
  readonly networks: readonly number[];
  /** Queries that no zone answered: refused, or about the server itself. */
  readonly noZone: number;
  readonly events: { readonly [name in StatEvent]: number };
};

/** Before anything is answered. */
export const NO_STATS: StatsSum = {
  queries: [],
  answers: [],
  sizes: [],
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
    sizes: TRANSPORTS.map((transport, t) => {
      const slots = Array.from(sum.subarray(SIZES + t * SIZE_SLOTS, SIZES + (t + 1) * SIZE_SLOTS));
      return { transport, counts: slots.slice(0, -1), octets: slots[SIZE_SLOTS - 1] };
    }),
    networks: Array.from(sum.subarray(NETWORKS, NETWORKS + networks)),
    noZone: sum[NETWORKS + NO_ZONE],
    events: Object.fromEntries(EVENTS.map((name) => [name, sum[EVENT[name]]])) as StatsSum['events'],
  };
}
