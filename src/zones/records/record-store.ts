import { NameTable } from './name-table.ts';

/** Class IN is the only class served; the scanner refuses others, so no record carries one. */
export const CLASS_IN = 1;

/** Octets up to which a loop is cheaper than the object that `subarray` makes. */
const COPY_MAX = 64;

/** Initial capacity, in records. */
const RECORDS = 128;

/**
 * The records of one zone in the order they were read, as columns of typed arrays: owner (a name's number), type, TTL
 * in seconds, rdata in uncompressed wire form, and the file and line it was read from. One object a record would cost a
 * million-record zone more than BIND's whole memory.
 */
export class RecordStore {
  readonly names: NameTable = new NameTable();
  /** Names of the files read, by the number that `fileOf` gives. */
  readonly files: string[] = [];
  /** All rdata, one after another. */
  rdata: Uint8Array = new Uint8Array(4096);
  private used = 0;
  private count = 0;
  private owners = new Uint32Array(RECORDS);
  private types = new Uint16Array(RECORDS);
  private ttls = new Uint32Array(RECORDS);
  private starts = new Uint32Array(RECORDS + 1);
  private positions = new Uint32Array(2 * RECORDS); // file, line

  get size(): number {
    return this.count;
  }

  /** Octets of all names and rdata. */
  get octets(): number {
    return this.names.octetsUsed + this.used;
  }

  /** Drops all records. The memory stays, for the next of many small zones. */
  clear(): void {
    this.names.clear();
    this.files.length = 0;
    this.used = 0;
    this.count = 0;
  }

  ownerOf(record: number): number {
    return this.owners[record];
  }
  typeOf(record: number): number {
    return this.types[record];
  }
  ttlOf(record: number): number {
    return this.ttls[record];
  }
  rdataStart(record: number): number {
    return this.starts[record];
  }
  rdataEnd(record: number): number {
    return this.starts[record + 1];
  }
  fileOf(record: number): number {
    return this.positions[2 * record];
  }
  lineOf(record: number): number {
    return this.positions[2 * record + 1];
  }
  /** Overwrites a TTL: differing TTLs in one RRset are made one (RFC 2181 §5.2). */
  setTtl(record: number, ttl: number): void {
    this.ttls[record] = ttl;
  }

  /** Adds a record whose rdata is `from[start..end)`. Returns its number. */
  add(
    owner: number,
    type: number,
    ttl: number,
    from: Uint8Array,
    start: number,
    end: number,
    file = 0,
    line = 0,
  ): number {
    const length = end - start;
    if (this.used + length > this.rdata.length) {
      const next = new Uint8Array(Math.max(this.rdata.length * 2, this.used + length));
      next.set(this.rdata);
      this.rdata = next;
    }
    if (this.count === this.owners.length) this.grow();
    const record = this.count++;
    this.copy(from, start, end);
    this.owners[record] = owner;
    this.types[record] = type;
    this.ttls[record] = ttl;
    this.starts[record + 1] = this.used;
    this.positions[2 * record] = file;
    this.positions[2 * record + 1] = line;
    return record;
  }

  private copy(from: Uint8Array, start: number, end: number): void {
    if (end - start > COPY_MAX) {
      this.rdata.set(from.subarray(start, end), this.used);
      this.used += end - start;
      return;
    }
    for (let i = start; i < end; i++) this.rdata[this.used++] = from[i];
  }

  private grow(): void {
    const size = this.owners.length * 2;
    const widen = <T extends Uint16Array | Uint32Array>(next: T, old: T): T => {
      next.set(old);
      return next;
    };
    this.owners = widen(new Uint32Array(size), this.owners);
    this.types = widen(new Uint16Array(size), this.types);
    this.ttls = widen(new Uint32Array(size), this.ttls);
    this.starts = widen(new Uint32Array(size + 1), this.starts);
    this.positions = widen(new Uint32Array(2 * size), this.positions);
  }
}
