import { HEADER_LENGTH } from './message.ts';
import { LABEL_MAX, NAME_MAX } from './name.ts';

/** Sections of a message that hold records, in their order (RFC 1035 §4.1). */
export type Section = 'answer' | 'authority' | 'additional';

/** `name`: uncompressed, case kept. */
export type Question = { readonly name: Uint8Array; readonly type: number; readonly class: number };

/** No name has more labels, so none needs more pointers: what has more was made to keep its reader busy. */
const POINTERS_MAX = 127;

/**
 * Goes over the questions and records of a message that a stranger or a peer sent, one after another. Reads nothing
 * outside the message, never throws, and costs no more than the octets that it goes over, whatever the counts in the
 * header say: every record takes eleven octets at least. Names are compressed as RFC 1035 §4.1.4 has it, and only
 * expanded on demand.
 */
export class MessageCursor {
  /** About the record that `next` reached: its section, … */
  section: Section = 'answer';
  type = 0;
  class = 0;
  /** Seconds, 0 to 2^32 − 1. */
  ttl = 0;
  /** … and the octets at which it begins, at which its rdata begins, and after which it ends. */
  start = 0;
  rdata = 0;
  end: number = HEADER_LENGTH;
  /** Whether no other record follows it. */
  isLast = false;
  private readonly message: Uint8Array;
  private questionsLeft: number;
  /** Records that the sections still hold. */
  private readonly left: { answer: number; authority: number; additional: number };

  private constructor(message: Uint8Array) {
    this.message = message;
    this.questionsLeft = this.u16(4);
    this.left = { answer: this.u16(6), authority: this.u16(8), additional: this.u16(10) };
  }

  /** Null: shorter than a header. */
  static over(message: Uint8Array): MessageCursor | null {
    return message.length < HEADER_LENGTH ? null : new MessageCursor(message);
  }

  /** The next question; null where there is none or it cannot be read. To be called before `next`. */
  question(): Question | null {
    const name = this.questionsLeft === 0 ? null : expandName(this.message, this.end);
    const fields = this.end;
    if (name === null || !this.skipQuestion()) return null;
    const at = skipName(this.message, fields, this.message.length);
    return { name, type: this.u16(at), class: this.u16(at + 2) };
  }

  /**
   * Goes to the next record, past questions that were not read. 'end': the message ends where its last record does;
   * 'malformed': it does not, or a record cannot be read.
   */
  next(): 'record' | 'end' | 'malformed' {
    const { left, message } = this;
    while (this.questionsLeft > 0) if (!this.skipQuestion()) return 'malformed';
    const section = left.answer > 0 ? 'answer' : left.authority > 0 ? 'authority' : 'additional';
    if (left[section] === 0) return this.end === message.length ? 'end' : 'malformed';
    const fields = skipName(message, this.end, message.length);
    const end = skipRecord(message, fields, message.length);
    if (end < 0) return 'malformed';
    left[section]--;
    this.section = section;
    this.start = this.end;
    this.type = this.u16(fields);
    this.class = this.u16(fields + 2);
    this.ttl = this.u16(fields + 4) * 0x10000 + this.u16(fields + 6);
    this.rdata = fields + 10;
    this.end = end;
    this.isLast = left.answer + left.authority + left.additional === 0;
    return 'record';
  }

  /** The record's owner, uncompressed, case kept; null: it cannot be read. */
  owner(): Uint8Array | null {
    return expandName(this.message, this.start);
  }

  /** The serial of the record, which is an SOA; null: its rdata is not that of one (RFC 1035 §3.3.13). */
  soaSerial(): number | null {
    const { message, rdata, end } = this;
    const responsible = skipName(message, rdata, end);
    const numbers = responsible < 0 ? -1 : skipName(message, responsible, end);
    if (numbers < 0 || numbers + 20 !== end) return null;
    return this.u16(numbers) * 0x10000 + this.u16(numbers + 2);
  }

  private skipQuestion(): boolean {
    const fields = skipName(this.message, this.end, this.message.length);
    if (fields < 0 || fields + 4 > this.message.length) return false;
    this.questionsLeft--;
    this.end = fields + 4;
    return true;
  }

  private u16(at: number): number {
    return (this.message[at] << 8) | this.message[at + 1];
  }
}

/**
 * First octet after the name at `at`, compressed or not, whose pointer is not followed; -1 when it runs past `length`
 * or has an unknown label type (RFC 6891 §5).
 */
export function skipName(message: Uint8Array, at: number, length: number): number {
  let next = at;
  while (next < length) {
    const octet = message[next];
    if (octet === 0) return next + 1;
    if (octet >= 0xc0) return next + 2 <= length ? next + 2 : -1;
    if (octet > LABEL_MAX) return -1;
    next += 1 + octet;
  }
  return -1;
}

/**
 * First octet after the record whose type field is at `fields`; -1 when `fields` is or the record runs past `length`.
 */
export function skipRecord(message: Uint8Array, fields: number, length: number): number {
  if (fields < 0 || fields + 10 > length) return -1;
  const end = fields + 10 + ((message[fields + 8] << 8) | message[fields + 9]);
  return end <= length ? end : -1;
}

/**
 * The name at `at`, uncompressed, case kept. Null: it runs past the message, is over 255 octets, or has an unknown
 * label type or a pointer that does not lead to an earlier name: each must lead further back than the one before.
 */
export function expandName(message: Uint8Array, at: number): Uint8Array | null {
  const { length } = message;
  const name = new Uint8Array(NAME_MAX);
  let used = 0;
  let next = at;
  let earliest = at;
  let pointers = 0;
  for (;;) {
    if (next >= length) return null;
    const octet = message[next];
    if (octet >= 0xc0) {
      if (next + 2 > length || ++pointers > POINTERS_MAX) return null;
      next = ((octet & 0x3f) << 8) | message[next + 1];
      if (next >= earliest || next < HEADER_LENGTH) return null;
      earliest = next;
      continue;
    }
    if (octet > LABEL_MAX || next + 1 + octet > length || used + 1 + octet > NAME_MAX) return null;
    for (let left = 1 + octet; left > 0; left--) name[used++] = message[next++];
    if (octet === 0) return name.slice(0, used);
  }
}
