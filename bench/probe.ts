/**
 * A probing round over many edges that live in other processes: wall time, CPU a fetch, and by how much the measured
 * fetch time differs from what happened on the wire (tcpdump; without it, from the edges' own account); at idle and while
 * an `edgewise serve` on the same machine answers a flood.
 *
 *   npm run bench:probe -- [--edges 2000] [--workers 200] [--rounds 5] [--rate 100000] [--flood HOST:PORT] [--idle-only]
 *
 * `--rate`: packets a second of the flood (junk, and queries from many addresses for names that do not exist).
 * `--flood HOST:PORT`: dnsperf floods that DNS server instead, as fast as it answers. Both senders run at nice 10: in life
 * they are other machines, as the edges are, which run at nice -15 where that is allowed.
 * The first round of all is not counted: the engine compiles then what it runs ever after.
 */
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Prober } from '../src/health/checks/prober.ts';
import type { Sample } from '../src/health/checks/sample.ts';
import { freePort } from '../test/support/ports.ts';
import { httpPlan } from '../test/support/probe-plan.ts';
import { MockEdges } from './support/mock-edges.ts';
import { floodServe, floodWithDnsperf } from './support/probe-flood.ts';
import { captureWire } from './support/wire-capture.ts';

const { values } = parseArgs({
  options: {
    edges: { type: 'string', default: '2000' },
    workers: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '5' },
    rate: { type: 'string', default: '100000' },
    flood: { type: 'string' },
    'idle-only': { type: 'boolean', default: false },
  },
});
const count = Number(values.edges);
const rounds = Number(values.rounds);
const BODY = 'x'.repeat(5000);

const port = await freePort();
const addresses = Array.from({ length: count }, (_, i) => `127.1.${i >> 8}.${i & 255}`);
// Delays from 10 to 209 ms, no two neighbours alike.
const specs = addresses.map((address, i) => ({
  address,
  behaviour: { kind: 'ok', delayMs: 10 + ((i * 37) % 200) } as const,
}));
const half = Math.ceil(count / 2);
const mocks = [
  await MockEdges.start(port, BODY, specs.slice(0, half)),
  await MockEdges.start(port, BODY, specs.slice(half)),
];
const plan = httpPlan({
  kind: 'http',
  host: 'bench.test',
  port,
  proto: 'http',
  uri: '/object',
  md5: createHash('md5').update(BODY).digest('hex'),
  verify: false,
  ca: null,
  hostIsEdge: false,
  timeout: 10,
  retry: 3,
  workers: Number(values.workers),
  maxBytes: 1 << 20,
});
for (const mock of mocks) mock.prefer();
const prober = await Prober.start({ userAgent: 'Edgewise/bench', onTrouble: console.error });
try {
  await oneRound();
  await measure('idle');
  if (!values['idle-only']) {
    const flood = await (values.flood === undefined ? floodServe(Number(values.rate)) : floodWithDnsperf(values.flood));
    await measure('flood');
    console.log(`  ${await flood.stop()}`);
  }
} finally {
  await prober.stop();
  for (const mock of mocks) await mock.stop();
}

type Measured = {
  readonly seconds: number;
  readonly cpuMs: number;
  readonly delayMs: number;
  readonly fetches: number;
  /** Samples that stayed in doubt. */
  readonly marked: number;
  /** Measured less true, ms, without sign; `wire` without those that tcpdump missed, empty where there is none. */
  readonly wire: readonly number[];
  readonly mock: readonly number[];
};

async function measure(label: string): Promise<void> {
  const all: Measured[] = [];
  for (let i = 0; i < rounds; i++) all.push(await oneRound());
  const sum = (of: (round: Measured) => number): number => all.reduce((total, round) => total + of(round), 0);
  const fetches = sum((round) => round.fetches);
  const again = fetches - count * rounds;
  const rates = all.map((round) => (round.cpuMs / round.fetches).toFixed(2)).join(' ');
  console.log(
    `${label}: ${count} edges, ${plan.workers} at a time: round ${(sum((round) => round.seconds) / rounds).toFixed(2)} s; ` +
      `CPU a fetch, whole process, ms: ${(sum((round) => round.cpuMs) / fetches).toFixed(3)} (by round: ${rates})`,
  );
  console.log(
    `  fetched again: ${again} of ${fetches} (${((100 * again) / fetches).toFixed(2)} %), still in doubt: ${sum((round) => round.marked)}, ` +
      `event loop late by at most ${Math.max(...all.map((round) => round.delayMs)).toFixed(1)} ms`,
  );
  const wire = all.flatMap((round) => round.wire);
  console.log(
    `  error against the wire, ms: ${wire.length === 0 ? 'no tcpdump' : percentiles(wire)} (of ${wire.length} samples)`,
  );
  console.log(`  error against the edges' account, ms: ${percentiles(all.flatMap((round) => round.mock))}`);
}

async function oneRound(): Promise<Measured> {
  const capture = await captureWire(port);
  const before = await connections();
  const began = process.cpuUsage();
  const { samples, seconds, loopDelayMs } = await prober.round({
    network: 'bench',
    plan,
    targets: addresses.map((name) => ({ name, canary: false })),
    spread: 1,
    canaryKiller: 0,
  });
  const used = process.cpuUsage(began);
  // The last connection to each edge is the one that the sample is of.
  const wire = new Map((await capture?.stop())?.map(({ address, ms }) => [address, ms]));
  const account = new Map<string, number>();
  for (const mock of mocks) for (const [address, ms] of (await mock.times()).ms) account.set(address, ms);
  const all = [...samples.values()];
  return {
    seconds,
    cpuMs: (used.user + used.system) / 1000,
    delayMs: loopDelayMs,
    fetches: (await connections()) - before,
    marked: all.filter(({ stalledMs }) => stalledMs > 0).length,
    wire: all.filter(({ edge }) => wire.has(edge)).map((sample) => difference(sample, wire)),
    mock: all.map((sample) => difference(sample, account)),
  };
}

/** A sample that is missing from the truth makes the figures NaN, so that nobody believes them. */
function difference({ edge, seconds, fail }: Sample, truth: ReadonlyMap<string, number>): number {
  if (fail !== null) throw new Error(`${edge}: ${fail.reason}: ${fail.detail}`);
  return Math.abs(seconds * 1000 - (truth.get(edge) ?? Number.NaN));
}

function percentiles(numbers: readonly number[]): string {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(2);
  return `p50 ${at(0.5)} p90 ${at(0.9)} p99 ${at(0.99)} max ${at(1)}`;
}

async function connections(): Promise<number> {
  let sum = 0;
  for (const mock of mocks) sum += (await mock.times()).connections;
  return sum;
}
