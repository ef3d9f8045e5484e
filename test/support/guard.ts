import { Guard } from '../../src/system/guard.ts';

/** A guard that fails the test in which something was thrown. */
export function throwingGuard(): Guard {
  return new Guard({
    report: (_, text) => {
      queueMicrotask(() => {
        throw new Error(text);
      });
    },
    now: () => Date.now() / 1000,
  });
}
