import { join } from 'node:path';
import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * These take half a minute and more, the longest first: one that began last would be alone at the end. Without times of an
 * earlier run vitest begins with the largest files, which says little.
 */
const LONG = [
  'chaos/chaos-process',
  'integration/serve-network',
  'publish/providers/rfc2136-peers',
  'integration/serve-trouble',
  'chaos/secondaries-peers',
  'integration/demo-vantages',
  'server/control/page/status-page-peer',
  'secondaries/powerdns',
  'secondaries/bind',
  'secondaries/knot',
  'cli/goavail-live-process',
  'secondaries/nsd',
  'integration/reload-parts',
  'integration/serve-hanging',
  'cli/run-notices-process',
  'integration/serve-faults',
  'integration/demo',
  'integration/run-and-serve-serials',
  'cli/run',
  'integration/edge-manage-crash',
  'integration/serve-vantage',
  'zones/store/settle',
  'secondaries/watch',
  'integration/serve-blocked-prober',
  'docs/quick-start-process',
  'integration/serve-notices',
  'integration/dnstap-peers',
  'packaging/npm',
].map((name) => join(import.meta.dirname, 'test', `${name}.test.ts`));

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const place = ({ moduleId }: TestSpecification): number => LONG.indexOf(moduleId);
    const isLong = ({ moduleId }: TestSpecification): boolean => LONG.includes(moduleId);
    return [
      ...sorted.filter(isLong).sort((one, other) => place(one) - place(other)),
      ...sorted.filter((file) => !isLong(file)),
    ];
  }
}

/** Tests against other programs (BIND, NSD, Knot, PowerDNS, gdnsd, dig, promtool) and of whole processes of ours. */
const PEERS = [
  'test/{integration,secondaries,nagios,differential,packaging}/**/*.test.ts',
  'test/**/*{-peer,-peers,-process}.test.ts',
  'test/cli/{command-line,export,mode,query,run}.test.ts',
  'test/health/explain/explain-command.test.ts',
  'test/system/{drop-privileges,lock}.test.ts',
];

/**
 * Tests that await real timeouts, start threads again and again, or fuzz for long: more than four seconds each on two quiet
 * cores. They run with the peers, so that the other half stays under a minute.
 */
const SLOW = [
  'test/health/checks/{command,command-threads,http,http2,prober}.test.ts',
  'test/health/choose/differential-edgemanage.test.ts',
  'test/health/pools/network-rounds.test.ts',
  'test/publish/hooks.test.ts',
  'test/publish/notices/{notices,targets}.test.ts',
  'test/publish/notify/notifier.test.ts',
  'test/publish/providers/route53.test.ts',
  'test/server/answer/respond-fuzz.test.ts',
  'test/server/control/http/http-server.test.ts',
  'test/server/secondaries/soa-poller.test.ts',
  'test/server/transfer/{differential,version}.test.ts',
  'test/server/transport/tcp/tls.test.ts',
  'test/server/transport/threads/dns-threads.test.ts',
  'test/system/supervised-thread.test.ts',
  'test/vantage/peers/{engine,hostile,tls}.test.ts',
  'test/zones/store/{serial-ledger-shared,settle,watch}.test.ts',
];

export default defineConfig({
  test: {
    testTimeout: 120_000,
    hookTimeout: 120_000,
    sequence: { sequencer: LongFirst },
    // Of `expect.poll`; a second, vitest's own, is too little beside other work.
    expect: { poll: { timeout: 50_000 } },
    pool: 'forks',
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/equal-histories.ts'],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'html', 'json-summary'],
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...PEERS, ...SLOW],
          maxWorkers: 2,
          // A process for each of 250 files spends more on loading modules than on tests: these files share two. Each takes
          // back what it changes of the process: environment, umask, exit code, timers.
          isolate: false,
          sequence: { groupOrder: 0, sequencer: LongFirst },
        },
      },
      {
        extends: true,
        // They wait for servers, rounds and time-outs two thirds of their time: five files at once keep two cores busy.
        test: {
          name: 'peers',
          include: [...PEERS, ...SLOW],
          maxWorkers: 5,
          sequence: { groupOrder: 1, sequencer: LongFirst },
        },
      },
    ],
  },
});
