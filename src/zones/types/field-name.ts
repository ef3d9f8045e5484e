import type { Field } from './field.ts';

/** An uncompressed domain name. `what` names it in messages. */
export function name(what: string): Field {
  return { read: (scan) => scan.name(what), print: (print) => print.name() };
}
