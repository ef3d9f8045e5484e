/**
 * `npm run bench:dns`: Edgewise beside NSD, gdnsd, Knot, BIND and PowerDNS on the same zone. Each answers on core 0,
 * `dnsperf` asks from core 1, in alternating rounds. Prints, for each mix and server, the median processor time per
 * answered query of the whole server process, queries per second, losses, latency percentiles at a fixed rate, and the
 * ratios to NSD and gdnsd.
 *
 * `dnstap`, `dnstap-1000` and `dnstap-unlimited` among the servers are Edgewise that reports every query (at most 10,000 messages a
 * second, the defaults), one in 1000, or every one without a limit to `fstrm_capture`; their ratio is to `edgewise`, by rounds.
 *
 * Options: `--rounds 5`, `--seconds 5` (of one run), `--servers edgewise,nsd`, `--mixes apex,mixed`, `--rate 20000` (of the
 * latency run), `--json FILE`, `--collections 20` (instead of all that: how often the engine collects garbage while it answers
 * each mix for so many seconds).
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { freePort } from '../test/support/ports.ts';
import { countCollections } from './support/dns-collections.ts';
import { type BenchDnstap, startEdgewise } from './support/dns-edgewise.ts';
import { type Percentiles, runLatency, runLoad, writeQueries } from './support/dns-load.ts';
import { type PeerName, startPeer } from './support/dns-peers.ts';
import { type BenchServer, cpuMicroseconds, LOAD_CORE, stopChild } from './support/dns-process.ts';
import { mixes } from './support/dns-zone.ts';

/** Edgewise with dnstap, by the name under `--servers`. */
const TAPS: ReadonlyMap<string, Omit<BenchDnstap, 'socket'>> = new Map([
  ['dnstap-1000', { sampleRate: 1000, maxPerSecond: 10_000 }],
  ['dnstap', { sampleRate: 1, maxPerSecond: 10_000 }],
  ['dnstap-unlimited', { sampleRate: 1, maxPerSecond: 1_000_000_000 }],
]);
const PEERS: readonly PeerName[] = ['nsd', 'gdnsd', 'knot', 'bind', 'powerdns'];

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    servers: { type: 'string', default: ['edgewise', ...PEERS].join(',') },
    mixes: { type: 'string', default: 'apex,mixed,nxdomain' },
    rate: { type: 'string', default: '20000' },
    json: { type: 'string' },
    collections: { type: 'string' },
  },
});

type Sample = { readonly cpu: number; readonly queriesPerSecond: number; readonly lost: number };
type Row = {
  readonly mix: string;
  readonly server: string;
  readonly samples: Sample[];
  latency: Percentiles;
};

const folder = mkdtempSync(join(tmpdir(), 'edgewise-bench-'));
const servers: BenchServer[] = [];
try {
  if (values.collections === undefined) await compare();
  else await collections(Number(values.collections));
} finally {
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
}

async function collections(seconds: number): Promise<void> {
  for (const mix of mixes().filter(({ name }) => values.mixes.split(',').includes(name))) {
    const load = { file: writeQueries(folder, mix), edns: mix.edns };
    const { queries, scavenges, others } = await countCollections(folder, load, seconds);
    console.log(`${mix.about}: ${queries} queries, ${scavenges} collections, ${others} of threads that were idle`);
  }
}

async function compare(): Promise<void> {
  for (const name of values.servers.split(',')) {
    const port = await freePort();
    const peer = PEERS.find((known) => known === name);
    const tap = TAPS.get(name);
    if (name === 'edgewise') servers.push(await startEdgewise(port, folder));
    else if (tap !== undefined) servers.push(await startTapped(name, port, tap));
    else if (peer !== undefined) servers.push(await startPeer(peer, port, folder));
    else throw new Error(`no server called ${name}`);
  }
  const rows = await measure();
  print(rows);
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(rows, null, 2));
}

