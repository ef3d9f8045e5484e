import { textFromWire } from '../../src/dns/name.ts';
import { typeName } from '../../src/dns/type-name.ts';
import { rdataText } from '../../src/zones/write/print-record.ts';

/** A record of an answer; names are uncompressed, their case kept. */
export type Row = {
  readonly owner: string;
  readonly type: string;
  readonly class: number;
  readonly ttl: number;
  readonly rdata: Uint8Array;
  /** Rdata in master-file form. */
  readonly text: string;
  /** Whether its rdata was compressed on the wire. */
  readonly compressed: boolean;
};

export type Opt = {
  readonly size: number;
  readonly version: number;
  readonly flags: number;
  readonly options: ReadonlyMap<number, Uint8Array>;
};

export type Message = {
  readonly octets: Uint8Array;
  readonly id: number;
  readonly opcode: number;
  /** With the upper bits that OPT holds. */
  readonly rcode: string;
  readonly qr: boolean;
  readonly aa: boolean;
  readonly tc: boolean;
  readonly rd: boolean;
  readonly ra: boolean;
  readonly z: boolean;
  readonly ad: boolean;
  readonly cd: boolean;
  readonly question: { readonly name: string; readonly type: string; readonly class: number } | null;
  readonly answer: readonly Row[];
  readonly authority: readonly Row[];
  /** Without OPT and TSIG. */
  readonly additional: readonly Row[];
  readonly opt: Opt | null;
  readonly tsig: Row | null;
};

const RCODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED', 'YXDOMAIN', 'YXRRSET', 'NXRRSET'];
const MORE_RCODES: ReadonlyMap<number, string> = new Map([
  [9, 'NOTAUTH'],
  [16, 'BADVERS'],
  [23, 'BADCOOKIE'],
]);

/** A record as tests write it: `owner ttl type rdata`. */
export function line({ owner, ttl, type, text }: Row): string {
  return `${owner} ${ttl} ${type} ${text}`;
}

/** Layout of the rdata of types whose names a server may compress: `n` a name, numbers are octets. */
const COMPRESSIBLE: ReadonlyMap<string, readonly (number | 'n')[]> = new Map([
  ['NS', ['n']],
  ['MD', ['n']],
  ['MF', ['n']],
  ['CNAME', ['n']],
  ['SOA', ['n', 'n', 20]],
  ['MB', ['n']],
  ['MG', ['n']],
  ['MR', ['n']],
  ['PTR', ['n']],
  ['MINFO', ['n', 'n']],
  ['MX', [2, 'n']],
]);

/**
 * Decodes a message and throws for anything that is not well-formed: pointers that do not lead backwards, labels or
 * names too long, counts that lie, records that end elsewhere than they say, octets after the last record, compressed
 * names in rdata where RFC 3597 §4 forbids them, a second OPT.
 */
export function decodeMessage(octets: Uint8Array): Message {
  const reader = new Reader(octets);
  const [id, flags, questions, answers, authorities, additionals] = [0, 0, 0, 0, 0, 0].map(() => reader.u16());
  if (questions > 1) throw new Error(`${questions} questions`);
  const question =
    questions === 0 ? null : { name: reader.name().text, type: typeName(reader.u16()), class: reader.u16() };
  const rows = (count: number) => Array.from({ length: count }, () => reader.row());
  const answer = rows(answers);
  const authority = rows(authorities);
  const all = rows(additionals);
  if (reader.at !== octets.length) throw new Error(`${octets.length - reader.at} octets after the message`);
  const opts = [...answer, ...authority, ...all].filter(({ type }) => type === 'OPT');
  if (opts.length > 1 || (opts.length === 1 && !all.includes(opts[0]))) throw new Error('OPT at a wrong place');
  const opt = opts.length === 0 ? null : decodeOpt(opts[0]);
  const high = opts.length === 0 ? 0 : opts[0].ttl >>> 24;
  const code = (high << 4) | (flags & 15);
  const bit = (mask: number) => (flags & mask) !== 0;
  return {
    octets,
    id,
    opcode: (flags >>> 11) & 15,
    rcode: RCODES[code] ?? MORE_RCODES.get(code) ?? `RCODE${code}`,
    qr: bit(0x8000),
    aa: bit(0x400),
    tc: bit(0x200),
    rd: bit(0x100),
    ra: bit(0x80),
    z: bit(0x40),
    ad: bit(0x20),
    cd: bit(0x10),
    question,
    answer,
    authority,
    additional: all.filter(({ type }) => type !== 'OPT' && type !== 'TSIG'),
    opt,
    tsig: all.find(({ type }) => type === 'TSIG') ?? null,
  };
}

