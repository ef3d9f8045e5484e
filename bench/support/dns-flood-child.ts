/**
 * A process that sends packets to a DNS server as fast as it can, from many loopback addresses, and reads no answer:
 * junk, responses, mutated queries, and queries for names that do not exist. Started by bench/flood.ts; ends with it.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { HEADER_OCTETS } from '../../src/server/transport/udp/batch-socket.ts';
import { LINUX, loadSyscalls, type Syscalls } from '../../src/system/syscalls.ts';
import { queryFor } from './dns-process.ts';
import { nextPacket, Random, seedQueries } from './dns-random.ts';

const PACKETS = 32_768; // prepared ones, sent over and over: more names than any cache of answers holds
const SENT_AT_ONCE = 64;
const SOURCES = 200;
const PACKET_ROOM = 1024;
const NICE = 10;

export type FloodReport = { readonly sent: number };

/** `rate`: packets a second at most. */
export async function startFlood(
  port: number,
  zone: string,
  rate: number,
): Promise<{ stop: () => Promise<FloodReport> }> {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), [String(port), zone, String(rate)], {
    execArgv: ['--import', 'tsx'],
  });
  setPriority(child.pid ?? 0, NICE);
  await once(child, 'message'); // it has begun
  if (child.pid !== undefined) setPriority(child.pid, 10); // in life the sender is another machine
  return {
    stop: async () => {
      const reported = once(child, 'message') as Promise<[FloodReport]>;
      child.send('stop');
      const [report] = await reported;
      child.disconnect();
      await once(child, 'exit');
      return report;
    },
  };
}

async function main(port: number, zone: string, rate: number): Promise<void> {
  const sys = await loadSyscalls();
  if (typeof sys === 'string') throw new Error(sys);
  const sockets = Array.from({ length: SOURCES }, (_, i) => openFrom(sys, [127, 3, i, 7]));
  const batches = layOut(sys, port, zone);
  let sent = 0;
  let stopping = false;
  process.once('message', () => {
    stopping = true;
  });
  process.send?.({ sent });
  const started = performance.now();
  for (let i = 0; !stopping; i++) {
    while (sent > (performance.now() - started) * 0.001 * rate && !stopping) await new Promise(setImmediate);
    const count = sys.sendmmsg(sockets[i % SOURCES], batches[i % batches.length], SENT_AT_ONCE, LINUX.MSG_DONTWAIT);
    if (count > 0) sent += count;
    // Let the message in that ends this.
    if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  process.send?.({ sent });
}

/** Kept, since the kernel is given addresses inside. */
const memory: ArrayBuffer[] = [];

function room(octets: number): ArrayBuffer {
  const buffer = new ArrayBuffer(octets);
  memory.push(buffer);
  return buffer;
}

function openFrom(sys: Syscalls, address: readonly number[]): number {
  const fd = sys.socket(LINUX.AF_INET, LINUX.SOCK_DGRAM | LINUX.SOCK_CLOEXEC, 0);
  const name = room(16);
  new Uint8Array(name).set([LINUX.AF_INET, 0, 0, 0, ...address]);
  if (sys.bind(fd, sys.addressOf(name), 16) < 0) throw new Error(sys.errno());
  return fd;
}

/** Addresses of the headers of whole batches, 64 `struct mmsghdr` each. */
function layOut(sys: Syscalls, port: number, zone: string): number[] {
  const random = new Random(1);
  const seeds = seedQueries(random, [zone, zone, 'example.org'], 500);
  const name = room(16);
  new Uint8Array(name).set([LINUX.AF_INET, 0, port >> 8, port & 255, 127, 0, 0, 1]);
  const headers = room(PACKETS * HEADER_OCTETS);
  const iovecs = room(PACKETS * 16);
  const packets = room(PACKETS * PACKET_ROOM);
  const words = new BigUint64Array(headers);
  const iov = new BigUint64Array(iovecs);
  for (let i = 0; i < PACKETS; i++) {
    const packet = new Uint8Array(packets, i * PACKET_ROOM, PACKET_ROOM);
    let length: number;
    if (i % 2 === 0) {
      const query = queryFor(`x${random.below(1_000_000)}.${zone}`, i);
      packet.set(query);
      length = query.length;
    } else length = nextPacket(random, seeds, packet);
    words[8 * i] = BigInt(sys.addressOf(name));
    words[8 * i + 1] = 16n;
    words[8 * i + 2] = BigInt(sys.addressOf(iovecs) + 16 * i);
    words[8 * i + 3] = 1n;
    iov[2 * i] = BigInt(sys.addressOf(packets) + i * PACKET_ROOM);
    iov[2 * i + 1] = BigInt(length);
  }
  const start = sys.addressOf(headers);
  return Array.from({ length: PACKETS / SENT_AT_ONCE }, (_, i) => start + i * SENT_AT_ONCE * HEADER_OCTETS);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [port, zone, rate] = process.argv.slice(2);
  await main(Number(port), zone, Number(rate));
}
