/**
 * Dynamic updates on the wire (RFC 2136): the message that changes sets, the question that reads one, and what the
 * answers say. Pure. Signatures are added and taken off elsewhere.
 */
import { CLASS, HEADER_LENGTH, OPCODE, POINTER_MAX, TCP_MAX, TYPE } from '../../dns/message.ts';
import { MessageCursor } from '../../dns/message-cursor.ts';
import { isWithin, lowerName, type WireName, wireFromName } from '../../dns/name.ts';
import { TSIG_ROOM } from '../../dns/tsig-record.ts';

/** What an UPDATE does to one set. `was` null: the set must not exist; `to` null: it goes. Rdata of `type`. */
export type UpdateStep = {
  readonly name: WireName;
  readonly type: number;
  readonly was: readonly Uint8Array[] | null;
  readonly to: { readonly ttl: number; readonly rdata: readonly Uint8Array[] } | null;
};

type UpdateRecord = {
  readonly owner: WireName;
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  readonly rdata: Uint8Array;
};

const NOTHING = new Uint8Array(0);
/** Leaves room for the signature. */
const UPDATE_MAX = TCP_MAX - TSIG_ROOM;

/**
 * One message for all steps, which the server carries out together or not at all (RFC 2136 §3.4.2.7), with identifier 0.
 * It demands of each set that it is what it was (§2.4.2, §2.4.3). Null: they do not fit into one message.
 */
export function updateMessage(zone: WireName, steps: readonly UpdateStep[]): Uint8Array | null {
  const prerequisites = steps.flatMap(({ name, type, was, to }) => [
    ...(was === null
      ? [{ owner: name, type, class: CLASS.none, ttl: 0, rdata: NOTHING }]
      : was.map((rdata) => ({ owner: name, type, class: CLASS.in, ttl: 0, rdata }))),
    // Beside a CNAME an address would be dropped in silence (§3.4.2.2).
    ...(to === null ? [] : [{ owner: name, type: TYPE.cname, class: CLASS.none, ttl: 0, rdata: NOTHING }]),
  ]);
  const updates = steps.flatMap(({ name, type, was, to }) => [
    ...(was === null ? [] : [{ owner: name, type, class: CLASS.any, ttl: 0, rdata: NOTHING }]),
    ...(to?.rdata ?? []).map((rdata) => ({ owner: name, type, class: CLASS.in, ttl: to?.ttl ?? 0, rdata })),
  ]);
  return encode(zone, prerequisites, updates);
}

/** An UPDATE that changes nothing and succeeds where the set exists (RFC 2136 §2.4.1), with identifier 0. */
export function existsMessage(zone: WireName, name: WireName, type: number): Uint8Array {
  return encode(zone, [{ owner: name, type, class: CLASS.any, ttl: 0, rdata: NOTHING }], []) ?? NOTHING; // fits always
}

/** A question for one set, without recursion and EDNS, which TCP has no need of; identifier 0. */
export function setQuery(name: WireName, type: number): Uint8Array {
  return Uint8Array.from([...head(OPCODE.query), ...wireFromName(name), 0, type, 0, CLASS.in]);
}

function head(opcode: number): readonly number[] {
  return [0, 0, opcode << 3, 0, 0, 1, 0, 0, 0, 0, 0, 0];
}

function encode(
  zone: WireName,
  prerequisites: readonly UpdateRecord[],
  updates: readonly UpdateRecord[],
): Uint8Array | null {
  const out = new Uint8Array(UPDATE_MAX);
  const owners = new Map<WireName, number>();
  out.set(head(OPCODE.update));
  out.set(wireFromName(zone), HEADER_LENGTH);
  let at = HEADER_LENGTH + zone.length;
  out.set([0, TYPE.soa, 0, CLASS.in], at);
  at += 4;
  owners.set(zone, HEADER_LENGTH);
  for (const { owner, type, class: of, ttl, rdata } of [...prerequisites, ...updates]) {
    if (at + owner.length + 10 + rdata.length > out.length) return null;
    at = writeOwner(out, at, owner, zone, owners);
    out.set([0, type, of >>> 8, of & 255, ttl >>> 24, ttl >>> 16, ttl >>> 8, ttl, 0, rdata.length], at);
    out.set(rdata, at + 10);
    at += 10 + rdata.length;
  }
  out.set([prerequisites.length >>> 8, prerequisites.length, updates.length >>> 8, updates.length], 6);
  return out.slice(0, at);
}

