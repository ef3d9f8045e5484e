import { defineConfig } from 'vitest/config';

/** The tests that run what is mutated within the process; those of whole processes would run yesterday's build. */
export default defineConfig({
  test: {
    include: [
      'test/health/{judge,choose,explain}/**/*.test.ts',
      'test/health/pools/network-rounds.test.ts',
      'test/server/{answer,transfer}/**/*.test.ts',
      'test/protocol/**/*.test.ts',
    ],
    exclude: [
      'test/**/*{-peer,-peers}.test.ts',
      'test/health/explain/explain-command.test.ts',
      'test/server/answer/respond-flips.test.ts',
      // Counts collections of the heap, which instrumented code changes.
      'test/server/answer/respond-heap.test.ts',
    ],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
  },
});
