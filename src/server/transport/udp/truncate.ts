const TC = 0x02; // in octet 2
const OPT = 41;
const OPT_FIXED = 11; // root owner, type, class, TTL, RDLENGTH

/**
 * Makes the answer in `out` an empty truncated one: header, question, and its OPT if it has one (RFC 6891 §7). Returns
 * the new length. `out` holds an answer of our own: the question's name is not compressed, and an OPT is the last record.
 */
export function truncateAnswer(out: Uint8Array, size: number): number {
  const questionEnd = out[5] === 0 ? 12 : afterQuestion(out);
  const optAt = out[11] === 0 && out[10] === 0 ? -1 : findOpt(out, questionEnd, size);
  out[2] |= TC;
  out.fill(0, 6, 12);
  if (optAt < 0) return questionEnd;
  out[11] = 1;
  out.copyWithin(questionEnd, optAt, size);
  return questionEnd + size - optAt;
}

function afterQuestion(out: Uint8Array): number {
  let at = 12;
  while (out[at] !== 0) at += 1 + out[at];
  return at + 5;
}

/** Where the last record begins, if it is an OPT; else -1. */
function findOpt(out: Uint8Array, start: number, size: number): number {
  let records = 0;
  for (let at = 6; at < 12; at += 2) records += (out[at] << 8) | out[at + 1];
  let at = start;
  for (let i = 1; i < records; i++) at = afterRecord(out, at);
  const isOpt = at + OPT_FIXED <= size && out[at] === 0 && out[at + 1] === 0 && out[at + 2] === OPT;
  return isOpt ? at : -1;
}

function afterRecord(out: Uint8Array, start: number): number {
  let at = start;
  while (out[at] !== 0 && out[at] < 0xc0) at += 1 + out[at];
  at += out[at] === 0 ? 1 : 2;
  return at + 10 + ((out[at + 8] << 8) | out[at + 9]);
}
