import { createHash, type Hash, hash as hashAtOnce } from 'node:crypto';
import { wireNameLength } from '../../dns/name.ts';
import type { LoadedZone } from './load-zone.ts';

/**
 * Identifies a zone's content, as hex: the records in reading order, the live names and their TTL. Comments
 * and spacing do not count; a static zone's serial does, as a part of its SOA.
 */
export function contentHash({ origin, store, live }: Pick<LoadedZone, 'origin' | 'store' | 'live'>): string {
  const hash = new ChunkHash();
  hash.put(origin, 0, origin.length);
  hash.numbers(live === null ? 0 : 1 + live.names.length, live?.ttl ?? 0, 0);
  for (const name of live?.names ?? []) hash.put(name, 0, name.length);
  const { octets } = store.names;
  for (let record = 0; record < store.size; record++) {
    const owner = store.names.offsetOf(store.ownerOf(record));
    const start = store.rdataStart(record);
    const end = store.rdataEnd(record);
    hash.put(octets, owner, owner + wireNameLength(octets, owner));
    hash.numbers(store.typeOf(record), store.ttlOf(record), end - start);
    hash.put(store.rdata, start, end);
  }
  return hash.digest();
}

const CHUNK = 65536; // no name and no rdata is longer
/** Filled and hashed within one call of `contentHash`, so one is enough. */
const chunk = new Uint8Array(CHUNK);
const view = new DataView(chunk.buffer);

/** SHA-256 over many short pieces; most zones fit into one chunk, for which hashing in one call is far cheaper. */
class ChunkHash {
  private used = 0;
  /** Null while all fits into the chunk. */
  private hash: Hash | null = null;

  /** Octets `start..end` of `from`, at most `CHUNK` of them. */
  put(from: Uint8Array, start: number, end: number): void {
    if (this.used + end - start > CHUNK) this.flush();
    for (let i = start; i < end; i++) chunk[this.used++] = from[i];
  }

  /** A 16-bit, a 32-bit and a 16-bit number. */
  numbers(a: number, b: number, c: number): void {
    if (this.used + 8 > CHUNK) this.flush();
    view.setUint16(this.used, a);
    view.setUint32(this.used + 2, b);
    view.setUint16(this.used + 6, c);
    this.used += 8;
  }

  digest(): string {
    const rest = chunk.subarray(0, this.used);
    return this.hash === null ? hashAtOnce('sha256', rest, 'hex') : this.hash.update(rest).digest('hex');
  }

  private flush(): void {
    this.hash ??= createHash('sha256');
    this.hash.update(chunk.subarray(0, this.used));
    this.used = 0;
  }
}
