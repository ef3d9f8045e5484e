import type { ServerConfig, TransferRule } from '../../config/types.ts';
import type { TsigKey } from '../../dns/tsig-key.ts';
import type { LiveNews } from '../../live/history.ts';
import type { Client } from '../answer/front-end.ts';

/** The room for what `respond` calls NOT_PLAIN_QUERY. `query` is the reader's own and not overwritten while it is needed. */
export type NonPlainHandler = {
  /** One packet for one packet (UDP). Length of the answer in `out`; 0: none. */
  packet(query: Uint8Array, length: number, out: Uint8Array, client: Client): number;
  /**
   * Over a stream (TCP, TLS): any number of messages, each given to `send` without its length prefix. `send` copies the
   * message before it returns, and resolves to true when the connection can take the next one, to false when it is gone
   * and work should stop.
   */
  stream(query: Uint8Array, client: Client, send: (message: Uint8Array) => Promise<boolean>): Promise<void>;
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
