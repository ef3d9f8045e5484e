/** The longest timer that Node.js has, milliseconds: a longer one would fire at once. */
export const TIMER_MAX_MS = 2 ** 31 - 1;

/**
 * The promise's outcome, or `late()` once `ms` milliseconds are over. The timer never outlives the promise; the promise
 * itself goes on, and what it rejects with after the deadline is dropped.
 */
export async function within<T, L>(ms: number, promise: Promise<T>, late: () => L): Promise<T | L> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<L>((resolve, reject) => {
    timer = setTimeout(() => {
      try {
        resolve(late());
      } catch (error) {
        reject(error);
      }
    }, ms);
  });
  promise.catch(() => undefined); // after the deadline nobody else would catch it
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}

/** The promise's outcome, or what the signal was aborted with as soon as it is; the promise itself goes on then. */
export async function orAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined); // after the signal nobody else would catch it
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** `end` is called when the work is over, or each limit would be kept as long as the parent is. */
export type Limit = { readonly signal: AbortSignal; readonly end: () => void };

/**
 * A signal that is aborted after `ms`, with `late()`, or with the parent. (`AbortSignal.any` keeps what it makes of a
 * parent that lives for long.)
 */
export function limitOf(ms: number, parent: AbortSignal, late: () => Error): Limit {
  const limit = new AbortController();
  const close = (): void => limit.abort(parent.reason);
  const timer = setTimeout(() => limit.abort(late()), ms);
  timer.unref();
  parent.addEventListener('abort', close, { once: true });
  if (parent.aborted) close();
  const end = (): void => {
    clearTimeout(timer);
    parent.removeEventListener('abort', close);
  };
  return { signal: limit.signal, end };
}
