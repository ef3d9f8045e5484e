import { configDefaults, defineConfig } from 'vitest/config';

/** Tests against other programs (BIND, NSD, Knot, PowerDNS, gdnsd, dig, promtool) and of whole processes of ours. */
const PEERS = [
  'test/{integration,secondaries,nagios,differential,packaging}/**/*.test.ts',
  'test/**/*{-peer,-peers,-process}.test.ts',
  'test/cli/{command-line,export,mode,query,run}.test.ts',
  'test/health/explain/explain-command.test.ts',
  'test/system/{drop-privileges,lock}.test.ts',
];

export default defineConfig({
  test: {
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
    globalSetup: ['test/support/global-setup.ts'],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'html', 'json-summary'],
    },
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: [...configDefaults.exclude, ...PEERS] },
      },
      { extends: true, test: { name: 'peers', include: PEERS } },
    ],
  },
});
