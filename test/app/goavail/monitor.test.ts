import { createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { dryRun } from '../../../src/app/goavail/dry-run.ts';
import { type Correction, GoavailMonitor, type MonitorSettings } from '../../../src/app/goavail/monitor.ts';
import { goavailPlan } from '../../../src/app/goavail/plan.ts';
import { type Goavail, parseGoavail } from '../../../src/config/goavail-file.ts';
import { Prober } from '../../../src/health/checks/prober.ts';
import { throwingGuard } from '../../support/guard.ts';

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

type Made = { readonly monitor: GoavailMonitor; readonly lines: string[] };

function made(
  given: MonitorSettings,
  correct?: (correction: Correction, goavail: Goavail, lines: string[]) => Promise<boolean>,
): Made {
  const lines: string[] = [];
  const log = (level: string, text: string): void => {
    if (level !== 'debug') lines.push(text);
  };
  const access = { api: 'http://127.0.0.1:9', apiFrom: null, missing: [] };
  const monitor = new GoavailMonitor({
    settings: given,
    prober,
    guard: throwingGuard(),
    log,
    correct: correct === undefined ? dryRun(access, log) : (correction, goavail) => correct(correction, goavail, lines),
  });
  return { monitor, lines };
}

/** `-4 +7`: what is published of the first address changes with these results. */
async function story({ monitor }: Made, results: string): Promise<string> {
  const found: string[] = [];
  for (const [i, result] of results.split(' ').entries()) {
    const before = monitor.live.includes(FIRST);
    await first.set(result === '1');
    await monitor.check(FIRST);
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
  const { monitor, lines } = made(settings(2));
  await story({ monitor, lines }, '0 0 0 1 1');
  expect(lines).toEqual([
    `${FIRST} is down: failed (refused: connection refused), result 2 of that kind in a row`,
    'Dry Run set to True.  Agent would have Removed IP and configured entries from/to domain example.test ',
    `would remove cloud.example.test A ${FIRST} at cloudflare (http://127.0.0.1:9)`,
    expect.stringMatching(/^127\.87\.2\.1 is up: passed in [\d.]+ ms, result 2 of that kind in a row$/),
    'Dry Run set to True.  Agent would have Added IP and configured entries from/to domain example.test ',
    `would add cloud.example.test A ${FIRST} at cloudflare (http://127.0.0.1:9)`,
  ]);
});

test.each([
  ['is refused', async (): Promise<boolean> => false],
  [
    'fails',
    async (): Promise<boolean> => {
      throw new Error('no answer');
    },
  ],
] as const)('G5: a removal that %s is tried again with the next result', async (_, fails) => {
  let tries = 0;
  const failing = made(settings(2), async (): Promise<boolean> => (++tries < 3 ? fails() : true));
  expect(await story(failing, '0 0 0 0 0')).toBe('-4');
  expect(tries).toBe(3);
});

test('G9: down and removed, a reload, and it is added all the same', async () => {
  const { monitor, lines } = made(settings(2));
  expect(await story({ monitor, lines }, '0 0')).toBe('-2');
  monitor.reload(settings(2));
  expect(await story({ monitor, lines }, '1 1 1 1')).toBe('+2');
});

test('a reload keeps results in a row, takes addresses in and lets others go', async () => {
  const { monitor } = made(settings(3));
  expect(await story({ monitor, lines: [] }, '0 0')).toBe('');
  monitor.reload(settings(3, [FIRST]));
  expect(monitor.live).toEqual([FIRST]);
  monitor.reload(settings(3));
  expect(monitor.live).toEqual([FIRST, SECOND]);
  expect(await story({ monitor, lines: [] }, '0')).toBe('-1');
  monitor.stop();
});

test('a lower threshold holds from the next result on', async () => {
  const { monitor, lines } = made(settings(5));
  await story({ monitor, lines }, '0 0 0');
  monitor.reload(settings(2));
  expect(await story({ monitor, lines }, '0')).toBe('-1');
});

test('the last address stays, said once, and goes when another is back', async () => {
  const { monitor, lines } = made(settings(1));
  await second.set(false);
  await monitor.check(SECOND);
  await story({ monitor, lines }, '0 0 0');
  expect(monitor.live).toEqual([FIRST]);
  expect(lines.filter((line) => line.includes('it is the last address'))).toEqual([
    `${FIRST} is down, but stays published: it is the last address`,
  ]);
  await second.set(true, first.port);
  await monitor.check(SECOND);
  expect(monitor.live).toEqual([SECOND]);
});

test('nothing goes while what takes its place cannot be added', async () => {
  const { monitor } = made(settings(1), async ({ action, address }) => action === 'remove' || address !== SECOND);
  await second.set(false);
  await monitor.check(SECOND);
  await story({ monitor, lines: [] }, '0');
  await second.set(true, first.port);
  await monitor.check(SECOND);
  expect(monitor.live).toEqual([FIRST]);
});

test('in a cluster nothing is done before peers agree, and nobody asks them yet', async () => {
  const members = '[Members]\npeers = ["127.0.0.1:9"]\nlocal_addr = "127.0.0.1:8"\nmin_peers_agree = 1\n';
  const { monitor, lines } = made(settings(1, undefined, members));
  expect(await story({ monitor, lines }, '0 0 0')).toBe('');
  expect(lines).toEqual([
    expect.stringContaining(`${FIRST} is down`),
    `would remove ${FIRST} once 1 peer see the same; peers are not asked yet, so nothing is done`,
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
    correct: async () => true,
  });
  for (let i = 0; i < 3; i++) await monitor.check(FIRST);
  expect(monitor.up.get(FIRST)).toBe(true);
  expect(lines).toEqual([`${FIRST} could not be checked, so its state stays: too many open files`]);
});