/** As a pointer to where the name is already, else its own labels and a pointer to the zone's name. */
function writeOwner(
  out: Uint8Array,
  at: number,
  owner: WireName,
  zone: WireName,
  owners: Map<WireName, number>,
): number {
  const known = owners.get(owner);
  if (known !== undefined) {
    out.set([0xc0 | (known >>> 8), known & 255], at);
    return at + 2;
  }
  const own = wireFromName(owner).subarray(0, owner.length - zone.length);
  out.set(own, at);
  out.set([0xc0, HEADER_LENGTH], at + own.length);
  if (at < POINTER_MAX) owners.set(owner, at);
  return at + own.length + 2;
}

/** Lengths are in octets of rdata; `ttl`: seconds. */
type SetRecord = { readonly ttl: number; readonly rdata: Uint8Array };

/**
 * What an answer says of a set:
 * - `set`: its records; none: there is no such set in the zone.
 * - `alias`: there is a CNAME at the name, or a DNAME above it.
 * - `elsewhere`: the name belongs to this zone, cut out of ours: delegated, or loaded by the server as one of its own.
 * - `lame`: the server does not answer for the zone.
 */
export type SetReply =
  | { readonly kind: 'set'; readonly records: readonly SetRecord[] }
  | { readonly kind: 'alias'; readonly type: 'CNAME' | 'DNAME' }
  | { readonly kind: 'elsewhere'; readonly zone: WireName }
  | { readonly kind: 'lame' }
  | { readonly kind: 'malformed'; readonly why: string };

/**
 * Reads the answer to `setQuery`, whose header and question were found fit (`answerFault`) and whose response code is
 * NOERROR or NXDOMAIN.
 */
export function readSetReply(octets: Uint8Array, zone: WireName, name: WireName, type: number): SetReply {
  if ((octets[2] & 2) !== 0) return { kind: 'malformed', why: 'it is truncated, over TCP' };
  const cursor = MessageCursor.over(octets);
  if (cursor === null) return { kind: 'malformed', why: 'it is too short' };
  const isAuthoritative = (octets[2] & 4) !== 0;
  const records: SetRecord[] = [];
  let alias: 'CNAME' | 'DNAME' | null = null;
  let cut: WireName | null = null;
  for (;;) {
    const step = cursor.next();
    if (step === 'malformed') return { kind: 'malformed', why: 'it is cut short or longer than its records' };
    if (step === 'end') break;
    if (cursor.section === 'additional' || cursor.class !== CLASS.in) continue;
    const octetsOfOwner = cursor.owner();
    if (octetsOfOwner === null) return { kind: 'malformed', why: 'a name in it cannot be read' };
    const owner = lowerName(octetsOfOwner);
    if (cursor.section === 'authority') {
      const tells = cursor.type === TYPE.soa || (cursor.type === TYPE.ns && !isAuthoritative);
      if (tells && owner !== zone && isWithin(owner, zone)) cut = owner;
    } else if (cursor.type === TYPE.dname && isWithin(name, owner) && owner !== name) alias = 'DNAME';
    else if (owner !== name) continue;
    else if (cursor.type === TYPE.cname) alias ??= 'CNAME';
    else if (cursor.type === type) records.push({ ttl: cursor.ttl, rdata: octets.slice(cursor.rdata, cursor.end) });
  }
  if (alias !== null) return { kind: 'alias', type: alias };
  if (cut !== null) return { kind: 'elsewhere', zone: cut };
  if (!isAuthoritative) return { kind: 'lame' };
  return { kind: 'set', records };
}

/**
 * Why these octets are no answer to `request`; null: they are one. A server that refuses may leave out the question, or
 * everything behind the header (RFC 2136 §3.8).
 */
export function answerFault(octets: Uint8Array, request: Uint8Array): string | null {
  const cursor = MessageCursor.over(octets);
  if (cursor === null) return 'it is too short';
  if ((octets[2] & 0x80) === 0) return 'it is no response';
  if (((octets[2] ^ request[2]) & 0x78) !== 0) return 'it answers another kind of request';
  const isUpdate = ((request[2] >>> 3) & 15) === OPCODE.update;
  const questions = (octets[4] << 8) | octets[5];
  if (questions === 0 && (isUpdate || (octets[3] & 15) !== 0)) return null;
  const asked = MessageCursor.over(request)?.question() ?? null;
  const given = questions === 1 ? cursor.question() : null;
  const isSame =
    asked !== null &&
    given !== null &&
    lowerName(asked.name) === lowerName(given.name) &&
    asked.type === given.type &&
    asked.class === given.class;
  return isSame ? null : 'it answers another question';
}
