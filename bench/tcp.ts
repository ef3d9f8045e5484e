/**
 * `npm run bench:tcp`: what one DNS query over TCP costs beside Knot, NSD and BIND. Prints, for each server, the median
 * processor time of the whole server process per query: with a connection for each query, and over kept connections with
 * one query at a time on each.
 *
 * Options: `--connections 5000` (of one round), `--rounds 4` (alternating), `--concurrency 20`, `--servers edgewise,knot`.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { freePort } from '../test/support/ports.ts';
import { startEdgewise } from './support/dns-edgewise.ts';
import { type PeerName, startPeer } from './support/dns-peers.ts';
import { type BenchServer, cpuMicroseconds, queryFor } from './support/dns-process.ts';
import { ORIGIN } from './support/dns-zone.ts';

const PEERS: readonly PeerName[] = ['knot', 'nsd', 'bind', 'gdnsd', 'powerdns'];

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '5000' },
    rounds: { type: 'string', default: '4' },
    concurrency: { type: 'string', default: '20' },
    servers: { type: 'string', default: 'edgewise,knot,nsd,bind' },
  },
});
const count = Number(values.connections);
const concurrency = Number(values.concurrency);

const message = queryFor(`h1.${ORIGIN}`);
const framed = Buffer.concat([Buffer.of(message.length >> 8, message.length & 255), message]);

const folder = mkdtempSync(join(tmpdir(), 'edgewise-bench-'));
const servers: BenchServer[] = [];
try {
  for (const name of values.servers.split(',')) {
    const port = await freePort();
    const peer = PEERS.find((known) => known === name);
    if (name === 'edgewise') servers.push(await startEdgewise(port, folder));
    else if (peer !== undefined) servers.push(await startPeer(peer, port, folder));
    else throw new Error(`no server called ${name}`);
  }
  for (const [about, perConnection] of [
    ['one query a connection', 1],
    ['100 queries a connection', 100],
  ] as const) {
    await compare(about, perConnection);
  }
} finally {
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
}

async function compare(about: string, perConnection: number): Promise<void> {
  const samples = new Map<BenchServer, number[]>(servers.map((server) => [server, []]));
  let lost = 0;
  for (const { port } of servers) await run(port, 1000, perConnection); // caches, and our compiler
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [server, list] of samples) {
      const pid = server.child.pid ?? 0;
      const before = cpuMicroseconds(pid);
      const answered = await run(server.port, count, perConnection);
      list.push((cpuMicroseconds(pid) - before) / answered);
      lost += count - answered;
    }
  }
  console.log(`\n${about}: ${values.rounds} rounds of ${count} queries, ${concurrency} at a time; ${lost} lost\n`);
  console.log('| server | CPU µs/query | spread |\n|---|---|---|');
  for (const [{ name }, list] of samples) {
    const sorted = [...list].sort((a, b) => a - b);
    const [low, median, high] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted[sorted.length - 1]];
    console.log(`| ${name} | ${median.toFixed(1)} | ${low.toFixed(1)}–${high.toFixed(1)} |`);
  }
}

/** Asks `queries` times, and says how often there was an answer. */
async function run(port: number, queries: number, perConnection: number): Promise<number> {
  let left = queries;
  let answered = 0;
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (left > 0) {
        const mine = Math.min(perConnection, left);
        left -= mine;
        const got = await connection(port, mine);
        answered += got;
      }
    }),
  );
  return answered;
}

/** One connection with `queries` one after the other. */
async function connection(port: number, queries: number): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let answered = 0;
  socket.on('error', () => {}); // 'close' follows
  socket.on('data', () => {
    answered++; // an answer is smaller than a segment
    if (answered === queries) socket.destroy();
    else socket.write(framed);
  });
  socket.write(framed);
  await once(socket, 'close');
  return answered;
}
