import { scanTypeName, typeName } from '../../dns/type-name.ts';
import { NOT_A_NUMBER, scanNumber } from '../text/number.ts';
import { problem } from '../text/problem.ts';
import type { Field } from './field.ts';

/** A record type in two octets, by mnemonic or number. Printed as a mnemonic. `what` names it in messages. */
export function coveredType(what: string): Field {
  return {
    read: (scan) => {
      const failure = scan.word(what);
      if (failure !== null) return failure;
      const { text, start, end } = scan.tokens;
      const number = scanNumber(text, start, end, 0xffff);
      const type = number === NOT_A_NUMBER ? scanTypeName(text, start, end) : number;
      return type < 0 ? problem('unknown-type', `"${scan.shown()}" is no record type`) : scan.unsigned(type, 2);
    },
    print: (print) => {
      const type = print.take(2);
      return type >= 0 && print.put(typeName(type));
    },
  };
}
