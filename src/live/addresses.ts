import type { LiveMember } from '../health/choose/decision.ts';
import type { ActiveCanary } from '../health/choose/memory.ts';
import { addressOctets } from '../system/address.ts';
import type { LiveAddresses, LiveVersion } from '../zones/image/live-version.ts';

/** Octets of an address that was checked when it was resolved or read; none of one that is no address after all. */
function octetsOf(address: string | null): readonly Uint8Array[] {
  const octets = address === null ? null : addressOctets(address);
  return octets === null ? [] : [octets];
}

/** What the live members publish, in their order. Two edges may have one address. */
export function liveAddresses(members: readonly Pick<LiveMember, 'v4' | 'v6'>[]): LiveAddresses {
  return {
    v4: withoutRepeats(members.flatMap(({ v4 }) => octetsOf(v4))),
    v6: withoutRepeats(members.flatMap(({ v6 }) => octetsOf(v6))),
  };
}

/** A live set holds an address once (RFC 2181 §5). */
export function withoutRepeats(addresses: readonly Uint8Array[]): readonly Uint8Array[] {
  const seen = new Map(addresses.map((octets) => [octets.join('.'), octets]));
  return seen.size === addresses.length ? addresses : [...seen.values()];
}

/**
 * The live set as one zone sees it: the canary comes last and its victim is left out (specification section 8), except
 * in a family that no other member answers and the canary cannot: there the victim stays.
 */
export function withCanary(members: readonly LiveMember[], canary: ActiveCanary): LiveAddresses {
  const six = canary.address.includes(':');
  const others: Pick<LiveMember, 'v4' | 'v6'>[] = members.filter(({ edge }) => edge !== canary.victim);
  const victim = members.find(({ edge }) => edge === canary.victim);
  const rest = six ? 'v4' : 'v6';
  if (victim !== undefined && others.every((member) => member[rest] === null)) {
    others.push({ v4: null, v6: null, [rest]: victim[rest] });
  }
  return liveAddresses([...others, { v4: six ? null : canary.address, v6: six ? canary.address : null }]);
}

export function sameAddresses(a: LiveAddresses, b: LiveAddresses): boolean {
  return sameList(a.v4, b.v4) && sameList(a.v6, b.v6);
}

function sameList(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((octets, i) => Buffer.compare(octets, b[i]) === 0);
}

export const NOTHING_LIVE: LiveVersion = { serial: 0, v4: [], v6: [] };
