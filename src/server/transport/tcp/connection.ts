/** Limits in milliseconds. `idle`: nothing asked; `message`: a message begun by either side and not finished. */
export type StreamTimeouts = { readonly idle: number; readonly message: number };

/** One open connection, as far as the limits are concerned. */
export type Connection = {
  /** Whether nothing is being answered, not even if half a message has come: it may be closed to make room. */
  readonly isIdle: boolean;
  /** Whether one of the timeouts has passed. */
  isOverdue(nowMs: number, timeouts: StreamTimeouts): boolean;
  /** Ends it at once. */
  close(): void;
  /** Sends what is ready, then ends it. */
  finish(): void;
};
