import { createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { GoavailMonitor, type MonitorSettings } from '../../../src/app/goavail/monitor.ts';
import { wholeSets } from '../../../src/app/goavail/own-addresses.ts';
import { goavailPlan } from '../../../src/app/goavail/plan.ts';
import { GoavailPublisher } from '../../../src/app/goavail/publisher.ts';
import { parseGoavail } from '../../../src/config/goavail-file.ts';
import { Prober } from '../../../src/health/checks/prober.ts';
import { ProviderError } from '../../../src/publish/providers/provider.ts';
import { throwingGuard } from '../../support/guard.ts';
import { MemoryProvider } from '../../support/memory-provider.ts';

/** The original's worked examples from end to end: listeners that die and return, asked by the prober's thread. */

const FIRST = '127.87.2.1';
const SECOND = '127.87.2.2';
let prober: Prober;
let second: Edge;
let first: Edge;

/** A TCP listener that can be shut and opened again at its port. */
class Edge {
  port = 0;
  private server: Server | null = null;
  private readonly address: string;

  constructor(address: string) {
    this.address = address;
  }

  async set(open: boolean, port = this.port): Promise<void> {
    if (open === (this.server !== null)) return;
    if (!open) {
      const server = this.server;
      this.server = null;
      await new Promise((resolve) => server?.close(resolve));
      return;
    }
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, this.address, resolve);
    });
    this.server = server;
    const address = server.address();
    if (typeof address === 'object' && address !== null) this.port = address.port;
  }
}

beforeAll(async () => {
  prober = await Prober.start({ userAgent: 'test' });
});
afterAll(() => prober?.stop());
beforeEach(async () => {
  first = new Edge(FIRST);
  second = new Edge(SECOND);
  await first.set(true);
  await second.set(true, first.port);
});
afterEach(async () => {
  await first.set(false);
  await second.set(false);
});

function settings(threshold: number, addresses = [FIRST, SECOND], members = ''): MonitorSettings {
  const text = `failure_threshold = ${threshold}\ninterval = 1\nport = ${first.port}\n${members}
[Cloudflare]\ndns_domain = "example.test"\nhostnames = ["cloud"]\nip_addresses = ${JSON.stringify(addresses)}\n`;
  const { goavail } = parseGoavail('/nowhere/goavail.toml', text, { type: 'tcp', provider: 'cloudflare' });
  if (goavail === null) throw new Error(text);
  const plan = goavailPlan(goavail);
  if (!plan.ok) throw new Error(JSON.stringify(plan.faults));
  return { goavail, plan: plan.plan };
}

type Made = { readonly monitor: GoavailMonitor; readonly publisher: GoavailPublisher; readonly lines: string[] };

/** A dry run that knows no provider; with one, changes are made there. */
function made(given: MonitorSettings, provider: MemoryProvider | null = null): Made {
  const lines: string[] = [];
  const log = (level: string, text: string): void => {
    if (level !== 'debug') lines.push(text);
  };
  const publisher = new GoavailPublisher({
    access: { api: 'http://127.0.0.1:9', apiFrom: null, missing: [] },
    env: {},
    slackApi: 'http://127.0.0.1:9',
    dryRun: provider === null,
    log,
    retryMs: 5,
    target: () => (provider === null ? null : { provider, ttl: 60, corrections: wholeSets(60) }),
  });
  const monitor = new GoavailMonitor({
    settings: given,
    prober,
    guard: throwingGuard(),
    log,
    publish: (wanted) => publisher.publish(wanted),
  });
  return { monitor, publisher, lines };
}

/** The addresses of cloud.example.test. */
function held(provider: MemoryProvider): readonly string[] {
  return provider.sets.get('cloud.example.test A')?.addresses ?? [];
}

/** `-4 +7`: what should be published of the first address changes with these results. */
async function story({ monitor, publisher }: Pick<Made, 'monitor' | 'publisher'>, results: string): Promise<string> {
  const found: string[] = [];
  for (const [i, result] of results.split(' ').entries()) {
    const before = monitor.live.includes(FIRST);
    await first.set(result === '1');
    await monitor.check(FIRST);
    await publisher.idle();
    const after = monitor.live.includes(FIRST);
    if (before !== after) found.push(`${after ? '+' : '-'}${i + 1}`);
  }
  return found.join(' ');
}

