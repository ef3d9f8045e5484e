/**
 * `npm run fuzz`: random and mutated packets through the responder and the handler of what is no plain query, as the front ends
 * would hand them over. Nothing may throw or hang, memory must not grow, and every answer must be well-formed by a check
 * that shares no code with the server (one in a hundred also by the tests' strict decoder).
 *
 * Options: `--count 10000000`, `--seed N` (printed, so that a run can be repeated), `--no-special` (the responder alone).
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { lowerName } from '../src/dns/name.ts';
import { LiveSlots } from '../src/live/slots.ts';
import { type Client, NOT_PLAIN_QUERY, PacketBuffers, TRANSPORT } from '../src/server/answer/front-end.ts';
import { Stats, sumStats } from '../src/server/stats.ts';
import { makeAnswerer } from '../src/server/transport/threads/answerer.ts';
import { decodeMessage } from '../test/support/dns-message.ts';
import { wireName } from '../test/support/dns-query.ts';
import { zoneUpdate } from '../test/support/zone-images.ts';
import { wrongWith } from './support/dns-check.ts';
import { nextPacket, Random, seedQueries } from './support/dns-random.ts';
import { benchSettings } from './support/dns-settings.ts';
import { ORIGIN, zoneText } from './support/dns-zone.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '10000000' },
    seed: { type: 'string' },
    'no-special': { type: 'boolean', default: false },
  },
});
const count = Number(values.count);
const seed = values.seed === undefined ? Date.now() & 0x7fff_ffff : Number(values.seed);
const HANG_MS = 1000; // of processor time, for one packet: the machine may have other things to do
const CPU_READ_EVERY = 1000; // packets

const slots = LiveSlots.create(2);
const v4 = [1, 2, 3].map((last) => Uint8Array.of(192, 0, 2, last));
/** Another live set, so that answers that were kept are void. */
const flip = (serial: number): void => slots.write(0, { serial, v4: v4.slice(serial % 3), v6: [new Uint8Array(16)] });
flip(9);
const statsBuffer = Stats.create(1, 2);
const { responder, nonPlain } = makeAnswerer({
  slots,
  stats: Stats.attach(statsBuffer, 2, 0),
  server: benchSettings(53, {
    nsid: new TextEncoder().encode('fuzz'),
    version: 'Edgewise',
    id: 'fuzz',
    cookieSecrets: [new Uint8Array(16).fill(7), new Uint8Array(16).fill(9)],
  }),
  // Everybody may transfer, and one key is known: the doors behind which there is most to break stand open.
  transfer: {
    keys: [{ name: lowerName(wireName('testkey')), algorithm: 'hmac-sha256', secret: new Uint8Array(32) }],
    allow: [{ from: null, key: null, tls: false, networks: null, zones: null }],
    rows: [null, 'bench'],
  },
  catchUp: () => {},
});
const protocolZone = readFileSync(new URL('../test/protocol/protocol.zone', import.meta.url), 'utf8');
responder.apply([
  zoneUpdate({ origin: 'example.test', text: protocolZone }, 0),
  zoneUpdate({ origin: ORIGIN, text: zoneText([]), live: [ORIGIN], slot: 0 }, 1),
  zoneUpdate({ origin: 'never.test', text: '@ SOA ns host 1 1 1 1 1\n@ NS ns\n', live: ['never.test'], slot: 1 }, 2),
  { kind: 'broken', zone: 3, origin: lowerName(wireName('broken.test')), network: 1 },
]);

console.log(`${count} packets, seed ${seed}`);
const random = new Random(seed);
const origins = [
  'example.test',
  'example.test',
  'example.test',
  ORIGIN,
  ORIGIN,
  'never.test',
  'broken.test',
  'test',
  'example.org',
];
const clients: Client[] = [TRANSPORT.udp4, TRANSPORT.udp6, TRANSPORT.tcp].map((transport) => ({
  transport,
  address: random.octets(16),
  port: 5353,
}));
const packets = PacketBuffers.single();
const [packet, outUdp] = [packets.queries[0], packets.answers[0]];
const out = new Uint8Array(65_535);
const tally = { answered: 0, dropped: 0, nonPlain: 0, slowestMs: 0 };
let seeds: Uint8Array[] = [];
let settledBytes = 0;

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
let cpuBefore = 0;

const started = performance.now();
for (let i = 0; i < count; i++) {
  if (i % 100_000 === 0) seeds = seedQueries(random, origins, 2000);
  if (i % 5000 === 0) flip(10 + i / 5000);
  if (i === Math.floor(count / 10)) settledBytes = heapBytes();
  const length = nextPacket(random, seeds, packet);
  packets.lengths[0] = length;
  const client = clients[i % 3];
  const udp = client.transport !== TRANSPORT.tcp;
  if (i % CPU_READ_EVERY === 0) cpuBefore = cpuMs();
  const before = performance.now();
  try {
    packets.begin(1);
    let size = udp ? responder.respondIn(packets, 0, 0, client) : responder.respond(packet, length, out, client);
    if (size === NOT_PLAIN_QUERY) {
      tally.nonPlain++;
      if (values['no-special']) continue;
      size = udp ? nonPlain.packet(packet, length, outUdp, client) : await stream(length, client);
    }
    if (size === 0) tally.dropped++;
    else check(i, length, udp ? outUdp : out, size, udp);
  } catch (error) {
    fail(i, length, error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  const tookMs = performance.now() - before;
  if (tookMs > tally.slowestMs) tally.slowestMs = tookMs;
  // The packets since the last reading take a few milliseconds together.
  if (tookMs > HANG_MS && cpuMs() - cpuBefore > HANG_MS) fail(i, length, `took ${Math.round(tookMs)} ms`);
}
const seconds = (performance.now() - started) / 1000;
const grown = heapBytes() - settledBytes;
const { answers } = sumStats(statsBuffer, 2);
console.log(
  `no fault in ${count} packets: ${tally.answered} answered, ${tally.dropped} dropped, ${tally.nonPlain} no plain queries; ` +
    `slowest ${tally.slowestMs.toFixed(1)} ms; heap ${(grown / 1024).toFixed(0)} KiB larger than after a tenth of them; ${seconds.toFixed(0)} s`,
);
const byRcode = new Map<number, number>();
for (const { rcode, count: times } of answers) byRcode.set(rcode, (byRcode.get(rcode) ?? 0) + times);
console.log(`by rcode: ${[...byRcode].map(([rcode, times]) => `${rcode}: ${times}`).join(', ')}`);
if (grown > 1 << 20) {
  console.error('memory grew');
  process.exitCode = 1;
}

/** What is no plain query, over a stream: each message of the answer is checked, here all but the last. */
async function stream(length: number, client: Client): Promise<number> {
  let size = 0;
  await nonPlain.stream(packet.slice(0, length), client, (message) => {
    if (size > 0) check(1, length, out, size, false);
    size = message.length;
    out.set(message);
    return Promise.resolve(true);
  });
  return size;
}

function check(i: number, length: number, answer: Uint8Array, size: number, udp: boolean): void {
  tally.answered++;
  const wrong = wrongWith(packet, length, answer, size, udp);
  if (wrong !== null) fail(i, length, `${wrong}\nanswer ${Buffer.from(answer.subarray(0, size)).toString('hex')}`);
  if (i % 100 === 0) decodeMessage(answer.subarray(0, size));
}

function fail(i: number, length: number, why: string): never {
  console.error(
    `packet ${i} of seed ${seed}: ${why}\nquery ${Buffer.from(packet.subarray(0, length)).toString('hex')}`,
  );
  process.exit(1);
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
  return process.memoryUsage().heapUsed;
}
