/** What is to be known of an answer beside its octets: for rate limits, extended errors and the cache of responses. */

import * as message from '../../dns/message.ts';

// Bindings of another module are looked up at each use in V8, constants of this module are not.
const { EDE, RCODE, TYPE } = message;

/** Kinds of answers, as the rate limit distinguishes them. */
export const KIND = {
  positive: 0,
  /** Synthesized from a wildcard or a DNAME: any number of names share its source of synthesis (RFC 4592 §3.3). */
  wildcard: 1,
  noData: 2,
  nxDomain: 3,
  referral: 4,
  /** REFUSED, FORMERR, SERVFAIL and their like. */
  error: 5,
} as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

/** The part of a message whose records rotate from answer to answer: its live addresses. */
export class LiveBlock {
  /** Live RRsets in the message; the other fields are about the last one. */
  sets = 0;
  at = 0;
  count = 0;
  /** Octets of each record; 0: they differ. */
  size = 0;

  clear(): void {
    this.sets = 0;
    this.count = 0;
  }

  note(at: number, count: number, size: number): void {
    this.sets++;
    this.at = at;
    this.count = count;
    this.size = size;
  }
}

/** Texts of extended errors, for people (RFC 8914 §2). */
export const ERROR_TEXTS: ReadonlyMap<number, string> = new Map([
  [EDE.notReady, 'no edge has been live yet'],
  [EDE.invalidData, 'zone not loaded'],
]);

/** Why a transfer or a NOTIFY is refused, by rcode. */
export const REFUSAL_ERRORS: ReadonlyMap<number, number> = new Map([
  [RCODE.refused, EDE.prohibited],
  [RCODE.notAuth, EDE.notAuthoritative],
]);

/** Rcode of query types that no zone holds (RFC 6895 §3.1); noError: ANY and what may yet be assigned. */
export function metaTypeRcode(type: number): number {
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
