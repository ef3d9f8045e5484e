import * as message from '../../dns/message.ts';

// Imported names are looked up at each use, constants of this module are folded into the code.
const { EDE, RCODE, TYPE } = message;

/** What an extended error says to the person who looks at it. */
export const ERROR_TEXTS: ReadonlyMap<number, string> = new Map([
  [EDE.notReady, 'no edge has been live yet'],
  [EDE.invalidData, 'zone not loaded'],
]);

/** Why a transfer or a NOTIFY is refused, by rcode. */
export const REFUSAL_ERRORS: ReadonlyMap<number, number> = new Map([
  [RCODE.refused, EDE.prohibited],
  [RCODE.notAuth, EDE.notAuthoritative],
]);

/** What is said to query types that no zone holds (RFC 6895 §3.1); noError: ANY and what may yet be assigned. */
export function metaRcode(type: number): number {
  switch (type) {
    case TYPE.opt:
    case TYPE.tsig:
    case TYPE.axfr: // over UDP, RFC 5936 §4.2
      return RCODE.formErr;
    case TYPE.tkey:
    case TYPE.mailb:
    case TYPE.maila:
      return RCODE.notImp;
    default:
      return RCODE.noError;
  }
}
