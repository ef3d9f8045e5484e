import type { ServerConfig } from '../config/types.ts';
import type { LiveSlots } from '../zones/live-slots.ts';
import type { Answerer, SpecialHandler, ThreadTransfer } from './dns-thread.ts';
import { Responder } from './respond.ts';
import { refusals } from './respond-special.ts';
import type { Stats } from './stats.ts';

export type AnswererParts = {
  readonly slots: LiveSlots;
  readonly stats: Stats;
  readonly server: ServerConfig;
  readonly transfer: ThreadTransfer;
};

/** The one place where an answering thread gets its responder and its room for special messages. */
export function makeAnswerer(parts: AnswererParts): { readonly responder: Answerer; readonly special: SpecialHandler } {
  const responder = new Responder(parts);
  return { responder, special: refusals };
}
