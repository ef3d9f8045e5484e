import type { Field } from './field.ts';
import { mnemonic } from './field-number.ts';

const NOTIFY = 1;

/** How to notify the target, RFC 9859 §2.2: by NOTIFY messages, or by a scheme that has only a number so far. */
export const notifyScheme: Field = {
  read: mnemonic('the scheme', 1, new Map([['NOTIFY', NOTIFY]])).read,
  print: (print) => {
    const scheme = print.take(1);
    return scheme >= 0 && print.put(scheme === NOTIFY ? 'NOTIFY' : String(scheme));
  },
};
