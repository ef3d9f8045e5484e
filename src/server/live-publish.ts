import type { ActiveCanary, LiveMember } from '../health/types.ts';
import type { LiveAddresses, LiveVersion } from '../zones/live-slots.ts';

/** Octets of a dotted or colon address, as the wire has them. The address was checked when it was resolved. */
export function addressOctets(address: string): Uint8Array {
  return address.includes(':') ? octets6(address) : Uint8Array.from(address.split('.'), Number);
}

function octets6(address: string): Uint8Array {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const plain =
    dotted === null
      ? address
      : `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`;
  const [head = '', tail] = plain.split('::');
  const groups = (text: string | undefined): number[] =>
    text === undefined || text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const left = groups(head);
  const right = groups(tail);
  const all = [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 255]));
}

/** What the live members publish, in their order. */
export function liveAddresses(members: readonly Pick<LiveMember, 'v4' | 'v6'>[]): LiveAddresses {
  return {
    v4: members.flatMap(({ v4 }) => (v4 === null ? [] : [addressOctets(v4)])),
    v6: members.flatMap(({ v6 }) => (v6 === null ? [] : [addressOctets(v6)])),
  };
}

/** The live set as one zone sees it: the canary stands last, its victim is left out (specification section 8). */
export function withCanary(members: readonly LiveMember[], canary: ActiveCanary): LiveAddresses {
  const others = members.filter(({ edge }) => edge !== canary.victim);
  const six = canary.address.includes(':');
  return liveAddresses([...others, { v4: six ? null : canary.address, v6: six ? canary.address : null }]);
}

export function sameAddresses(a: LiveAddresses, b: LiveAddresses): boolean {
  return sameList(a.v4, b.v4) && sameList(a.v6, b.v6);
}

function sameList(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((octets, i) => Buffer.compare(octets, b[i]) === 0);
}

export const NOTHING_LIVE: LiveVersion = { serial: 0, v4: [], v6: [] };
