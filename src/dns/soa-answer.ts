/** Asking a server for the serial of a zone: the query, and a bounded reader of what comes back. */
import { CLASS, HEADER_LENGTH, OPCODE, RCODE, TYPE } from './message.ts';
import { MessageCursor } from './message-cursor.ts';
import { lowerName, type WireName, wireFromName } from './name.ts';
import { rcodeName } from './rcode-name.ts';

/**
 * - `serial`: of the zone's SOA, answered with authority.
 * - `truncated`: to be asked again over TCP.
 * - `unusable`: an answer without the serial; `why` is a phrase for operators.
 * - `unrelated`: no answer to this query.
 */
export type SoaAnswer =
  | { readonly kind: 'serial'; readonly serial: number }
  | { readonly kind: 'truncated' }
  | { readonly kind: 'unusable'; readonly why: string }
  | { readonly kind: 'unrelated' };

const UNRELATED: SoaAnswer = { kind: 'unrelated' };

/** A query for the zone's SOA record, without recursion. */
export function soaQuery(id: number, zone: WireName): Uint8Array {
  const header = [id >>> 8, id & 255, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
  return Uint8Array.from([...header, ...wireFromName(zone), 0, TYPE.soa, 0, CLASS.in]);
}

/**
 * What the answer to `soaQuery` says: its header, its question and its first SOA. Costs no more than the octets it has,
 * whatever its counts say and wherever its names point; never throws.
 */
export function readSoaAnswer(octets: Uint8Array, id: number, zone: WireName): SoaAnswer {
  const cursor = MessageCursor.over(octets);
  if (cursor === null || ((octets[0] << 8) | octets[1]) !== id) return UNRELATED;
  const [first, second] = [octets[2], octets[3]];
  if ((first & 0x80) === 0) return UNRELATED;
  const rcode = second & 15;
  // Who refuses may do so before it has read the question.
  const questions = (octets[4] << 8) | octets[5];
  const isBare = rcode !== RCODE.noError && (questions === 0 || octets.length === HEADER_LENGTH);
  if (!isBare) {
    const question = questions === 1 ? cursor.question() : null;
    if (question === null || lowerName(question.name) !== zone) return UNRELATED;
    if (question.type !== TYPE.soa || question.class !== CLASS.in) return UNRELATED;
  }
  if (rcode !== RCODE.noError) return { kind: 'unusable', why: `answered with ${rcodeName(rcode)}` };
  if (((first >> 3) & 15) !== OPCODE.query) return UNRELATED;
  if ((first & 2) !== 0) return { kind: 'truncated' };
  return firstSoa(cursor, zone, (first & 4) !== 0);
}

function firstSoa(cursor: MessageCursor, zone: WireName, hasAuthority: boolean): SoaAnswer {
  for (;;) {
    const step = cursor.next();
    if (step === 'malformed') return { kind: 'unusable', why: 'answered with a message that cannot be read' };
    if (step === 'end' || cursor.section !== 'answer') return { kind: 'unusable', why: 'answered without an SOA' };
    if (cursor.type !== TYPE.soa || cursor.class !== CLASS.in) continue;
    const owner = cursor.owner();
    const serial = cursor.soaSerial();
    if (owner === null || serial === null) {
      return { kind: 'unusable', why: 'answered with an SOA that cannot be read' };
    }
    if (lowerName(owner) !== zone) return { kind: 'unusable', why: 'answered with the SOA of another zone' };
    return hasAuthority ? { kind: 'serial', serial } : { kind: 'unusable', why: 'answered without authority' };
  }
}
