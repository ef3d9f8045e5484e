import { HEADER_LENGTH, TYPE } from '../../../dns/message.ts';
import { skipName, skipRecord } from '../../../dns/message-cursor.ts';

const TC = 0x02; // in octet 2
const OPT_FIXED = 11; // root owner, type, class, TTL, RDLENGTH

/**
 * Makes the answer in `out` an empty truncated one: header, question, and its OPT if it has one (RFC 6891 §7). Returns
 * the new length. `out` holds an answer of our own: an OPT is its last record.
 */
export function truncateAnswer(out: Uint8Array, size: number): number {
  const questionEnd = out[5] === 0 ? HEADER_LENGTH : skipName(out, HEADER_LENGTH, size) + 4;
  const optAt = out[11] === 0 && out[10] === 0 ? -1 : findOpt(out, questionEnd, size);
  out[2] |= TC;
  out.fill(0, 6, HEADER_LENGTH);
  if (optAt < 0) return questionEnd;
  out[11] = 1;
  out.copyWithin(questionEnd, optAt, size);
  return questionEnd + size - optAt;
}

/** Where the last record begins, if it is an OPT; else -1. */
function findOpt(out: Uint8Array, start: number, size: number): number {
  let records = 0;
  for (let at = 6; at < HEADER_LENGTH; at += 2) records += (out[at] << 8) | out[at + 1];
  let at = start;
  for (let i = 1; i < records && at >= 0; i++) at = skipRecord(out, skipName(out, at, size), size);
  const isOpt = at >= 0 && at + OPT_FIXED <= size && out[at] === 0 && out[at + 1] === 0 && out[at + 2] === TYPE.opt;
  return isOpt ? at : -1;
}
