import { problem } from '../text/problem.ts';
import type { Field } from './field.ts';
import { base64Text, writeBase64Word } from './field-base64.ts';
import { hexDigit, hexText } from './field-hex.ts';

const FIXED = 4; // HIT length, algorithm, key length

/**
 * HIP, RFC 8005 §5: the lengths of HIT and key and the algorithm between them, then HIT, key and rendezvous servers. In
 * text: algorithm, HIT in hex, key in base64 without blanks, the servers' names.
 */
export const hip: Field = {
  read: (scan) => {
    const algorithm = scan.number('the public key algorithm', 255);
    if (typeof algorithm !== 'number') return algorithm;
    const failure = scan.advance(FIXED) ?? scan.word('the host identity tag');
    if (failure !== null) return failure;
    const { text, start, end } = scan.tokens;
    for (let i = start; i < end; i += 2) {
      const octet = i + 1 < end ? hexDigit(text[i]) * 16 + hexDigit(text[i + 1]) : -1;
      if (octet < 0 || hexDigit(text[i + 1]) < 0) {
        return problem('bad-hex', `"${scan.shown()}" is not hexadecimal; the host identity tag goes here`);
      }
      const full = scan.u8(octet);
      if (full !== null) return full;
    }
    const tagLength = scan.at - FIXED;
    if (tagLength > 255) return problem('bad-hex', 'the host identity tag is over 255 octets');
    const badKey = scan.word('the public key') ?? writeBase64Word(scan, 'the public key');
    if (badKey !== null) return badKey;
    const keyLength = scan.at - FIXED - tagLength;
    scan.out.set([tagLength, algorithm, keyLength >>> 8, keyLength & 0xff]);
    while (scan.more()) {
      const badName = scan.nameOfToken();
      if (badName !== null) return badName;
    }
    return null;
  },
  print: (print) => {
    const tagLength = print.take(1);
    const algorithm = print.take(1);
    const keyLength = print.take(2);
    if (tagLength < 1 || keyLength < 1) return false;
    const tag = print.octets(tagLength);
    const key = tag === null ? null : print.octets(keyLength);
    if (tag === null || key === null) return false;
    print.put(`${algorithm} ${hexText(tag)} ${base64Text(key)}`);
    while (print.left > 0) if (!print.name()) return false;
    return true;
  },
};
