import { isIP, isIPv4, isIPv6, SocketAddress } from 'node:net';

/** An IP address and a port as Node wants them; `[::1]:53` was `{address: '::1', port: 53}`. */
export type Endpoint = { readonly address: string; readonly port: number };

/** An address prefix, `192.0.2.0/24`; a single address is its own longest prefix. Octets in network order. */
export type Prefix = { readonly octets: Uint8Array; readonly bits: number; readonly text: string };

/** `127.0.0.1:53`, `[::1]:53`, or an address alone, which gets `defaultPort`. Null: neither. */
export function parseEndpoint(text: string, defaultPort: number): Endpoint | null {
  if (isIP(text) !== 0) return { address: text, port: defaultPort };
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return null;
  const [, bracketed, plain, portText] = match;
  const address = bracketed ?? plain;
  if (bracketed === undefined ? !isIPv4(address) : !isIPv6(address)) return null;
  const port = portText === undefined ? defaultPort : Number(portText);
  return port > 65535 ? null : { address, port };
}

/** The form that `parseEndpoint` reads. */
export function endpointText({ address, port }: Endpoint): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Octets of an address in network order, 4 or 16; null: not an address. Zone indices (`%eth0`) are refused. */
export function addressOctets(text: string): Uint8Array | null {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  if (!isIPv6(text) || text.includes('%')) return null;
  // An embedded IPv4 tail (::ffff:192.0.2.1) is two groups of its own.
  const tail = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const hex =
    tail === null
      ? text
      : `${tail[1]}${(Number(tail[2]) * 256 + Number(tail[3])).toString(16)}:${(Number(tail[4]) * 256 + Number(tail[5])).toString(16)}`;
  const [left, right] = hex.split('::');
  const head = groups(left);
  const end = right === undefined ? [] : groups(right);
  const all = [...head, ...Array<number>(8 - head.length - end.length).fill(0), ...end];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 255]));
}

/**
 * `192.0.2.0/24`, `2001:db8::/32` or one address. Bits beyond the prefix must be zero: a slip there hides a wrong
 * length.
 */
export function parsePrefix(text: string): Prefix | null {
  const match = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text);
  const octets = match === null ? null : addressOctets(match[1]);
  if (match === null || octets === null) return null;
  const bits = match[2] === undefined ? octets.length * 8 : Number(match[2]);
  if (bits > octets.length * 8) return null;
  const clear = octets.every((octet, i) => (octet & (255 >> Math.min(8, Math.max(0, bits - 8 * i)))) === 0);
  return clear ? { octets, bits, text } : null;
}

/** One spelling per address, for comparison: `2001:DB8::0` and `2001:db8::` are the same edge. */
export function addressKey(text: string): string | null {
  const octets = addressOctets(text);
  return octets === null ? null : Buffer.from(octets).toString('hex');
}

/** As inet_ntop(3) writes it: lower case, the longest run of zeros shortened (RFC 5952 §4); null: no address. */
export function canonicalAddress(text: string): string | null {
  if (addressOctets(text) === null) return null;
  const family = text.includes(':') ? 'ipv6' : 'ipv4';
  return new SocketAddress({ address: text, family }).address;
}
