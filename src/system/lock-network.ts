import type { Locks } from './lock.ts';

const LOOK_MS = 20;

/**
 * Takes a network for a run, or for a server with the lock that says so. Whoever has it for a moment only (a run, a
 * change of a mode) is waited for, `waitMs` at most; a server is not. False: somebody else has it, and nothing was
 * taken.
 */
export async function lockNetwork(
  locks: Locks,
  network: string,
  kind: 'run' | 'server',
  waitMs: number,
): Promise<boolean> {
  const end = performance.now() + waitMs;
  for (;;) {
    if (tryBoth(locks, network, kind)) return true;
    if (locks.isLocked('server', network) && !locks.isWholeLocked()) return false;
    if (performance.now() >= end) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

function tryBoth(locks: Locks, network: string, kind: 'run' | 'server'): boolean {
  if (!locks.tryLock('network', network)) return false;
  if (kind === 'run' || locks.tryLock('server', network)) return true;
  locks.unlock('network', network);
  return false;
}
