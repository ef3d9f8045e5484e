import type { Field } from './field.ts';

type Size = 1 | 2 | 4;
const MAX = { 1: 0xff, 2: 0xffff, 4: 0xffffffff } as const;

function printNumber(size: Size): Field['print'] {
  return (print) => {
    const value = print.take(size);
    return value >= 0 && print.put(String(value));
  };
}

function numberField(size: Size, what: string): Field {
  return {
    read: (scan) => {
      const value = scan.number(what, MAX[size]);
      return typeof value === 'number' ? scan.unsigned(value, size) : value;
    },
    print: printNumber(size),
  };
}

/** A number of one octet. `what` names it in messages. */
export const u8 = (what: string): Field => numberField(1, what);
/** A number of two octets. */
export const u16 = (what: string): Field => numberField(2, what);
/** A number of four octets. */
export const u32 = (what: string): Field => numberField(4, what);

/** Seconds in four octets; text may have units (`1h30m`). Printed as a plain number. */
export function seconds(what: string): Field {
  return {
    read: (scan) => {
      const value = scan.seconds(what);
      return typeof value === 'number' ? scan.unsigned(value, 4) : value;
    },
    print: printNumber(4),
  };
}

/** Names of numbers: mnemonic (upper case) to value. A number is always accepted instead of a mnemonic. */
export type Mnemonics = ReadonlyMap<string, number>;

/** A number of one or two octets that may be written as a mnemonic. Printed as a number. */
export function mnemonic(what: string, size: 1 | 2, names: Mnemonics): Field {
  return {
    read: (scan) => {
      const failure = scan.word(what);
      if (failure !== null) return failure;
      const named = names.get(scan.tokens.asText().toUpperCase());
      if (named !== undefined) return scan.unsigned(named, size);
      const value = scan.numberOfToken(what, MAX[size]);
      return typeof value === 'number' ? scan.unsigned(value, size) : value;
    },
    print: printNumber(size),
  };
}
