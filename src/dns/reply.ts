/** A question put to a name server, and a bounded reader of what comes back. */
import { CLASS, HEADER_LENGTH, OPCODE, RCODE, TYPE } from './message.ts';
import { MessageCursor } from './message-cursor.ts';
import { lowerName, type WireName, wireFromName } from './name.ts';
import { comparableRdata } from './rdata-text.ts';

/** Of class IN. `id`: 16 bits. */
export type Asked = { readonly id: number; readonly name: WireName; readonly type: number };

/**
 * - `answer`: `data` are the rdata, in the form for comparison, of the records of the asked type in the answer section
 *   that belong to the asked name, or to where CNAME records lead from it.
 * - `truncated`: to be asked again over TCP.
 * - `malformed`: our question's answer, but not a sound message; `why` is a phrase for operators.
 * - `unrelated`: no answer to this query.
 */
export type Reply =
  | { readonly kind: 'answer'; readonly rcode: number; readonly data: readonly Uint8Array[] }
  | { readonly kind: 'truncated' }
  | { readonly kind: 'malformed'; readonly why: string }
  | { readonly kind: 'unrelated' };

const UNRELATED: Reply = { kind: 'unrelated' };

/** The largest answer asked for over UDP, octets: it passes without fragments (RFC 9715 §3). */
const UDP_SIZE = 1232;

/** A query without recursion, with EDNS (RFC 6891 §6.1.2). */
export function ednsQuery({ id, name, type }: Asked): Uint8Array {
  const header = [id >>> 8, id & 255, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
  const opt = [0, 0, TYPE.opt, UDP_SIZE >>> 8, UDP_SIZE & 255, 0, 0, 0, 0, 0, 0];
  return Uint8Array.from([...header, ...wireFromName(name), type >>> 8, type & 255, 0, CLASS.in, ...opt]);
}

/**
 * What the answer to `ednsQuery` says. Costs no more than the octets it has, whatever its counts say and wherever its
 * names point; never throws.
 */
export function readReply(octets: Uint8Array, asked: Asked): Reply {
  const cursor = MessageCursor.over(octets);
  if (cursor === null || ((octets[0] << 8) | octets[1]) !== asked.id) return UNRELATED;
  const [first, second] = [octets[2], octets[3]];
  if ((first & 0x80) === 0 || ((first >> 3) & 15) !== OPCODE.query) return UNRELATED;
  // A server that refuses may do so before it has read the question.
  const questions = (octets[4] << 8) | octets[5];
  const isBare = questions === 0 && octets.length === HEADER_LENGTH && (second & 15) !== RCODE.noError;
  if (!isBare) {
    const question = questions === 1 ? cursor.question() : null;
    if (question === null || lowerName(question.name) !== asked.name) return UNRELATED;
    if (question.type !== asked.type || question.class !== CLASS.in) return UNRELATED;
  }
  if ((first & 2) !== 0) return { kind: 'truncated' };
  return readRecords(octets, cursor, asked);
}

function readRecords(octets: Uint8Array, cursor: MessageCursor, asked: Asked): Reply {
  const data: Uint8Array[] = [];
  let { name } = asked;
  let extended = -1;
  for (;;) {
    const step = cursor.next();
    if (step === 'malformed') return { kind: 'malformed', why: 'the message is cut short or longer than its records' };
    if (step === 'end') break;
    if (cursor.type === TYPE.opt && cursor.section === 'additional') {
      if (extended >= 0) return { kind: 'malformed', why: 'it has two OPT records' };
      extended = octets[cursor.rdata - 6]; // upper eight bits of the response code, RFC 6891 §6.1.3
    }
    if (cursor.section !== 'answer' || cursor.class !== CLASS.in) continue;
    if (cursor.type !== asked.type && cursor.type !== TYPE.cname) continue;
    const owner = cursor.owner();
    const rdata = comparableRdata(octets, cursor.type, cursor.rdata, cursor.end);
    if (owner === null || rdata === null) return { kind: 'malformed', why: 'a name in it cannot be read' };
    if (lowerName(owner) !== name) continue;
    if (cursor.type === asked.type) data.push(rdata);
    else name = lowerName(rdata);
  }
  const rcode = (Math.max(0, extended) << 4) | (octets[3] & 15);
  return { kind: 'answer', rcode, data };
}
