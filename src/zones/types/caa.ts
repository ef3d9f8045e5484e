import { problem } from '../text/problem.ts';
import type { Field } from './field.ts';
import { printString, writeString } from './field-text.ts';

function isTag(wire: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const octet = wire[i];
    const letter = octet | 0x20;
    if (!(octet >= 0x30 && octet <= 0x39) && !(letter >= 0x61 && letter <= 0x7a)) return false;
  }
  return end > start;
}

/** A CAA property's tag: ASCII letters and digits, RFC 8659 §4.1. Printed bare. */
export const caaTag: Field = {
  read: (scan) => {
    const failure = scan.word('a CAA tag');
    if (failure !== null) return failure;
    const { text, start, end } = scan.tokens;
    if (isTag(text, start, end)) return writeString(scan);
    return problem('bad-word', `"${scan.shown()}" is no CAA tag: letters and digits only (RFC 8659 §4.1)`);
  },
  print: (print) => {
    const start = print.at + 1;
    if (!printString(print) || !isTag(print.wire, start, print.at)) return false;
    print.words[print.words.length - 1] = Buffer.from(print.wire.subarray(start, print.at)).toString('latin1');
    return true;
  },
};
