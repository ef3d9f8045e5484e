/** Heads and short answers of the messages that `TransferHandler` answers, and what an IXFR request says. */

import { nameEnd, recordEnd } from '../../dns/decode.ts';
import { HEADER_LENGTH, OPCODE, TYPE } from '../../dns/message.ts';
import { nameText } from '../../dns/name.ts';
import { ParsedName } from '../../dns/parsed-name.ts';
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

/** The question with an rcode, in `out`; the header alone where the question cannot be read. */
export function shortReply(message: Uint8Array, out: Uint8Array, rcode: number): number {
  const name = new ParsedName();
  const readable = message[4] === 0 && message[5] === 1 && name.read(message, HEADER_LENGTH, message.length);
  const fields = HEADER_LENGTH + name.length;
  const end = readable && fields + 4 <= message.length ? fields + 4 : HEADER_LENGTH;
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

/** Serial in the SOA of an IXFR request's authority section (RFC 1995 §3); null: there is none. */
export function ixfrSerial(message: Uint8Array): number | null {
  const { length } = message;
  if (((message[8] << 8) | message[9]) !== 1) return null;
  const question = nameEnd(message, HEADER_LENGTH, length) + 4;
  const fields = nameEnd(message, question, length);
  const end = recordEnd(message, fields, length);
  if (end < 0 || ((message[fields] << 8) | message[fields + 1]) !== TYPE.soa) return null;
  const at = nameEnd(message, nameEnd(message, fields + 10, end), end);
  if (at < 0 || at + 20 !== end) return null;
  return ((message[at] << 24) | (message[at + 1] << 16) | (message[at + 2] << 8) | message[at + 3]) >>> 0;
}