/** With a receiver of its own, on the core that asks. */
async function startTapped(name: string, port: number, tap: Omit<BenchDnstap, 'socket'>): Promise<BenchServer> {
  const socket = join(folder, `${name}.sock`);
  const capture = ['fstrm_capture', '-t', 'protobuf:dnstap.Dnstap', '-u', socket, '-w', '/dev/null'];
  const receiver = spawn('taskset', ['-c', String(LOAD_CORE), ...capture], { stdio: 'ignore' });
  const server = await startEdgewise(port, folder, [], { name, dnstap: { ...tap, socket } });
  const stop = async (): Promise<void> => {
    await server.stop();
    await stopChild(receiver);
  };
  return { ...server, stop };
}

async function measure(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const mix of mixes().filter(({ name }) => values.mixes.split(',').includes(name))) {
    const file = writeQueries(folder, mix);
    const base = { file, edns: mix.edns, seconds: Number(values.seconds) };
    const mine: Row[] = servers.map(({ name }) => ({
      mix: mix.about,
      server: name,
      samples: [],
      latency: { p50: 0, p90: 0, p99: 0, p999: 0 },
    }));
    rows.push(...mine);
    for (const { port } of servers) await runLoad({ ...base, port, seconds: 1 }); // caches, and our compiler
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const [i, server] of servers.entries())
        mine[i].samples.push(await sample(server, { ...base, port: server.port }));
    }
    for (const [i, { port }] of servers.entries()) {
      mine[i].latency = await runLatency({ ...base, port, rate: Number(values.rate), outstanding: 1000 });
    }
  }
  return rows;
}

async function sample(server: BenchServer, load: Parameters<typeof runLoad>[0]): Promise<Sample> {
  const pid = server.child.pid ?? 0;
  const before = cpuMicroseconds(pid);
  const { completed, lost, queriesPerSecond } = await runLoad(load);
  return { cpu: (cpuMicroseconds(pid) - before) / completed, queriesPerSecond, lost };
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function print(rows: readonly Row[]): void {
  for (const mix of new Set(rows.map((row) => row.mix))) {
    const here = rows.filter((row) => row.mix === mix);
    const cpuOf = (server: string): number =>
      median(here.find((row) => row.server === server)?.samples.map(({ cpu }) => cpu) ?? []);
    const own = here.find(({ server }) => server === 'edgewise')?.samples.map(({ cpu }) => cpu) ?? [];
    const ratio = (cpu: number, to: string): string => (cpuOf(to) > 0 ? (cpu / cpuOf(to)).toFixed(2) : '-');
    console.log(
      `\n${mix}: ${values.rounds} rounds of ${values.seconds} s; latencies in µs at ${values.rate} queries/s\n`,
    );
    console.log(
      '| server | CPU µs/query | spread | queries/s | lost | p50 | p90 | p99 | p99.9 | ÷ NSD | ÷ gdnsd | ÷ Edgewise |',
    );
    console.log('|---|---|---|---|---|---|---|---|---|---|---|---|');
    for (const { server, samples, latency } of here) {
      const cpus = samples.map(({ cpu }) => cpu);
      const cells = [
        server,
        median(cpus).toFixed(2),
        `${Math.min(...cpus).toFixed(2)}–${Math.max(...cpus).toFixed(2)}`,
        String(Math.round(median(samples.map(({ queriesPerSecond }) => queriesPerSecond)))),
        String(samples.reduce((sum, { lost }) => sum + lost, 0)),
        ...[latency.p50, latency.p90, latency.p99, latency.p999].map((value) => String(Math.round(value))),
        ratio(median(cpus), 'nsd'),
        ratio(median(cpus), 'gdnsd'),
        own.length === 0 ? '-' : median(cpus.map((cpu, round) => cpu / own[round])).toFixed(3),
      ];
      console.log(`| ${cells.join(' | ')} |`);
    }
  }
}
