/**
 * A probing round over many edges that live in other processes: wall time, CPU a fetch, and by how much the measured
 * fetch time differs from the edge's own account of it; at idle and with both cores busy answering a flood of queries.
 *
 *   npm run bench:probe -- [--edges 2000] [--workers 200] [--rounds 3] [--flood HOST:PORT] [--idle-only]
 *
 * `--flood HOST:PORT` floods that DNS server instead of a bare UDP echo.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Prober, type RoundResult } from '../src/health/prober.ts';
import type { ProbeTest } from '../src/health/types.ts';
import { freePort } from '../test/support/ports.ts';
import { MockEdges } from './support/mock-edges.ts';

const { values } = parseArgs({
  options: {
    edges: { type: 'string', default: '2000' },
    workers: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '3' },
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
const test: ProbeTest = {
  host: 'bench.test',
  port,
  proto: 'http',
  uri: '/object',
  md5: createHash('md5').update(BODY).digest('hex'),
  verify: false,
  hostIsEdge: false,
  timeout: 10,
  retry: 3,
  workers: Number(values.workers),
  maxBytes: 1 << 20,
};
// Real edges are other machines: theirs is not the time that a flood here takes away. Needs root; without, `error` has it.
for (const mock of mocks) mock.prefer();
const prober = await Prober.start({ userAgent: 'Edgewise/bench', onTrouble: console.error });
try {
  await measure('idle');
  if (!values['idle-only']) {
    const stopFlood = await startFlood();
    await measure('flood');
    await stopFlood();
  }
} finally {
  await prober.stop();
  for (const mock of mocks) await mock.stop();
}

async function measure(label: string): Promise<void> {
  const sure: number[] = [];
  const marked: number[] = [];
  let cpuMs = 0;
  let wall = 0;
  let delay = 0;
  const before = await connections();
  for (let i = 0; i < rounds; i++) {
    const started = process.cpuUsage();
    const result = await prober.round({
      network: 'bench',
      test,
      targets: addresses.map((name) => ({ name, canary: false })),
      spread: 1,
      canaryKiller: 0,
    });
    const used = process.cpuUsage(started);
    cpuMs += (used.user + used.system) / 1000;
    wall += result.seconds;
    delay = Math.max(delay, result.loopDelayMs);
    for (const [stalled, ms] of await differences(result)) (stalled ? marked : sure).push(ms);
  }
  const fetches = (await connections()) - before;
  console.log(
    `${label}: ${count} edges, ${test.workers} at a time: round ${(wall / rounds).toFixed(2)} s, ` +
      `CPU ${(cpuMs / fetches).toFixed(3)} ms a fetch (whole process), ` +
      `${fetches - count * rounds} of ${fetches} fetches repeated, loop delay at most ${delay.toFixed(1)} ms`,
  );
  console.log(
    `  error, ms: ${percentiles(sure)}; of ${marked.length} samples marked as doubtful: ${percentiles(marked)}`,
  );
}

function percentiles(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(2);
  return `p50 ${at(0.5)} p90 ${at(0.9)} p99 ${at(0.99)} max ${at(1)}`;
}

async function connections(): Promise<number> {
  let sum = 0;
  for (const mock of mocks) sum += (await mock.times()).connections;
  return sum;
}

/** For each sample: whether it is marked, and measured less true, milliseconds, without sign. */
async function differences({ samples }: RoundResult): Promise<(readonly [boolean, number])[]> {
  const truth = new Map<string, number>();
  for (const mock of mocks) for (const [address, ms] of (await mock.times()).ms) truth.set(address, ms);
  return Array.from(samples.values(), (sample) => {
    if (sample.fail !== null) throw new Error(`${sample.edge}: ${sample.fail.reason}: ${sample.fail.detail}`);
    return [sample.stalledMs > 0, Math.abs(sample.seconds * 1000 - (truth.get(sample.edge) ?? Number.NaN))] as const;
  });
}

/** Keeps a DNS server and dnsperf as busy as they can be; the function it returns ends both. */
async function startFlood(): Promise<() => Promise<void>> {
  let echo: ChildProcess | null = null;
  let target = values.flood;
  if (target === undefined) {
    const echoPort = await freePort();
    const file = fileURLToPath(new URL('./support/udp-echo.ts', import.meta.url));
    echo = fork(file, [String(echoPort)], { execArgv: ['--import', 'tsx'] });
    await once(echo, 'message');
    target = `127.0.0.1:${echoPort}`;
  }
  const dir = mkdtempSync(join(tmpdir(), 'edgewise-bench-'));
  writeFileSync(join(dir, 'queries'), 'bench.test A\n');
  const [host = '', floodPort = ''] = target.split(':');
  const args = ['-s', host, '-p', floodPort, '-d', join(dir, 'queries'), '-l', '600', '-q', '200'];
  const dnsperf = spawn('dnsperf', args, { stdio: 'ignore' });
  return async () => {
    const exited = once(dnsperf, 'exit');
    dnsperf.kill('SIGKILL');
    await exited;
    if (echo !== null) {
      const gone = once(echo, 'exit');
      echo.disconnect();
      await gone;
    }
    rmSync(dir, { recursive: true });
  };
}
