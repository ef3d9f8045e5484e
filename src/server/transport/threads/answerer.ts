import type { ServerConfig } from '../../../config/types.ts';
import type { LiveSlots } from '../../../live/slots.ts';
import { Responder } from '../../answer/respond.ts';
import type { Stats } from '../../stats.ts';
import type { NonPlainHandler, ThreadTransfer } from '../../transfer/handler-types.ts';
import { TransferHistory } from '../../transfer/history.ts';
import { TransferHandler } from '../../transfer/transfer-handler.ts';

export type AnswererParts = {
  readonly slots: LiveSlots;
  readonly stats: Stats;
  readonly server: ServerConfig;
  readonly transfer: ThreadTransfer;
  /** Takes in what the main thread has sent so far. */
  readonly catchUp: () => void;
  /** Called for each transfer. */
  readonly log?: (message: string) => void;
};

/** The one place where an answering thread gets its responder and its handler of what is no plain query. */
export function makeAnswerer(parts: AnswererParts): {
  readonly responder: Responder;
  readonly nonPlain: NonPlainHandler;
  readonly history: TransferHistory;
} {
  const responder = new Responder(parts);
  const { slots, stats, server, transfer, catchUp, log = () => {} } = parts;
  const now = (): number => Date.now() / 1000;
  const history = new TransferHistory();
  const nonPlain = new TransferHandler({ responder, slots, stats, transfer, history, server, catchUp, now, log });
  return { responder, nonPlain, history };
}
