import type { ServerConfig, TsigKey } from '../config/types.ts';
import type { ZoneUpdate } from '../zones/zone-update.ts';

/** Numbers for the statistics and for what an answer may do. */
export const TRANSPORT = { udp4: 0, udp6: 1, tcp: 2, tls: 3 } as const;

/** Who asked. One object a socket or batch place, filled anew for each query: the query path allocates nothing. */
export type Client = {
  transport: number; // of TRANSPORT
  /** 16 octets; an IPv4 client is written ::ffff:a.b.c.d. */
  readonly address: Uint8Array;
  port: number;
};

/** Main thread → a thread that answers. */
export type DnsMessage =
  | { readonly kind: 'zones'; readonly updates: readonly ZoneUpdate[] }
  | { readonly kind: 'settings'; readonly server: ServerConfig; readonly keys: readonly TsigKey[] }
  | { readonly kind: 'stop' };

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
  readonly keys: readonly TsigKey[];
};

/** A thread that answers → main thread. */
export type DnsReport =
  | { readonly kind: 'listening'; readonly name: string; readonly endpoints: readonly string[] }
  | {
      readonly kind: 'failed';
      readonly name: string;
      readonly endpoint: string;
      readonly code: string;
      readonly message: string;
    }
  | { readonly kind: 'log'; readonly level: 'info' | 'warn' | 'error'; readonly message: string }
  | { readonly kind: 'stopped'; readonly name: string };
