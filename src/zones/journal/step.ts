import { NAME_MAX } from '../../dns/name.ts';
import type { LiveSet } from '../image/live-sets.ts';

/** A record of a difference; names uncompressed. */
export type StepRecord = LiveSet & { readonly rdata: Uint8Array };

/**
 * What changed between two consecutive contents of a zone, the addresses of live names left out: those have a history
 * of their own. `from`, `to`: the contents' own serials. `soa`, `live`: the SOA and the live RRsets that `from` had.
 */
export type ZoneStep = {
  readonly from: number;
  readonly to: number;
  readonly soa: StepRecord;
  readonly live: readonly LiveSet[];
  readonly removed: readonly StepRecord[];
  readonly added: readonly StepRecord[];
};

/**
 * A whole content, from a file. `records`: all but the SOA and the live ones, read anew at each call and valid until
 * the next one.
 */
export type ZoneContent = {
  readonly network: string | null;
  readonly serial: number;
  readonly soa: StepRecord;
  readonly live: readonly LiveSet[];
  readonly records: () => Iterable<StepRecord>;
};

const NO_RDATA = new Uint8Array(0);

/**
 * One shared buffer, so that all threads hold one copy: `from` and `to` (4 octets each), then four lists (the SOA, live
 * RRsets without rdata, removed, added), each a count (4) and its records: owner, type (2), TTL (4), length (2), rdata.
 */
export function encodeStep({ from, to, soa, live, removed, added }: ZoneStep): Uint8Array {
  const lists = [[soa], live.map((set) => ({ ...set, rdata: NO_RDATA })), removed, added];
  const size = lists.flat().reduce((sum, { owner, rdata }) => sum + owner.length + 8 + rdata.length, 8 + 4 * 4);
  const octets = new Uint8Array(new SharedArrayBuffer(size));
  const view = new DataView(octets.buffer);
  view.setUint32(0, from);
  view.setUint32(4, to);
  let at = 8;
  for (const list of lists) {
    view.setUint32(at, list.length);
    at += 4;
    for (const { owner, type, ttl, rdata } of list) {
      octets.set(owner, at);
      at += owner.length;
      view.setUint16(at, type);
      view.setUint32(at + 2, ttl);
      view.setUint16(at + 6, rdata.length);
      octets.set(rdata, at + 8);
      at += 8 + rdata.length;
    }
  }
  return octets;
}

/** The serials of an encoded step, without reading the rest. */
export function stepSerials(octets: Uint8Array): { readonly from: number; readonly to: number } {
  const view = new DataView(octets.buffer, octets.byteOffset);
  return { from: view.getUint32(0), to: view.getUint32(4) };
}

/** Null: the octets are no step (a damaged file). Records are views into `octets`. */
export function decodeStep(octets: Uint8Array): ZoneStep | null {
  if (octets.length < 8) return null;
  const reader = new StepReader(octets, 8);
  const lists = [reader.list(), reader.list(), reader.list(), reader.list()];
  const [soa, live, removed, added] = lists;
  if (soa === null || live === null || removed === null || added === null) return null;
  if (soa.length !== 1 || !reader.isAtEnd) return null;
  return { ...stepSerials(octets), soa: soa[0], live, removed, added };
}

/** Reads lists of records, from an octet on. */
export class StepReader {
  at: number;
  private readonly octets: Uint8Array;
  private readonly view: DataView;

  constructor(octets: Uint8Array, at: number) {
    this.octets = octets;
    this.at = at;
    this.view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  }

  get isAtEnd(): boolean {
    return this.at === this.octets.length;
  }

  /** The records of a list, which are made one at a time; it ends early where there is none. */
  *each(): Generator<StepRecord> {
    if (this.at + 4 > this.octets.length) return;
    let left = this.view.getUint32(this.at);
    this.at += 4;
    for (; left > 0; left--) {
      const record = this.record();
      if (record === null) return;
      yield record;
    }
  }

  list(): StepRecord[] | null {
    if (this.at + 4 > this.octets.length) return null;
    let left = this.view.getUint32(this.at);
    this.at += 4;
    const records: StepRecord[] = [];
    for (; left > 0; left--) {
      const record = this.record();
      if (record === null) return null;
      records.push(record);
    }
    return records;
  }

  private record(): StepRecord | null {
    const { octets, view } = this;
    let fields = this.at;
    while (fields < octets.length && octets[fields] !== 0) fields += 1 + octets[fields];
    fields += 1; // the root label
    if (fields - this.at > NAME_MAX || fields + 8 > octets.length) return null;
    const end = fields + 8 + view.getUint16(fields + 6);
    if (end > octets.length) return null;
    const owner = octets.subarray(this.at, fields);
    this.at = end;
    return {
      owner,
      type: view.getUint16(fields),
      ttl: view.getUint32(fields + 2),
      rdata: octets.subarray(fields + 8, end),
    };
  }
}

/** The same for equal records, TTL and spelling included. */
export function recordKey({ owner, type, ttl, rdata }: StepRecord): string {
  const text = (octets: Uint8Array): string =>
    Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1');
  return `${type} ${ttl} ${text(owner)}${text(rdata)}`;
}

/** An SOA record with another serial. */
export function withSerial(soa: StepRecord, serial: number): StepRecord {
  const rdata = new Uint8Array(soa.rdata);
  new DataView(rdata.buffer).setUint32(rdata.length - 20, serial);
  return { ...soa, rdata };
}
