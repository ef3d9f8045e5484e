import type { Endpoint, ServerConfig, TransferRule, TsigKey } from '../config/types.ts';
import type { ZoneUpdate } from '../zones/zone-update.ts';
import type { LiveNews } from './live-history.ts';
import type { PacketRoom } from './packet-room.ts';
import type { TlsFiles } from './tls-files.ts';

/** Numbers for the statistics and for what an answer may do. */
export const TRANSPORT = { udp4: 0, udp6: 1, tcp: 2, tls: 3 } as const;

/** Who asked. One object a socket or batch place, filled anew for each query: the query path allocates nothing. */
export type Client = {
  transport: number; // of TRANSPORT
  /** 16 octets; an IPv4 client is written ::ffff:a.b.c.d. */
  readonly address: Uint8Array;
  port: number;
  /** Over TLS: whether the connection may carry transfers (RFC 9103 §7). */
  carriesTransfers?: boolean;
};

/**
 * What a front end needs of the responder. After `respond` the `last…` fields tell what was answered; they are numbers
 * and flags, so that nothing is allocated.
 */
export type Answerer = {
  /** Length of the answer in `out`; 0: no reply; SPECIAL: ask the `SpecialHandler`. */
  respond(query: Uint8Array, length: number, out: Uint8Array, client: Client): number;
  /** A first look at the first `count` queries of a UDP front end, before `respondIn` is asked to answer them. */
  look(packets: PacketRoom, count: number): void;
  /** The same as `respond` for query `i`, into answer `k`; answers that come again may be kept. */
  respondIn(packets: PacketRoom, i: number, k: number, client: Client): number;
  apply(updates: readonly ZoneUpdate[]): void;
  configure(server: ServerConfig): void;
  /** Of KIND. */
  readonly lastKind: number;
  /** A hash of the name that answers of this kind have in common. */
  readonly lastHash: number;
  /** The query carried a server cookie of ours, so its source address is not forged. */
  readonly lastHadGoodCookie: boolean;
};

/** The room for what `respond` calls SPECIAL. `query` is the reader's own and not overwritten while it is needed. */
export type SpecialHandler = {
  /** One packet for one packet (UDP). Length of the answer in `out`; 0: none. */
  packet(query: Uint8Array, length: number, out: Uint8Array, client: Client): number;
  /**
   * Over a stream (TCP, TLS): any number of messages, each given to `send` without its length prefix. `send` copies the
   * message before it returns, and resolves to true when the connection can take the next one, to false when it is gone
   * and work should stop.
   */
  stream(query: Uint8Array, client: Client, send: (message: Uint8Array) => Promise<boolean>): Promise<void>;
  apply(updates: readonly ZoneUpdate[]): void;
  configure(transfer: ThreadTransfer, server: ServerConfig): void;
};

/** Who may sign and transfer what. `rows`: networks' names by their row in the statistics, which is what zones carry. */
export type ThreadTransfer = {
  readonly keys: readonly TsigKey[];
  readonly allow: readonly TransferRule[];
  readonly rows: readonly (string | null)[];
  /** Whether nobody reads of transfers (the log leaves them out), so that threads need not tell. */
  readonly quiet?: boolean;
};

/** Nobody, nothing. */
export const NO_TRANSFERS: ThreadTransfer = { keys: [], allow: [], rows: [] };

/**
 * What incremental transfers are made of. `live`: versions to be added to what is known of these slots. `steps`: all that
 * is known of these zones' contents, encoded in shared memory; they replace what was told before.
 */
export type ThreadHistory = {
  readonly live: readonly LiveNews[];
  readonly steps: readonly { readonly zone: number; readonly steps: readonly Uint8Array[] }[];
};

/** Main thread → a thread that answers. */
export type DnsMessage =
  | { readonly kind: 'history'; readonly history: ThreadHistory }
  | { readonly kind: 'zones'; readonly updates: readonly ZoneUpdate[] }
  | {
      readonly kind: 'settings';
      readonly server: ServerConfig;
      readonly transfer: ThreadTransfer;
      readonly rateLimit: SharedArrayBuffer | null;
    }
  /** For the thread with the door for TLS alone. */
  | { readonly kind: 'tls'; readonly tls: TlsFiles }
  /** Answer from now on; until then a thread takes over zones only. */
  | { readonly kind: 'begin' }
  /** Asks for a 'synced' report once everything sent before is in force. */
  | { readonly kind: 'sync'; readonly id: number }
  | { readonly kind: 'stop' };

/** One socket of a thread. `fd` null: the thread binds it itself, because the main thread has no system calls. */
export type ThreadSocket = { readonly endpoint: Endpoint; readonly fd: number | null; readonly tls: boolean };

/** `workerData` of every thread that answers. */
export type DnsThreadData = {
  readonly name: string;
  readonly slots: SharedArrayBuffer;
  readonly stats: SharedArrayBuffer;
  /** Rows for networks in `stats` (capacity, fixed at start). */
  readonly networks: number;
  /** Row of `stats` this thread alone writes. */
  readonly statsRow: number;
  /**
   * Word 0 grows by one with every message to any thread: a worker that blocks in the kernel compares it between batches
   * and only then reads its port.
   */
  readonly news: SharedArrayBuffer;
  readonly server: ServerConfig;
  readonly transfer: ThreadTransfer;
  /** Those for TLS come last. */
  readonly sockets: readonly ThreadSocket[];
  /** Null in threads without sockets for TLS. */
  readonly tls: TlsFiles | null;
  /** Table of the rate limit, shared by all UDP threads; null: no limit. */
  readonly rateLimit: SharedArrayBuffer | null;
};

/** A thread that answers → main thread. */
export type DnsReport =
  | { readonly kind: 'listening'; readonly name: string; readonly endpoints: readonly Endpoint[] }
  | {
      readonly kind: 'failed';
      readonly name: string;
      readonly endpoint: Endpoint;
      readonly code: string;
      readonly message: string;
    }
  | { readonly kind: 'log'; readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly message: string }
  | { readonly kind: 'synced'; readonly name: string; readonly id: number }
  | { readonly kind: 'stopped'; readonly name: string };