function decodeOpt({ owner, class: size, ttl, rdata }: Row): Opt {
  if (owner !== '.') throw new Error(`OPT owned by ${owner}`);
  const reader = new Reader(rdata);
  const options = new Map<number, Uint8Array>();
  while (reader.at < rdata.length) {
    const code = reader.u16();
    options.set(code, reader.take(reader.u16()));
  }
  return { size, version: (ttl >>> 16) & 0xff, flags: ttl & 0xffff, options };
}

class Reader {
  at = 0;
  private readonly octets: Uint8Array;

  constructor(octets: Uint8Array) {
    this.octets = octets;
  }

  take(count: number): Uint8Array {
    if (this.at + count > this.octets.length) throw new Error(`message ends inside a field at ${this.at}`);
    const taken = this.octets.slice(this.at, this.at + count);
    this.at += count;
    return taken;
  }

  u16(): number {
    const [high, low] = this.take(2);
    return (high << 8) | low;
  }

  name(): { readonly text: string; readonly wire: Uint8Array; readonly compressed: boolean } {
    const wire: number[] = [];
    let at = this.at;
    let lowest = at; // pointers must lead before everything read of this name
    let after = -1;
    for (;;) {
      const length = this.octets[at];
      if (length === undefined) throw new Error(`name runs past the end at ${at}`);
      if (length >= 0xc0) {
        const target = ((length & 0x3f) << 8) | this.octets[at + 1];
        if (!(target < lowest)) throw new Error(`pointer at ${at} leads to ${target}, not backwards`);
        if (target < 12) throw new Error(`pointer at ${at} leads into the header`);
        if (after < 0) after = at + 2;
        at = target;
        lowest = target;
        continue;
      }
      if (length > 63) throw new Error(`label type ${length >>> 6} at ${at}`);
      if (at + 1 + length > this.octets.length) throw new Error(`label runs past the end at ${at}`);
      wire.push(...this.octets.slice(at, at + 1 + length));
      at += 1 + length;
      if (length === 0) break;
    }
    if (wire.length > 255) throw new Error(`name of ${wire.length} octets`);
    this.at = after < 0 ? at : after;
    const octets = Uint8Array.from(wire);
    return { text: textFromWire(octets), wire: octets, compressed: after >= 0 };
  }

  row(): Row {
    const owner = this.name().text;
    const code = this.u16();
    const type = typeName(code);
    const recordClass = this.u16();
    const ttl = ((this.u16() << 16) | this.u16()) >>> 0;
    const length = this.u16();
    const end = this.at + length;
    if (end > this.octets.length) throw new Error('rdata runs past the end');
    const { rdata, compressed } = this.rdata(type, length);
    if (this.at !== end) throw new Error(`rdata of ${owner} ${type} ends at ${this.at}, not at ${end}`);
    const text = type === 'OPT' || type === 'TSIG' ? '' : rdataText(code, rdata, 0, rdata.length);
    return { owner, type, class: recordClass, ttl, rdata, text, compressed };
  }

  private rdata(type: string, length: number): { readonly rdata: Uint8Array; readonly compressed: boolean } {
    const layout = COMPRESSIBLE.get(type);
    if (layout === undefined) return { rdata: this.take(length), compressed: false };
    const parts: number[] = [];
    let compressed = false;
    for (const field of layout) {
      if (field === 'n') {
        const name = this.name();
        parts.push(...name.wire);
        compressed ||= name.compressed;
      } else parts.push(...this.take(field));
    }
    return { rdata: Uint8Array.from(parts), compressed };
  }
}
