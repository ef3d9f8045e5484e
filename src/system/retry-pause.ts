export type RetryPauses = { readonly firstMs: number; readonly maxMs: number };

/**
 * Milliseconds to wait before an attempt that follows `failures` (at least 1) failed ones: it doubles up to the maximum,
 * and of that a random part between a half and all, so that those who failed together do not come back together.
 */
export function retryPauseMs(failures: number, { firstMs, maxMs }: RetryPauses, random = Math.random()): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30)) * (0.5 + random / 2);
}