test.each([
  ['G1', 2, '1 1 0 0 0 1 1 1', '-4 +7'],
  ['G2', 5, '0 0 0 0 1 0 0 0 0 0 0', '-10'],
  ['G3', 0, '1 0 1', '-2 +3'],
  ['G4', 2, '0 0 0 1 1 0 1 1 1', '-2 +5'],
] as const)('%s', async (_, threshold, results, expected) => {
  expect(await story(made(settings(threshold)), results)).toBe(expected);
});

test("an outage is logged in the original's words, with what would be changed", async () => {
  const { monitor, publisher, lines } = made(settings(2));
  await story({ monitor, publisher }, '0 0 0 1 1');
  expect(lines).toEqual([
    `${FIRST} is down: failed (refused: connection refused), result 2 of that kind in a row`,
    'Dry Run set to True.  Agent would have Removed IP and configured entries from/to domain example.test ',
    `would remove cloud.example.test A ${FIRST} at cloudflare (http://127.0.0.1:9)`,
    expect.stringMatching(/^127\.87\.2\.1 is up: passed in [\d.]+ ms, result 2 of that kind in a row$/),
    'Dry Run set to True.  Agent would have Added IP and configured entries from/to domain example.test ',
    `would add cloud.example.test A ${FIRST} at cloudflare (http://127.0.0.1:9)`,
  ]);
});

test('G5: a removal that fails is tried again until it is done, without another result', async () => {
  const provider = new MemoryProvider();
  provider.put('cloud.example.test', 'A', [FIRST, SECOND]);
  const { monitor, publisher, lines } = made(settings(2), provider);
  await monitor.check(SECOND);
  const fails = (): never => {
    throw new ProviderError('trouble', 'no answer');
  };
  provider.beforeApply.push(fails, fails);
  expect(await story({ monitor, publisher }, '0 0')).toBe('-2');
  await expect.poll(() => held(provider), { timeout: 20_000 }).toEqual([SECOND]);
  await publisher.idle();
  expect(provider.beforeApply).toEqual([]);
  expect(lines.slice(1)).toEqual([
    'the records at cloudflare cannot be kept right, so it is tried again: no answer',
    'Dry Run set to False. Agent Removed IP and configured entries from/to domain example.test ',
    `removed cloud.example.test A ${FIRST} at cloudflare (http://127.0.0.1:9)`,
    'the records at cloudflare can be kept right again',
  ]);
  await publisher.close();
});

test('what was not seen yet stays as it is, and so does what is not ours', async () => {
  const provider = new MemoryProvider();
  provider.put('cloud.example.test', 'A', ['192.0.2.77', FIRST]);
  const { monitor, publisher } = made(settings(2), provider);
  // One failure says nothing yet; the second address was never published, and is not asked here.
  expect(await story({ monitor, publisher }, '0')).toBe('');
  expect(provider.applied).toEqual([]);
  await monitor.check(SECOND);
  await publisher.idle();
  expect(held(provider)).toEqual([FIRST, SECOND, '192.0.2.77']);
  expect(await story({ monitor, publisher }, '0')).toBe('-1');
  expect(held(provider)).toEqual([SECOND, '192.0.2.77']);
  await publisher.close();
});

test('an address that died while nobody looked is not published at the start', async () => {
  const provider = new MemoryProvider();
  provider.put('cloud.example.test', 'A', [SECOND]);
  const { monitor, publisher } = made(settings(2), provider);
  await monitor.check(SECOND);
  expect(await story({ monitor, publisher }, '0 0 0')).toBe('-2');
  expect(held(provider)).toEqual([SECOND]);
  expect(provider.applied).toEqual([]);
  expect(await story({ monitor, publisher }, '1 1')).toBe('+2');
  expect(held(provider)).toEqual([FIRST, SECOND]);
  await publisher.close();
});

test('G9: down and removed, a reload, and it is added all the same', async () => {
  const { monitor, publisher } = made(settings(2));
  expect(await story({ monitor, publisher }, '0 0')).toBe('-2');
  monitor.reload(settings(2));
  expect(await story({ monitor, publisher }, '1 1 1 1')).toBe('+2');
});

