import type { ServerConfig, TransferRule } from '../../config/types.ts';
import type { TsigKey } from '../../dns/tsig-key.ts';
import type { NewLiveVersions } from '../../live/history.ts';
import type { Client } from '../answer/front-end.ts';

/** What answers that which is no plain query: transfers, NOTIFY and signed messages. */
export type NonPlainHandler = {
  /** One packet for one packet (UDP). Length of the answer in `out`, which does not overlap `query`; 0: none. */
  packet(query: Uint8Array, length: number, out: Uint8Array, client: Client): number;
  /**
   * Over a stream (TCP, TLS): any number of messages, each given to `send` without its length prefix. `query` is not
   * changed by the caller until the promise resolves. `send` copies the message before it returns, and resolves to true
   * when the connection can take the next one, to false when it is gone and work should stop.
   */
  stream(query: Uint8Array, client: Client, send: (message: Uint8Array) => Promise<boolean>): Promise<void>;
  configure(transfer: ThreadTransfer, server: ServerConfig): void;
};

/**
 * Who may sign and transfer what. `rows`: networks' names by their row in the statistics, which is what zones carry.
 */
export type ThreadTransfer = {
  readonly keys: readonly TsigKey[];
  readonly allow: readonly TransferRule[];
  readonly rows: readonly (string | null)[];
  /** The log leaves transfers out, so that threads need not report them. */
  readonly quiet?: boolean;
};

/** Nobody may transfer anything. */
export const NO_TRANSFERS: ThreadTransfer = { keys: [], allow: [], rows: [] };

/**
 * What incremental transfers are made of. `live`: versions to be added to what is known of these slots. `steps`: all
 * that is known of these zones' contents, encoded in shared memory; they replace what was known before.
 */
export type ThreadHistory = {
  readonly live: readonly NewLiveVersions[];
  readonly steps: readonly { readonly zone: number; readonly steps: readonly Uint8Array[] }[];
};
