/**
 * What really happened on the wire: tcpdump's record of the mock edges' port on loopback, whose times are the kernel's. No
 * process can be late in it, so it is the measure of what both the prober and the mock edges say.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One connection, milliseconds: from its SYN to the edge's last octet. */
export type WireFetch = { readonly address: string; readonly ms: number };

export type WireCapture = {
  /** Every connection that brought an answer, in the order of their beginning. */
  readonly stop: () => Promise<readonly WireFetch[]>;
};

/** Null where there is no tcpdump or it may not look. */
export async function captureWire(port: number): Promise<WireCapture | null> {
  const folder = await mkdtemp(join(tmpdir(), 'edgewise-wire-'));
  const file = join(folder, 'capture');
  const args = ['-i', 'lo', '-n', '-s', '96', '-B', '65536', '--time-stamp-precision=nano', '-U', '-w', file];
  // As the only one who listens for root: it may not give its privileges up, or it could not write the file.
  const child = spawn('tcpdump', [...args, '-Z', 'root', `tcp port ${port}`], { stdio: ['ignore', 'ignore', 'pipe'] });
  const gone = new Promise<null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', () => resolve(null));
  });
  const listening = new Promise<true>((resolve) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('listening on')) resolve(true);
    });
  });
  if ((await Promise.race([listening, gone])) === null) {
    await rm(folder, { recursive: true });
    return null;
  }
  return {
    stop: async () => {
      await new Promise((resolve) => setTimeout(resolve, 500)); // what tcpdump has not taken from the kernel yet
      const closed = once(child, 'close');
      child.kill('SIGINT');
      await closed;
      const fetches = readCapture(await readFile(file), port);
      await rm(folder, { recursive: true });
      return fetches;
    },
  };
}

const FILE_HEADER = 24;
const PACKET_HEADER = 16;
const ETHERNET_HEADER = 14;
const SYN = 0x02;
const ACK = 0x10;

/** A pcap file of this machine's byte order with nanoseconds, Ethernet frames of IPv4 (pcap-savefile(5)). */
function readCapture(file: Buffer, port: number): readonly WireFetch[] {
  const open = new Map<string, { address: string; began: number; last: number }>();
  const all: { address: string; began: number; last: number }[] = [];
  let next = FILE_HEADER;
  while (next + PACKET_HEADER <= file.length) {
    const at = file.readUInt32LE(next) * 1000 + file.readUInt32LE(next + 4) / 1e6;
    const ip = next + PACKET_HEADER + ETHERNET_HEADER;
    next += PACKET_HEADER + file.readUInt32LE(next + 8);
    if (next > file.length) break;
    const tcp = ip + (file[ip] & 15) * 4;
    const flags = file[tcp + 13];
    const octets = file.readUInt16BE(ip + 2) - (tcp - ip) - (file[tcp + 12] >> 4) * 4;
    const address = (start: number): string => file.subarray(start, start + 4).join('.');
    if (file.readUInt16BE(tcp + 2) === port) {
      if ((flags & (SYN | ACK)) !== SYN) continue;
      const fetch = { address: address(ip + 16), began: at, last: 0 };
      open.set(`${fetch.address}:${file.readUInt16BE(tcp)}`, fetch);
      all.push(fetch);
    } else if (octets > 0) {
      const fetch = open.get(`${address(ip + 12)}:${file.readUInt16BE(tcp + 2)}`);
      if (fetch !== undefined) fetch.last = at;
    }
  }
  return all.filter(({ last }) => last > 0).map(({ address, began, last }) => ({ address, ms: last - began }));
}
