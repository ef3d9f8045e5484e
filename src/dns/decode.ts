import { Edns } from './decode-edns.ts';
import * as message from './message.ts';
import * as cursor from './message-cursor.ts';
import * as names from './name.ts';
import { ParsedName } from './parsed-name.ts';

// Bindings of another module are looked up at each use in V8, constants of this module are not: a tenth of an answer's
// time.
const { NAME_MAX } = names;
const { expandName, skipName, skipRecord } = cursor;
const { HEADER_LENGTH, OPCODE, TYPE } = message;

/** How a message is to be treated, from its octets alone. */
export const DECODED = {
  query: 0,
  /** No reply: too short, or itself a response (a reply to it could loop). */
  drop: 1,
  formErr: 2,
  notImp: 3,
  /** NOTIFY, or signed with TSIG. */
  notPlain: 4,
} as const;
export type Decoded = (typeof DECODED)[keyof typeof DECODED];

/** For callers that do not need a copy of the question. */
const DISCARD = new DataView(new ArrayBuffer(HEADER_LENGTH + NAME_MAX + 8));

/**
 * One query, decoded in place; one object for all queries of a thread. Refuses cheapest-first: response,
 * opcode, counts, question, then the additional section.
 */
export class Query {
  /** Octet 2 and 3 of the header. */
  flags1 = 0;
  flags2 = 0;
  /** First octet after the question; the header's end when there is no readable question. */
  questionEnd = HEADER_LENGTH;
  /** 0 and what was there before while there is no readable question. */
  type = 0;
  class = 0;
  /** Octets of the message. */
  end = 0;
  /** Neither question nor anything else but additional records. */
  isEmpty = false;
  readonly name: ParsedName = new ParsedName();
  readonly edns: Edns = new Edns();

  get opcode(): number {
    return (this.flags1 >>> 3) & 0xf;
  }

  /**
   * Decodes the first `length` octets of `query`. A question that can be read is copied to the same offset of `out`,
   * with its case.
   */
  decode(query: Uint8Array, length: number, out: DataView = DISCARD): Decoded {
    this.questionEnd = HEADER_LENGTH;
    this.end = length;
    this.isEmpty = false;
    this.type = 0;
    this.edns.clear();
    if (length < HEADER_LENGTH || (query[2] & 0x80) !== 0) return DECODED.drop;
    this.flags1 = query[2];
    this.flags2 = query[3];
    const opcode = this.opcode;
    if (opcode !== OPCODE.query) return this.otherOpcode(query, length, out, opcode);
    // RFC 9619 §4: a query has one question.
    if (query[4] !== 0 || query[5] !== 1) return this.withoutQuestion(query, length);
    if (!this.readQuestion(query, length, out)) return DECODED.formErr;
    // Only IXFR brings a record along, its SOA in the authority section (RFC 1995 §3).
    if (query[6] !== 0 || query[7] !== 0) return DECODED.formErr;
    let at = this.questionEnd;
    let authorities = (query[8] << 8) | query[9];
    if (authorities !== 0 && (authorities > 1 || this.type !== TYPE.ixfr)) return DECODED.formErr;
    for (; authorities > 0; authorities--) {
      at = skipRecord(query, skipName(query, at, length), length);
      if (at < 0) return DECODED.formErr;
    }
    const additionals = (query[10] << 8) | query[11];
    if (additionals === 0) return at === length ? DECODED.query : DECODED.formErr;
    return this.readAdditional(query, at, length, additionals);
  }

  /**
   * Only what its answer repeats is read: OPT, if the message is built like others (RFC 6891 §7), and NOTIFY's question
   * (RFC 1996 §4.7).
   */
  private otherOpcode(query: Uint8Array, length: number, out: DataView, opcode: number): Decoded {
    const [questions, answers, authorities, additionals] = [4, 6, 8, 10].map((at) => (query[at] << 8) | query[at + 1]);
    let at = HEADER_LENGTH;
    for (let left = questions; left > 0 && at >= 0; left--) at = skipQuestion(query, at, length);
    for (let left = answers + authorities; left > 0 && at >= 0; left--) {
      at = skipRecord(query, skipName(query, at, length), length);
    }
    if (at < 0 || this.readAdditional(query, at, length, additionals) === DECODED.formErr) this.edns.clear();
    if (opcode !== OPCODE.notify) return DECODED.notImp;
    if (questions === 1) this.readQuestion(query, length, out);
    return DECODED.notPlain;
  }

  /** Always FORMERR, but OPT is read where there is nothing else: a client may want a cookie (RFC 7873 §5.4). */
  private withoutQuestion(query: Uint8Array, length: number): Decoded {
    for (let i = 4; i < 10; i++) if (query[i] !== 0) return DECODED.formErr;
    const additionals = (query[10] << 8) | query[11];
    this.isEmpty = this.readAdditional(query, HEADER_LENGTH, length, additionals) === DECODED.query;
    return DECODED.formErr;
  }

  private readQuestion(query: Uint8Array, length: number, out: DataView): boolean {
    if (!this.name.read(query, HEADER_LENGTH, length, out, HEADER_LENGTH)) return false;
    const at = HEADER_LENGTH + this.name.length;
    if (at + 4 > length) return false;
    this.type = (query[at] << 8) | query[at + 1];
    this.class = (query[at + 2] << 8) | query[at + 3];
    out.setInt32(at, (this.type << 16) | this.class);
    this.questionEnd = at + 4;
    return true;
  }

  private readAdditional(query: Uint8Array, start: number, length: number, count: number): Decoded {
    let at = start;
    for (let left = count; left > 0; left--) {
      const owner = at;
      const fields = skipName(query, owner, length);
      at = skipRecord(query, fields, length);
      if (at < 0) return DECODED.formErr;
      const type = (query[fields] << 8) | query[fields + 1];
      if (type === TYPE.opt) {
        // One OPT, owned by the root (RFC 6891 §6.1.1, §6.1.2).
        if (this.edns.present || (query[owner] !== 0 && !pointsToRoot(query, owner, length))) return DECODED.formErr;
        if (!this.edns.read(query, fields, at)) return DECODED.formErr;
      } else if (type === TYPE.tsig) {
        // RFC 8945 §5.1: TSIG is the last record or the message is malformed.
        return left === 1 && at === length ? DECODED.notPlain : DECODED.formErr;
      }
    }
    return at === length ? DECODED.query : DECODED.formErr;
  }
}

/** First octet after the question at `at`; -1 when it runs past `length`. */
function skipQuestion(query: Uint8Array, at: number, length: number): number {
  const fields = skipName(query, at, length);
  return fields >= 0 && fields + 4 <= length ? fields + 4 : -1;
}

/** Whether the name at `at`, which was skipped before, is the root by a pointer (RFC 1035 §4.1.4). */
function pointsToRoot(query: Uint8Array, at: number, length: number): boolean {
  return query[at] >= 0xc0 && expandName(query.subarray(0, length), at)?.length === 1;
}
