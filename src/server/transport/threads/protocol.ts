import type { TlsFiles } from '../../../config/tls-files.ts';
import type { ServerConfig } from '../../../config/types.ts';
import type { Endpoint } from '../../../system/address.ts';
import type { ZoneUpdate } from '../../answer/zone-update.ts';
import type { SamplerSettings } from '../../dnstap/shared.ts';
import type { ThreadHistory, ThreadTransfer } from '../../transfer/handler-types.ts';

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
  /** For the thread that serves TLS. */
  | { readonly kind: 'tls'; readonly tls: TlsFiles }
  /** What is reported over dnstap from now on; null: nothing. */
  | { readonly kind: 'dnstap'; readonly settings: SamplerSettings | null }
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
   * Word 0 grows by one with every message to any thread: a worker that blocks in the kernel compares it between
   * batches and only then reads its port.
   */
  readonly messageCount: SharedArrayBuffer;
  readonly server: ServerConfig;
  readonly transfer: ThreadTransfer;
  /** Those for TLS come last. */
  readonly sockets: readonly ThreadSocket[];
  /** Null in threads without sockets for TLS. */
  readonly tls: TlsFiles | null;
  /** `OpenDescriptors` of the thread for TCP; null in the others, and where there are no system calls. */
  readonly descriptors: SharedArrayBuffer | null;
  /** Table of the rate limit, shared by all UDP threads; null: no limit. */
  readonly rateLimit: SharedArrayBuffer | null;
  /** As in the message of this kind. */
  readonly dnstap: SamplerSettings | null;
};

/** A thread that answers → main thread. */
export type DnsReport =
  /** Its sockets are there; nothing is read from them before 'begin'. */
  | { readonly kind: 'bound'; readonly endpoints: readonly Endpoint[] }
  | { readonly kind: 'answering' }
  /** The endpoint cannot be listened on; `code` is the system's. The thread ends. */
  | { readonly kind: 'failed'; readonly endpoint: Endpoint; readonly code: string }
  | { readonly kind: 'log'; readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly message: string }
  | { readonly kind: 'synced'; readonly id: number };
