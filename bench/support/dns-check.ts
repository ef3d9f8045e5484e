/**
 * Whether octets are a well-formed answer to a query, by the RFCs' text and without any of the server's code: a quick
 * check for millions of answers. Returns what is wrong in a few words; null: nothing.
 */
export function wrongWith(
  query: Uint8Array,
  queryLength: number,
  answer: Uint8Array,
  length: number,
  udp: boolean,
): string | null {
  if (length < 12) return 'shorter than a header';
  if (length > (udp ? 1232 : 65_535)) return `${length} octets`;
  if (queryLength < 12) return 'an answer to what is no message';
  if (answer[0] !== query[0] || answer[1] !== query[1]) return 'another identifier';
  if ((answer[2] & 0x80) === 0) return 'not a response';
  if ((query[2] & 0x80) !== 0) return 'an answer to a response';
  if (((answer[2] ^ query[2]) & 0x78) !== 0) return 'another opcode';
  if ((answer[3] & 0xf0) !== 0) return 'RA, Z, AD or CD set';
  const walk = new Walk(answer, length);
  return walk.message(query, queryLength, udp);
}

const OPT = 41;
const TSIG = 250;

/** Types whose rdata may hold compressed names (RFC 3597 §4): octets before the first name, number of names, octets after. */
const COMPRESSIBLE: ReadonlyMap<number, readonly [number, number, number]> = new Map([
  [2, [0, 1, 0]],
  [3, [0, 1, 0]],
  [4, [0, 1, 0]],
  [5, [0, 1, 0]],
  [6, [0, 2, 20]],
  [7, [0, 1, 0]],
  [8, [0, 1, 0]],
  [9, [0, 1, 0]],
  [12, [0, 1, 0]],
  [14, [0, 2, 0]],
  [15, [2, 1, 0]],
]);

class Walk {
  private readonly octets: Uint8Array;
  private readonly length: number;
  private at = 12;
  private opts = 0;

  constructor(octets: Uint8Array, length: number) {
    this.octets = octets;
    this.length = length;
  }

  message(query: Uint8Array, queryLength: number, udp: boolean): string | null {
    const questions = this.u16(4);
    if (questions > 1) return `${questions} questions`;
    if (questions === 1) {
      if (!this.name()) return 'question name';
      this.at += 4;
      if (this.at > Math.min(this.length, queryLength)) return 'question runs past the end';
      for (let i = 12; i < this.at; i++) if (this.octets[i] !== query[i]) return 'another question';
    }
    for (let section = 6; section < 12; section += 2) {
      for (let left = this.u16(section); left > 0; left--) {
        const wrong = this.record(section === 10, left === 1);
        if (wrong !== null) return wrong;
      }
    }
    if (this.at !== this.length) return `${this.length - this.at} octets after the last record`;
    if (this.opts > 1) return 'two OPT';
    if (udp && this.length > 512 && this.opts === 0) return `${this.length} octets without EDNS`;
    if (this.opts === 1 && this.u16(10) > 0 && (query[10] | query[11]) === 0) return 'OPT unasked';
    return null;
  }

  private record(additional: boolean, last: boolean): string | null {
    const owner = this.at;
    if (!this.name()) return `owner at ${owner}`;
    const fixed = this.at;
    if (fixed + 10 > this.length) return 'record runs past the end';
    const type = this.u16(fixed);
    const end = fixed + 10 + this.u16(fixed + 8);
    if (end > this.length) return 'rdata runs past the end';
    this.at = fixed + 10;
    if (type === OPT) {
      this.opts++;
      if (!additional || this.octets[owner] !== 0) return 'OPT at a wrong place';
      return this.options(end);
    }
    if (type === TSIG && !(additional && last)) return 'TSIG is not the last record';
    const layout = COMPRESSIBLE.get(type);
    if (layout !== undefined) {
      this.at += layout[0];
      for (let names = layout[1]; names > 0; names--) if (!this.name()) return `name in rdata of type ${type}`;
      this.at += layout[2];
      if (this.at !== end) return `rdata of type ${type} has another length`;
    }
    this.at = end;
    return null;
  }

  private options(end: number): string | null {
    while (this.at + 4 <= end) this.at += 4 + this.u16(this.at + 2);
    return this.at === end ? null : 'an option runs past its OPT';
  }

  /** Moves past a name; false where it is malformed. */
  private name(): boolean {
    let at = this.at;
    let lowest = at;
    let after = -1;
    for (let octets = 1; octets <= 255; ) {
      if (at >= this.length) return false;
      const label = this.octets[at];
      if (label === 0) {
        this.at = after < 0 ? at + 1 : after;
        return true;
      }
      if (label >= 0xc0) {
        const target = this.u16(at) & 0x3fff;
        if (at + 2 > this.length || target >= lowest || target < 12) return false;
        if (after < 0) after = at + 2;
        lowest = target;
        at = target;
      } else {
        if (label > 63) return false;
        octets += 1 + label;
        at += 1 + label;
      }
    }
    return false;
  }

  private u16(at: number): number {
    return (this.octets[at] << 8) | this.octets[at + 1];
  }
}
