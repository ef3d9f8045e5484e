/**
 * `npm run test:mutation`: does a test fail when a rule is wrong? Judging, choosing, who may transfer, and the answer path.
 * One part: `npm run test:mutation -- --mutate 'src/health/judge/*.ts'`.
 */
export default {
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.mutation.config.ts' },
  mutate: [
    'src/health/judge/*.ts',
    'src/health/choose/*.ts',
    'src/server/transfer/access.ts',
    'src/server/answer/*.ts',
    'src/dns/decode*.ts',
    'src/zones/image/lookup.ts',
  ],
  coverageAnalysis: 'perTest',
  ignoreStatic: true,
  concurrency: 2,
  timeoutMS: 20_000,
  reporters: ['clear-text', 'progress', 'json'],
  jsonReporter: { fileName: 'coverage/mutation.json' },
  clearTextReporter: { allowColor: false, reportTests: false, logTests: false },
  tempDirName: 'coverage/stryker',
  cleanTempDir: 'always',
  plugins: ['@stryker-mutator/vitest-runner'],
};
