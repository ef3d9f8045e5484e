import type { Message } from '../event.ts';
import type { SendFailure } from '../gather.ts';

/** What became of one attempt. `reason`: a sentence without final stop and without a secret. */
export type Sent = { readonly ok: true } | NotSent;
type NotSent = SendFailure & {
  readonly ok: false;
  readonly reason: string;
  /** True: no octet of it left, since there was no connection. */
  readonly isUnsent?: boolean;
};

/** One target: brings a message there, once. */
export type NoticeTarget = {
  /** Ends soon after the signal. Never rejects. */
  readonly send: (message: Message, signal: AbortSignal) => Promise<Sent>;
  /** Ends kept connections. */
  readonly close: () => Promise<void>;
};

export function notSent(reason: string, more: Partial<SendFailure> = {}): NotSent {
  return { ok: false, reason, isRefused: false, retryAfterMs: null, ...more };
}
