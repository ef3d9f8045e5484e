import type { QuerySpec } from '../support/dns-query.ts';
import type { PeerKind } from '../support/peers.ts';
import { differences, type Field, type Outcome } from './compare.ts';

/** One kind of difference, and why our side of it stands. */
export type Explained = {
  readonly name: string;
  /** The text that allows or asks for what we do. */
  readonly why: string;
  readonly peers: readonly PeerKind[];
  /** Fields that may differ for this reason. */
  readonly fields: readonly Field[];
  readonly applies: (ours: Outcome, theirs: Outcome, query: QuerySpec) => boolean;
};

const subset = (a: readonly string[], b: readonly string[]): boolean => a.every((line) => b.includes(line));

const hasAlias = (outcome: Outcome): boolean => outcome.answer.some((line) => / (cname|dname) /.test(line));

const namesHost = (outcome: Outcome): boolean =>
  outcome.answer.length > 0 && outcome.answer.every((line) => / (afsdb|kx|svcb|https) /.test(line));

export const EXPLAINED: readonly Explained[] = [
  {
    name: 'both are truncated and kept different parts',
    why: 'RFC 2181 §9: a client that sees TC asks again over TCP and uses nothing of what came',
    peers: ['bind', 'knot'],
    fields: ['answer', 'authority', 'additional'],
    applies: (ours, theirs) => ours.tc && theirs.tc,
  },
  {
    name: 'an alias leads into another zone of ours',
    why: 'RFC 1034 §4.3.2 step 3a: the query goes back to step 1, which looks among all zones; RFC 6604 §3: rcode of the last name',
    peers: ['bind', 'nsd', 'knot'],
    fields: ['rcode', 'answer', 'authority', 'additional', 'tc'],
    applies: (ours, theirs) =>
      hasAlias(theirs) &&
      subset(theirs.answer, ours.answer) &&
      (ours.answer.length > theirs.answer.length ||
        (ours.authority.length > 0 && !subset(ours.authority, theirs.authority))),
  },
  {
    name: 'targets of SVCB that differ in case are two records',
    why: 'RFC 4034 §6.2 does not lowercase them, so they are not duplicates (RFC 2181 §5)',
    peers: ['nsd'],
    fields: ['answer'],
    applies: (ours, theirs) =>
      theirs.answer.length > 0 &&
      theirs.answer.every((line) => / svcb /.test(line)) &&
      [...new Set(ours.answer)].join() === theirs.answer.join(),
  },
  {
    name: 'signatures asked for by type are given for every type covered',
    why: 'RFC 1034 §3.7.1: all RRs that match the type; Knot gives those of one RRset',
    peers: ['knot'],
    fields: ['answer'],
    applies: (ours, theirs) =>
      theirs.answer.length > 0 &&
      theirs.answer.every((line) => / rrsig /.test(line)) &&
      subset(theirs.answer, ours.answer),
  },
  {
    name: 'a loop of aliases is written until it is noticed',
    why: 'RFC 1034 §3.6.2: each link once says all there is',
    peers: ['nsd', 'knot'],
    fields: ['answer'],
    applies: (ours, theirs) =>
      theirs.answer.length > ours.answer.length && [...new Set(theirs.answer)].join() === ours.answer.join(),
  },
  {
    name: 'no addresses beside a type that names a host',
    why: 'RFC 1183 §1 (AFSDB), RFC 2230 §2.1 (KX), RFC 9460 §4.1 (SVCB, HTTPS): they belong into the additional section',
    peers: ['nsd', 'knot'],
    fields: ['additional'],
    applies: (ours, theirs) => namesHost(ours) && !subset(ours.additional, theirs.additional),
  },
  {
    name: 'the zone has its NS put beside an answer that did not ask for it',
    why: 'RFC 1034 §4.3.2 has NS copied for referrals only; beside other answers it helps nobody and amplifies floods',
    peers: ['nsd'],
    fields: ['authority', 'additional'],
    applies: (ours, theirs) =>
      ours.authority.length === 0 &&
      theirs.authority.length > 0 &&
      theirs.authority.every((line) => line.includes(' ns ')) &&
      (subset(ours.additional, theirs.additional) || namesHost(ours)),
  },
  {
    name: 'no addresses beside an answer whose host lies in a child zone',
    why: 'RFC 1034 §4.3.2 step 6, RFC 2181 §5.4.1: glue is what is at hand, and additional data is taken as that',
    peers: ['nsd'],
    fields: ['authority', 'additional'],
    applies: (ours, theirs) => theirs.additional.length === 0 && ours.answer.some((line) => / (mx|srv) /.test(line)),
  },
  {
    name: 'glue that a referral needs was left out without a word',
    why: 'RFC 9471 §3.1: TC must tell that glue from within the child did not fit',
    peers: ['nsd', 'bind'],
    fields: ['tc', 'additional'],
    applies: (ours, theirs) => ours.tc && !theirs.tc && !ours.aa && theirs.authority.every((line) => / ns /.test(line)),
  },
  {
    name: 'a loop of aliases is SERVFAIL',
    why: 'RFC 1034 §3.6.2 leaves open what signals a loop; the links are the answer that a resolver can judge for itself',
    peers: ['bind'],
    fields: ['rcode', 'answer'],
    applies: (ours, theirs) => ours.rcode === 'NOERROR' && theirs.rcode === 'SERVFAIL' && hasAlias(theirs),
  },
  {
    name: 'a name made by a DNAME is compressed less',
    why: 'RFC 1035 §4.1.4: names may point to any earlier one, so that more fits before TC is needed',
    peers: ['bind'],
    fields: ['tc', 'answer', 'authority'],
    applies: (ours, theirs) => theirs.tc && !ours.tc && ours.answer.some((line) => line.includes(' dname ')),
  },
  {
    name: 'what a NAPTR leads to comes along',
    why: 'RFC 3403 §5 only allows it; a client that asks for NAPTR asks next for what its flags say',
    peers: ['bind'],
    fields: ['additional'],
    applies: (ours, theirs) => theirs.answer.some((line) => line.includes(' naptr ')) && ours.additional.length === 0,
  },
  {
    name: 'TLSA records beside the addresses of an exchange',
    why: 'RFC 1035 §3.3.9, RFC 2782: additional data of MX and SRV are addresses',
    peers: ['bind'],
    fields: ['additional'],
    applies: (ours, theirs) =>
      ours.additional.join() === theirs.additional.filter((line) => !line.includes(' tlsa ')).join(),
  },
  {
    name: 'addresses that are of use but not needed are left out',
    why: 'RFC 1034 §4.3.2 step 6: what is useful and at hand is added; it fits, and saves a resolver a question',
    peers: ['bind'],
    fields: ['additional'],
    applies: (ours, theirs) => !ours.tc && subset(theirs.additional, ours.additional),
  },
];

/** Why these outcomes differ; null: nobody knows. */
export function explain(kind: PeerKind, ours: Outcome, theirs: Outcome, query: QuerySpec): readonly Explained[] | null {
  let left = differences(ours, theirs);
  const reasons: Explained[] = [];
  for (const entry of EXPLAINED) {
    if (left.length === 0) break;
    if (!entry.peers.includes(kind) || !entry.fields.some((field) => left.includes(field))) continue;
    if (!entry.applies(ours, theirs, query)) continue;
    left = left.filter((field) => !entry.fields.includes(field));
    reasons.push(entry);
  }
  return left.length === 0 ? reasons : null;
}
