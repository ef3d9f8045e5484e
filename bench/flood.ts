/**
 * `npm run bench:flood`: a whole `edgewise serve`, probing edges whose answers take a known time, first in peace, then
 * under a flood of junk and of queries for names that do not exist from many addresses. Prints, for both: how many of a
 * legitimate client's queries were answered and how fast, by how much the prober's fetch times differ from the edges' own
 * account, and the server's memory at the end.
 *
 * The sender of the flood is this machine's too; it runs with nice 10, as far as it can be kept from being the measure.
 *
 * Options: `--seconds 20` (of each phase), `--cycles 1` (flood and peace in turn), `--edges 20`, `--rate 100` (legitimate
 * queries a second), `--flood 100000` (packets a second), `--no-limit` (without rate limit), `--peers nsd,bind` (the same
 * flood upon these, for comparison; they probe nothing).
 */
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { NetworkJson } from '../src/server/control/api/json.ts';
import { EdgewiseServer } from '../test/support/edgewise.ts';
import { Installation, NETWORK, OBJECT } from '../test/support/installation.ts';
import { freePort } from '../test/support/ports.ts';
import { startFlood } from './support/dns-flood-child.ts';
import { type PeerName, startPeer } from './support/dns-peers.ts';
import { queryFor, residentBytes } from './support/dns-process.ts';
import { ORIGIN } from './support/dns-zone.ts';
import { MockEdges } from './support/mock-edges.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    edges: { type: 'string', default: '20' },
    rate: { type: 'string', default: '100' },
    flood: { type: 'string', default: '100000' },
    'no-limit': { type: 'boolean', default: false },
    cycles: { type: 'string', default: '1' },
    peers: { type: 'string', default: '' },
  },
});
const ZONE = 'flood.test';
const CLIENT = '127.9.9.9'; // none of the flood's addresses

const edgePort = await freePort();
const dnsPort = await freePort();
const addresses = Array.from({ length: Number(values.edges) }, (_, i) => `127.2.0.${i + 1}`);
const edges = await MockEdges.start(
  edgePort,
  OBJECT,
  addresses.map((address, i) => ({ address, behaviour: { kind: 'ok', delayMs: 20 + ((i * 13) % 60) } as const })),
);
edges.prefer(); // real edges are other machines
const installation = await Installation.make({
  edges: addresses,
  port: edgePort,
  zones: { [ZONE]: 'mail IN A 192.0.2.25\nns1 IN A 192.0.2.53\n' },
  keys: {
    run_frequency: 1,
    commands: {},
    server: {
      listen: [`127.0.0.1:${dnsPort}`],
      rate_limit: values['no-limit'] ? false : { per_second: 50, slip: 2 },
    },
    http: { listen: `127.0.0.1:${await freePort()}` },
  },
});
let server: EdgewiseServer | null = null;
try {
  server = await EdgewiseServer.start(installation.path('edgemanage.yaml'), ['-A', NETWORK]);
  await run(server);
} finally {
  await server?.stop();
  await edges.stop();
  await installation.remove();
}

for (const name of values.peers.split(',').filter((peer) => peer !== '')) await runPeer(name as PeerName);

async function run(server: EdgewiseServer): Promise<void> {
  await phase(server, 'in peace');
  for (let cycle = 0; cycle < Number(values.cycles); cycle++) {
    await flooded(dnsPort, ZONE, () => phase(server, 'flooded'));
    await phase(server, 'in peace again');
  }
  const metrics = (await server.get('/metrics')).text;
  for (const line of metrics.split('\n').filter((text) => text.startsWith('edgewise_dns_events_total')))
    console.log(line);
}

/** Another server under the same flood. */
async function runPeer(name: PeerName): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'edgewise-bench-'));
  const peer = await startPeer(name, await freePort(), folder);
  try {
    for (let cycle = 0; cycle < Number(values.cycles); cycle++) {
      await flooded(peer.port, ORIGIN, async () => {
        const { asked, answered, ms } = await legitimate(peer.port, ORIGIN);
        console.log(`${name}, flooded: ${answered} of ${asked} legitimate queries answered, ms: ${percentiles(ms)}`);
      });
    }
  } finally {
    await peer.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function flooded(port: number, zone: string, during: () => Promise<void>): Promise<void> {
  const flood = await startFlood(port, zone, Number(values.flood));
  const started = performance.now();
  await during();
  const { sent } = await flood.stop();
  console.log(`flood: ${Math.round(sent / ((performance.now() - started) / 1000))} packets/s sent`);
}

async function phase(server: EdgewiseServer, label: string): Promise<void> {
  const [client, errors] = await Promise.all([legitimate(dnsPort, ZONE), proberErrors(server)]);
  const pid = server.child.pid ?? 0;
  console.log(
    `${label}: ${client.answered} of ${client.asked} legitimate queries answered, ms: ${percentiles(client.ms)}; ` +
      `prober's error, ms: ${percentiles(errors)}; resident ${Math.round(residentBytes(pid) / 2 ** 20)} MiB`,
  );
}

/** A client that asks at a steady rate and does not ask again. */
async function legitimate(port: number, zone: string): Promise<{ asked: number; answered: number; ms: number[] }> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => {
    socket.bind(0, CLIENT, resolve);
  });
  const sentAt = new Map<number, number>();
  const ms: number[] = [];
  socket.on('message', (octets) => {
    const at = sentAt.get(octets.readUInt16BE(0));
    if (at !== undefined && octets.readUInt16BE(6) > 0) ms.push(performance.now() - at);
  });
  const total = Number(values.seconds) * Number(values.rate);
  let asked = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      // Names in turn, so that no one answer comes near the limit.
      const qname = ['', 'ns1.', 'mail.'][asked % 3] + zone;
      sentAt.set(asked & 0xffff, performance.now());
      socket.send(queryFor(qname, asked & 0xffff), port, '127.0.0.1');
      if (++asked < total) return;
      clearInterval(timer);
      setTimeout(resolve, 1000); // the last answers
    }, 1000 / Number(values.rate));
  });
  socket.close();
  return { asked, answered: ms.length, ms };
}

/** Once a second: what the server measured last against what the edges know, without sign. */
async function proberErrors(server: EdgewiseServer): Promise<number[]> {
  const errors: number[] = [];
  const seen = new Map<string, number>();
  for (let i = 0; i < Number(values.seconds); i++) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const [{ text }, truth] = await Promise.all([server.get(`/api/v1/networks/${NETWORK}`), edges.times()]);
    for (const { edge, last, last_at, fail } of (JSON.parse(text) as NetworkJson).edges) {
      const expected = truth.ms.get(edge);
      if (last === null || last_at === null || expected === undefined || seen.get(edge) === last_at) continue;
      seen.set(edge, last_at);
      errors.push(fail === null ? Math.abs(last * 1000 - expected) : Number.POSITIVE_INFINITY);
    }
  }
  return errors;
}

function percentiles(numbers: readonly number[]): string {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(2);
  return `p50 ${at(0.5)} p90 ${at(0.9)} p99 ${at(0.99)} max ${at(1)}`;
}
