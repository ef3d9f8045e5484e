/** Heads and short answers of the messages that `TransferHandler` answers, and what an IXFR request says. */

import { HEADER_LENGTH, OPCODE, TYPE } from '../../dns/message.ts';
import { MessageCursor } from '../../dns/message-cursor.ts';
import { lowerName, nameText } from '../../dns/name.ts';
import { TSIG_ERROR } from '../../dns/tsig.ts';
import { findTsig } from '../../dns/tsig-record.ts';

/** Header and question of an answer. */
export function replyHead(message: Uint8Array, questionEnd: number, rcode: number, authoritative: boolean): Uint8Array {
  const head = message.slice(0, questionEnd);
  const opcode = (message[2] >>> 3) & 0xf;
  head[2] = 0x80 | (opcode << 3) | (authoritative ? 4 : 0) | (opcode === OPCODE.query ? message[2] & 1 : 0);
  head[3] = rcode;
  head.fill(0, 4, HEADER_LENGTH);
  head[5] = questionEnd > HEADER_LENGTH ? 1 : 0;
  return head;
}

/** The question with an rcode, in `out`; the header alone where there is not exactly one question that can be read. */
export function shortReply(message: Uint8Array, out: Uint8Array, rcode: number): number {
  const cursor = message[4] === 0 && message[5] === 1 ? MessageCursor.over(message) : null;
  const end = cursor === null || cursor.question() === null ? HEADER_LENGTH : cursor.end;
  const head = replyHead(message, end, rcode, false);
  out.set(head);
  return head.length;
}

/** Puts a record, or nothing where it is empty, behind the message in `out[0..length)` and counts it. Returns the new length. */
export function appendRecord(out: Uint8Array, length: number, record: Uint8Array): number {
  if (record.length === 0) return length;
  out.set(record, length);
  out[11] += 1;
  return length + record.length;
}

/** What an answer to a signed request says against its signature. */
export function signatureTrouble(answer: Uint8Array): string {
  const tsig = findTsig(answer);
  if (tsig === null || tsig === 'malformed') return 'the signature cannot be read';
  const name = Object.entries(TSIG_ERROR).find(([, code]) => code === tsig.error)?.[0] ?? String(tsig.error);
  return `${name.toUpperCase()} with key ${nameText(tsig.keyName)}`;
}

/** Serial of the zone's SOA in the authority section of an IXFR request (RFC 1995 §3); null: there is none. */
export function ixfrSerial(message: Uint8Array): number | null {
  const cursor = MessageCursor.over(message);
  const question = cursor?.question() ?? null;
  if (cursor === null || question === null) return null;
  while (cursor.next() === 'record') {
    if (cursor.section !== 'authority' || cursor.type !== TYPE.soa) continue;
    const owner = cursor.owner();
    if (owner !== null && lowerName(owner) === lowerName(question.name)) return cursor.soaSerial();
  }
  return null;
}
