import { scanTypeName, typeName } from '../../../dns/type-name.ts';
import { NOT_A_NUMBER, scanNumber } from '../../text/number.ts';
import { problem } from '../../text/problem.ts';
import type { Field } from '../field.ts';

const OCTETS = 16;

/**
 * NXT's bitmap (RFC 2535 §5.2): one bit a type, below 128 only, NXT never the type 0. Types may be written as numbers.
 */
export const nxtBitmap: Field = {
  read: (scan) => {
    const bits = new Uint8Array(OCTETS);
    while (scan.more()) {
      const { text, start, end } = scan.tokens;
      const number = scanNumber(text, start, end, 0xffff);
      const type = number === NOT_A_NUMBER ? scanTypeName(text, start, end) : number;
      if (type < 0) return problem('unknown-type', `"${scan.shown()}" is no record type`);
      if (type < 1 || type > 127) return problem('unknown-type', `${scan.shown()}: NXT has types from 1 to 127 only`);
      bits[type >>> 3] |= 0x80 >>> (type & 7);
    }
    return scan.octets(bits.subarray(0, bits.findLastIndex((octet) => octet !== 0) + 1));
  },
  print: (print) => {
    const bits = print.rest();
    if (bits.length > OCTETS || (bits.length > 0 && (bits[bits.length - 1] === 0 || (bits[0] & 0x80) !== 0)))
      return false;
    for (let type = 1; type < bits.length * 8; type++) {
      if ((bits[type >>> 3] & (0x80 >>> (type & 7))) !== 0) print.put(typeName(type));
    }
    return true;
  },
};
