/** Reads sets from a primary by asking it, and tells those that exist from those that a wildcard makes up. */
import { RCODE, TYPE } from '../../dns/message.ts';
import { isWithin, parentName, type WireName } from '../../dns/name.ts';
import { canonicalAddress, endpointText } from '../../system/address.ts';
import type { Guard } from '../../system/guard.ts';
import { aliasFault, cutFault, nameInZone } from './names-in-zone.ts';
import { type AddressType, type HeldSet, ProviderError, type SetKey } from './provider.ts';
import { exchange } from './rfc2136-exchange.ts';
import { queryFault, type Rfc2136Spec, updateFault } from './rfc2136-faults.ts';
import { existsMessage, readSetReply, type SetReply, setQuery } from './rfc2136-message.ts';

export const TYPE_CODES = { A: TYPE.a, AAAA: TYPE.aaaa } as const;
export const ADDRESS_OCTETS = { A: 4, AAAA: 16 } as const;

type Asked = { readonly name: WireName; readonly type: AddressType };
type Found = { readonly asked: Asked; readonly reply: SetReply };

/** All questions go over one connection. Rejects with a ProviderError, or with the signal's reason. */
export async function readSets(
  spec: Rfc2136Spec,
  keys: readonly SetKey[],
  signal: AbortSignal,
  guard: Guard,
): Promise<readonly HeldSet<null>[]> {
  const zone = nameInZone(spec.zone, spec.zone);
  const own = keys.map(({ name, type }) => ({ name: nameInZone(name, spec.zone), type }));
  const all = [...own, ...wildcardsOver(own, zone)];
  const queries = [setQuery(zone, TYPE.soa), ...all.map(({ name, type }) => setQuery(name, TYPE_CODES[type]))];
  const [soa, ...answers] = await exchange(spec, queries, signal, guard);
  checkZone(soa, zone, spec);
  const found = answers.map((octets, i): Found => {
    const { name, type } = all[i];
    checkRcode(octets, spec);
    return { asked: all[i], reply: readSetReply(octets, zone, name, TYPE_CODES[type]) };
  });
  const ofKeys = found.slice(0, own.length);
  const madeUp = await expanded(ofKeys, found, zone, spec, signal, guard);
  return ofKeys.flatMap((one, i) => (madeUp.has(one) ? [] : (heldSet(one.reply, keys[i], spec) ?? [])));
}

/** The wildcards that may answer for the names (RFC 4592 §2.2), each once. */
function wildcardsOver(asked: readonly Asked[], zone: WireName): readonly Asked[] {
  const over = new Map<string, Asked>();
  for (const { name, type } of asked) {
    for (let at = name; at !== zone; ) {
      at = parentName(at);
      const wildcard = `\u0001*${at}` as WireName;
      if (wildcard.length <= 255 && wildcard !== name) over.set(`${wildcard} ${type}`, { name: wildcard, type });
    }
  }
  return [...over.values()];
}

function checkRcode(octets: Uint8Array, spec: Rfc2136Spec): void {
  const rcode = octets[3] & 15;
  if (rcode !== RCODE.noError && rcode !== RCODE.nxDomain) throw queryFault(rcode, spec);
}

/** Whether the server has the zone at all, so that a name that is missing means a name that is missing. */
function checkZone(octets: Uint8Array, zone: WireName, spec: Rfc2136Spec): void {
  checkRcode(octets, spec);
  const reply = readSetReply(octets, zone, zone, TYPE.soa);
  if (reply.kind === 'malformed') throw unusable(reply.why, spec);
  if (reply.kind === 'set' && reply.records.length > 0) return;
  throw new ProviderError('zone', `${endpointText(spec.to)} has no zone ${spec.zone}: look at zone and to`);
}

function unusable(why: string, { to }: Rfc2136Spec): ProviderError {
  return new ProviderError('malformed', `an answer of ${endpointText(to)} is not usable: ${why}`);
}

/**
 * Those of the keys at which nothing exists, although a wildcard above them makes an answer (RFC 4592 §3.3.1). The answer
 * does not show it, but a prerequisite does; it is asked only where a wildcard has the same to offer.
 */
async function expanded(
  ofKeys: readonly Found[],
  all: readonly Found[],
  zone: WireName,
  spec: Rfc2136Spec,
  signal: AbortSignal,
  guard: Guard,
): Promise<ReadonlySet<Found>> {
  const wildcards = all.filter(({ asked }) => isWildcard(asked.name));
  const doubtful = ofKeys.filter(({ asked, reply }) =>
    wildcards.some(
      (other) =>
        isWithin(asked.name, parentName(other.asked.name)) &&
        asked.name !== other.asked.name &&
        asked.type === other.asked.type &&
        isSame(reply, other.reply),
    ),
  );
  const requests = doubtful.map(({ asked: { name, type }, reply }) =>
    existsMessage(zone, name, reply.kind === 'alias' ? TYPE.cname : TYPE_CODES[type]),
  );
  const answers = await exchange(spec, requests, signal, guard);
  return new Set(
    doubtful.filter((_, i) => {
      const rcode = answers[i][3] & 15;
      if (rcode === RCODE.nxRrset || rcode === RCODE.nxDomain) return true;
      if (rcode !== RCODE.noError) throw updateFault(rcode, spec);
      return false;
    }),
  );
}

function isWildcard(name: WireName): boolean {
  return name.startsWith('\u0001*');
}

/** Whether both are the same set, not an empty one, or both a CNAME. */
function isSame(a: SetReply, b: SetReply): boolean {
  if (a.kind === 'alias') return b.kind === 'alias' && a.type === 'CNAME' && b.type === 'CNAME';
  if (a.kind !== 'set' || b.kind !== 'set' || a.records.length === 0) return false;
  const text = (records: typeof a.records): string =>
    records
      .map(({ rdata }) => Buffer.from(rdata).toString('hex'))
      .sort()
      .join();
  return text(a.records) === text(b.records);
}

/** Null: there is no such set. */
function heldSet(reply: SetReply, { name, type }: SetKey, spec: Rfc2136Spec): HeldSet<null> | null {
  switch (reply.kind) {
    case 'malformed':
      throw unusable(reply.why, spec);
    case 'lame':
      throw new ProviderError(
        'zone',
        `${endpointText(spec.to)} does not answer for ${name} with authority: look at to`,
      );
    case 'alias':
      throw aliasFault(name, reply.type);
    case 'elsewhere':
      throw cutFault(name, reply.zone, spec.zone);
    case 'set': {
      if (reply.records.length === 0) return null;
      const ttls = [...new Set(reply.records.map(({ ttl }) => ttl))];
      const addresses = reply.records.map(({ rdata }) => {
        const address = addressFrom(rdata, type);
        if (address === null) throw unusable(`a record of ${name} ${type} is no address`, spec);
        return address;
      });
      return { name, type, ttl: ttls.length === 1 ? ttls[0] : null, addresses: addresses.sort(), extra: [], own: null };
    }
    default:
      return reply satisfies never;
  }
}

function addressFrom(rdata: Uint8Array, type: AddressType): string | null {
  if (rdata.length !== ADDRESS_OCTETS[type]) return null;
  if (type === 'A') return rdata.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => ((rdata[2 * i] << 8) | rdata[2 * i + 1]).toString(16));
  return canonicalAddress(groups.join(':'));
}
