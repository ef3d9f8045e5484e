import * as message from './message.ts';

const { OPTION } = message;

/** Answers of like size become alike: their length is a multiple of this (RFC 8467 §4.1). */
const BLOCK = 468;
const OPTION_HEAD = 4;
const RDLENGTH = 9;

/**
 * Pads a message that ends at `end` with its OPT record, which begins at `opt`, by one more option (RFC 7830 §3): zeros
 * up to the next multiple of 468 octets, or to `limit`. Returns the new end.
 */
export function padAnswer(out: Uint8Array, view: DataView, opt: number, end: number, limit: number): number {
  const start = end + OPTION_HEAD;
  if (start > limit) return end;
  const to = Math.min(Math.ceil(start / BLOCK) * BLOCK, limit);
  view.setInt16(end, OPTION.padding);
  view.setInt16(end + 2, to - start);
  out.fill(0, start, to);
  view.setInt16(opt + RDLENGTH, view.getUint16(opt + RDLENGTH) + to - end);
  return to;
}
