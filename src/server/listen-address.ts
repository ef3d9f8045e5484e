import { isIPv4 } from 'node:net';
import type { Endpoint } from '../config/types.ts';

/** `192.0.2.1:53`, `[2001:db8::1]:53`. */
export function endpointText({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

export function isWildcard(address: string): boolean {
  return addressOctets(address).every((octet, i) => octet === 0 || (isIPv4(address) && i < 12));
}

/**
 * 16 octets of an address in text, an IPv4 one as ::ffff:a.b.c.d, as `Client.address` wants it. The text comes from the
 * system or from a checked configuration; a zone index (`%eth0`) is ignored. What is no address gives `::`.
 */
export function addressOctets(text: string): Uint8Array {
  const octets = new Uint8Array(16);
  writeAddress(octets, text);
  return octets;
}

/** `addressOctets` into an array that is there already. */
export function writeAddress(octets: Uint8Array, text: string): void {
  octets.fill(0);
  const zoneAt = text.indexOf('%');
  const address = zoneAt < 0 ? text : text.slice(0, zoneAt);
  if (isIPv4(address)) {
    octets[10] = 0xff;
    octets[11] = 0xff;
    writeDotted(octets, 12, address);
    return;
  }
  const [head = '', tail] = address.split('::', 2);
  writeGroups(octets, 0, head);
  if (tail !== undefined && tail !== '') writeGroups(octets, 16 - groupOctets(tail), tail);
}

function writeDotted(octets: Uint8Array, at: number, dotted: string): void {
  for (const [i, part] of dotted.split('.').entries()) octets[at + i] = Number(part);
}

/** Octets that `2001:db8:192.0.2.1` stands for: two a group, four for a dotted end. */
function groupOctets(groups: string): number {
  return groups.split(':').length * 2 + (groups.includes('.') ? 2 : 0);
}

function writeGroups(octets: Uint8Array, start: number, groups: string): void {
  if (groups === '') return;
  let at = start;
  for (const group of groups.split(':')) {
    if (group.includes('.')) {
      writeDotted(octets, at, group);
      return;
    }
    const value = Number.parseInt(group, 16);
    octets[at++] = value >> 8;
    octets[at++] = value & 255;
  }
}
