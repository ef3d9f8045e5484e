import { Query } from '../../dns/decode.ts';
import { type Client, TRANSPORT } from '../answer/front-end.ts';
import type { ZoneTable } from '../answer/zone-table.ts';
import {
  MESSAGE_TYPE,
  MessageEncoder,
  type MessageType,
  type Moment,
  SOCKET_PROTOCOL,
  type TapMessage,
} from './message.ts';
import { MessageLimit } from './message-limit.ts';
import { RingWriter } from './ring.ts';
import { COUNTER, countersOf, OPEN, type SamplerSettings } from './shared.ts';

/** No query of this batch is sampled. Larger than any index. */
export const NONE = 0x3fff_ffff;

/** A shorter message has no header. */
const HEADER_OCTETS = 12;
/** How far the clock of messages may be from the system's before it is set again. */
const DRIFT_MS = 2;

const NO_OCTETS = new Uint8Array(0);

/** The address and port that a query was sent to, in the form of `Client`; null: not known. */
export type Local = { readonly address: Uint8Array; readonly port: number };

export type SamplerParts = {
  readonly settings: SamplerSettings;
  /** Row of the thread in the statistics. */
  readonly row: number;
  /** For the zone that a question is in. */
  readonly zones: Pick<ZoneTable, 'answering'>;
  /** From 0 to 1, below 1. */
  readonly random?: () => number;
  readonly clock?: WallClock;
  /** Gets what reporting throws, which is a bug and must not cost the client its answer. */
  readonly onBug?: (error: unknown) => void;
};

/** What a thread's front ends have of dnstap; another sampler, or none, after a reload. */
export type Tap = { sampler: DnstapSampler | null };

/**
 * One for each thread that answers: picks one query in `sampleRate` and queues what dnstap says of it. Which one is random,
 * so that no client's rhythm escapes or fills it: gaps are from 1 to twice the rate less one.
 *
 * A front end that has queries in batches counts with `begin` and compares, one that has them one by one calls `pick`; only
 * a query that is sampled costs more than that.
 */
export class DnstapSampler {
  private readonly settings: SamplerSettings;
  private readonly zones: Pick<ZoneTable, 'answering'>;
  private readonly random: () => number;
  private readonly clock: WallClock;
  private readonly onBug: (error: unknown) => void;
  private readonly encoder: MessageEncoder;
  private readonly limit: MessageLimit;
  private readonly ring: RingWriter;
  private readonly state: Int32Array;
  private readonly counters: Float64Array;
  /** Queries to come before the next that is sampled, counted from the end of this batch. */
  private ahead: number;
  private batch = 0;
  private came = 0;
  private readonly query = new Query();
  private readonly message: TapMessage = {
    type: MESSAGE_TYPE.authQuery,
    protocol: SOCKET_PROTOCOL.udp,
    queryAddress: NO_OCTETS,
    queryPort: 0,
    responseAddress: null,
    responsePort: 0,
    queryTime: { seconds: 0, nanoseconds: 0 },
    responseTime: { seconds: 0, nanoseconds: 0 },
    zone: null,
    octets: NO_OCTETS,
    length: 0,
  };

  constructor({ settings, row, zones, random = Math.random, clock = new WallClock(), onBug = throwIt }: SamplerParts) {
    const { memory, maxPerSecond, identity, version } = settings;
    this.settings = settings;
    this.zones = zones;
    this.random = random;
    this.clock = clock;
    this.onBug = onBug;
    this.encoder = new MessageEncoder(identity, version);
    this.limit = new MessageLimit(memory.state, maxPerSecond);
    this.ring = new RingWriter(memory.rings[row]);
    this.state = new Int32Array(memory.state, 0, 2);
    this.counters = countersOf(memory, row);
    this.ahead = this.gap() - 1;
  }

  /**
   * `count` queries have come. Returns the index of the first that is sampled; the caller reports the first message that it
   * has from there on as one that came at `cameMs`, and goes on with the index that `next` returns.
   */
  begin(count: number): number {
    const at = this.ahead;
    this.batch = count;
    this.ahead = at - count;
    if (at >= count) return NONE;
    this.came = this.clock.now();
    return at;
  }