test('a reload keeps results in a row, takes addresses in and lets others go', async () => {
  const { monitor, publisher } = made(settings(3));
  expect(await story({ monitor, publisher }, '0 0')).toBe('');
  monitor.reload(settings(3, [FIRST]));
  expect(monitor.live).toEqual([FIRST]);
  monitor.reload(settings(3));
  expect(monitor.live).toEqual([FIRST, SECOND]);
  expect(await story({ monitor, publisher }, '0')).toBe('-1');
  monitor.stop();
});

test('a lower threshold holds from the next result on', async () => {
  const { monitor, publisher } = made(settings(5));
  await story({ monitor, publisher }, '0 0 0');
  monitor.reload(settings(2));
  expect(await story({ monitor, publisher }, '0')).toBe('-1');
});

test('the last address stays, said once, and goes when another is back', async () => {
  const { monitor, publisher, lines } = made(settings(1));
  await second.set(false);
  await monitor.check(SECOND);
  await story({ monitor, publisher }, '0 0 0');
  expect(monitor.live).toEqual([FIRST]);
  expect(lines.filter((line) => line.includes('it is the last address'))).toEqual([
    `${FIRST} is down, but stays published: it is the last address`,
  ]);
  await second.set(true, first.port);
  await monitor.check(SECOND);
  expect(monitor.live).toEqual([SECOND]);
});

test('nothing goes while what takes its place cannot be added', async () => {
  const provider = new MemoryProvider();
  provider.put('cloud.example.test', 'A', [FIRST]);
  const { monitor, publisher } = made(settings(1), provider);
  await second.set(false);
  await monitor.check(SECOND);
  await story({ monitor, publisher }, '0');
  expect(held(provider)).toEqual([FIRST]);
  let isTrying = (): void => undefined;
  const tried = new Promise<void>((resolve) => {
    isTrying = resolve;
  });
  let goOn = (): void => undefined;
  provider.beforeApply.push(
    () =>
      new Promise<void>((resolve) => {
        isTrying();
        goOn = resolve;
      }),
  );
  await second.set(true, first.port);
  await monitor.check(SECOND);
  await tried;
  expect(held(provider)).toEqual([FIRST]);
  goOn();
  await publisher.idle();
  expect(held(provider)).toEqual([SECOND]);
  await publisher.close();
});

test('in a cluster nothing is done before peers agree', async () => {
  const members = '[Members]\npeers = ["127.0.0.1:9"]\nlocal_addr = "127.0.0.1:8"\nmin_peers_agree = 1\n';
  const provider = new MemoryProvider();
  provider.put('cloud.example.test', 'A', [FIRST, SECOND]);
  const { monitor, publisher, lines } = made(settings(1, undefined, members), provider);
  await story({ monitor, publisher }, '0 0 0');
  expect(held(provider)).toEqual([FIRST, SECOND]);
  expect([provider.reads, provider.applied]).toEqual([0, []]);
  expect(lines).toEqual([
    expect.stringContaining(`${FIRST} is down`),
    `${FIRST} is down here, and what is published stays until peers agree: 0 of 1 peer agree, 1 says nothing; 1 must`,
  ]);
});

test('trouble of our own is no result of the address', async () => {
  const lines: string[] = [];
  const given = settings(1);
  const failing = { reason: 'other', detail: 'too many open files' } as const;
  const monitor = new GoavailMonitor({
    settings: given,
    prober: {
      cancel: () => undefined,
      round: async ({ network }: { readonly network: string }): ReturnType<Prober['round']> => {
        const sample = { edge: network, at: 0, seconds: 1, fail: failing, primary: null, others: [], stalledMs: 0 };
        return {
          samples: new Map([[network, sample]]),
          startedAt: 0,
          seconds: 1,
          cancelled: [],
          unknown: [],
          overdue: [],
          loopDelayMs: 0,
        };
      },
    },
    guard: throwingGuard(),
    log: (_, text) => lines.push(text),
    publish: () => undefined,
  });
  for (let i = 0; i < 3; i++) await monitor.check(FIRST);
  expect(monitor.up.get(FIRST)).toBe(true);
  expect(lines).toEqual([`${FIRST} could not be checked, so its state stays: too many open files`]);
});
