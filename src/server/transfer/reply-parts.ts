/** Parts of the messages that answer requests: heads, short answers, records at the end. */

import { HEADER_LENGTH, OPCODE } from '../../dns/message.ts';
import { MessageCursor } from '../../dns/message-cursor.ts';
import { nameText } from '../../dns/name.ts';
import { TSIG_ERROR } from '../../dns/tsig.ts';
import { findTsig } from '../../dns/tsig-record.ts';

/** Header and question of an answer. RD is copied to answers to QUERY only. */
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

/**
 * Appends a record, or nothing where it is empty, to the message in `out[0..length)` and counts it. Returns the new
 * length.
 */
export function appendRecord(out: Uint8Array, length: number, record: Uint8Array): number {
  if (record.length === 0) return length;
  out.set(record, length);
  out[11] += 1;
  return length + record.length;
}

/** What a refusal says about the request's signature. */
export function signatureFault(answer: Uint8Array): string {
  const tsig = findTsig(answer);
  if (tsig === null || tsig === 'malformed') return 'the signature cannot be read';
  const name = Object.entries(TSIG_ERROR).find(([, code]) => code === tsig.error)?.[0] ?? String(tsig.error);
  return `${name.toUpperCase()} with key ${nameText(tsig.keyName)}`;
}
