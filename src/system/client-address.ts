import { addressOctets } from './address.ts';

/** Whether an address to listen on stands for all addresses of its family. */
export function isWildcard(address: string): boolean {
  return addressOctets(address)?.every((octet) => octet === 0) ?? false;
}

/**
 * An address as `Client.address` wants it: 16 octets, an IPv4 one as ::ffff:a.b.c.d. The text is the system's; a zone
 * index (`%eth0`) is left out. What is no address gives `::`.
 */
export function clientAddress(text: string): Uint8Array {
  const zoneAt = text.indexOf('%');
  const octets = addressOctets(zoneAt < 0 ? text : text.slice(0, zoneAt));
  const address = new Uint8Array(16);
  if (octets === null) return address;
  if (octets.length === 4) address.fill(0xff, 10, 12);
  address.set(octets, 16 - octets.length);
  return address;
}
