/** How a try ends that has no outcome of its own: its deadline passed, or its result is not wanted any more. */
export type Ending = 'expired' | 'cancelled';

/**
 * Runs one try. `begin` starts it and gets `end`, to be called with the outcome (the first call counts); it returns
 * what closes its sockets, timers and programs, which is called once, whatever the outcome. `deadline`: of
 * `performance.now()`.
 */
export function outcome<Outcome>(
  deadline: number,
  signal: AbortSignal,
  begin: (end: (outcome: Outcome) => void) => () => void,
): Promise<Outcome | Ending> {
  return new Promise((resolve, reject) => {
    let close: (() => void) | null = null;
    let isOver = false;
    let expiry: NodeJS.Immediate | undefined;
    const release = (): void => {
      isOver = true;
      clearTimeout(timer);
      clearImmediate(expiry);
      signal.removeEventListener('abort', cancel);
      close?.();
    };
    const end = (result: Outcome | Ending): void => {
      if (isOver) return;
      release();
      resolve(result);
    };
    const cancel = (): void => end('cancelled');
    // After a stall of our own loop timers come before sockets; an answer that arrived in time still counts.
    const expire = (): void => {
      expiry = setImmediate(() => end('expired'));
    };
    const timer = setTimeout(expire, Math.max(0, deadline - performance.now()));
    signal.addEventListener('abort', cancel);
    if (signal.aborted) {
      cancel();
      return;
    }
    try {
      const opened = begin(end);
      if (isOver) opened();
      else close = opened;
    } catch (error) {
      if (!isOver) release();
      reject(error instanceof Error ? error : new Error(String(error)));
    }
  });
}