  /** Query `i` of the batch was sampled, and reported. Returns the index of the next that is. */
  next(i: number): number {
    const next = i + this.gap();
    this.ahead = next - this.batch;
    return next < this.batch ? next : NONE;
  }

  /** When the newest batch with a query that is sampled came, epoch milliseconds. */
  get cameMs(): number {
    return this.came;
  }

  /** A query has come alone. When, if it is sampled (for `report`); 0: it is not. */
  pick(): number {
    if (this.begin(1) === NONE) return 0;
    this.ahead = this.gap() - 1;
    return this.came;
  }

  private gap(): number {
    const { sampleRate } = this.settings;
    return sampleRate === 1 ? 1 : 1 + Math.floor(this.random() * (2 * sampleRate - 1));
  }

  /**
   * Reports a query that came at `cameMs`, and its response, if there is one (`responseLength` above 0). `local`: where the
   * query was sent to. Never throws.
   */
  report(
    cameMs: number,
    query: Uint8Array,
    queryLength: number,
    response: Uint8Array,
    responseLength: number,
    client: Client,
    local: Local | null,
  ): void {
    try {
      const { settings, message } = this;
      const hasResponse = settings.responses && responseLength > 0;
      const count = (settings.queries ? 1 : 0) + (hasResponse ? 1 : 0);
      if (queryLength < HEADER_OCTETS || !this.mayQueue(count, cameMs)) return;
      this.describe(cameMs, query, queryLength, client, local);
      if (settings.queries) this.put(MESSAGE_TYPE.authQuery, query, queryLength);
      if (!hasResponse) return;
      setMoment(message.responseTime, this.clock.now());
      this.put(MESSAGE_TYPE.authResponse, response, responseLength);
    } catch (error) {
      this.onBug(error);
    }
  }

  /** Whether so many messages, one or two, may be queued now; those that may not are counted. */
  private mayQueue(count: number, cameMs: number): boolean {
    const { counters } = this;
    if (count === 0) return false;
    if (this.state[OPEN] === 0) {
      counters[COUNTER.disconnected] += count;
      return false;
    }
    if (this.limit.admits(count, cameMs * 1000)) return true;
    counters[COUNTER.rate_limit] += count;
    return false;
  }

  /** What the messages of a query and its response have in common. */
  private describe(cameMs: number, query: Uint8Array, queryLength: number, client: Client, local: Local | null): void {
    const { message } = this;
    message.protocol = protocolOf(client);
    message.queryAddress = client.address;
    message.queryPort = client.port;
    message.responseAddress = local === null ? null : local.address;
    message.responsePort = local === null ? 0 : local.port;
    setMoment(message.queryTime, cameMs);
    this.query.decode(query, queryLength);
    const named = this.query.questionEnd > HEADER_OCTETS;
    message.zone = named ? (this.zones.answering(this.query.name, this.query.type)?.origin ?? null) : null;
  }

  private put(type: MessageType, octets: Uint8Array, length: number): void {
    const { message, encoder, ring } = this;
    message.type = type;
    message.octets = octets;
    message.length = length;
    const at = ring.reserve(encoder.size(message));
    if (at < 0) {
      this.counters[COUNTER.queue_full] += 1;
      return;
    }
    encoder.write(ring.data, at, message);
    ring.commit();
  }
}

function protocolOf({ transport }: Client): TapMessage['protocol'] {
  if (transport === TRANSPORT.tcp) return SOCKET_PROTOCOL.tcp;
  return transport === TRANSPORT.tls ? SOCKET_PROTOCOL.dot : SOCKET_PROTOCOL.udp;
}

function setMoment(moment: Moment, ms: number): void {
  moment.seconds = Math.floor(ms / 1000);
  moment.nanoseconds = Math.floor((ms - 1000 * moment.seconds) * 1e6);
}

function throwIt(error: unknown): never {
  throw error;
}

/** The system's clock, with the microseconds that `Date.now` has not. */
export class WallClock {
  private offset = Number.NaN;

  /** Epoch milliseconds with a fraction, within two of the system's clock. */
  now(): number {
    const steady = performance.now();
    const wall = Date.now();
    // Also true of NaN, at the first time.
    if (!(Math.abs(steady + this.offset - wall) <= DRIFT_MS)) this.offset = wall - steady;
    return steady + this.offset;
  }
}
