/**
 * Host names and mailboxes as wire octets: what `named`'s check-names accepts (RFC 952, RFC 1123 §2.1, RFC 1035 §8).
 */

/** Octet → 1: letter or digit; 2: hyphen; 0: neither. */
const CLASS = Uint8Array.from({ length: 256 }, (_, octet) => {
  if (octet === 0x2d) return 2;
  const char = String.fromCharCode(octet);
  return /[0-9A-Za-z]/.test(char) ? 1 : 0;
});

/** Labels of letters, digits and inner hyphens; the root is one. `wildcard`: a first label `*` is allowed. */
export function isHostName(wire: Uint8Array, offset: number, wildcard: boolean): boolean {
  let at = offset;
  if (wildcard && wire[at] === 1 && wire[at + 1] === 0x2a) at += 2;
  for (; wire[at] !== 0; at += 1 + wire[at]) {
    const last = at + wire[at];
    if (CLASS[wire[at + 1]] !== 1 || CLASS[wire[last]] !== 1) return false;
    for (let i = at + 2; i < last; i++) if (CLASS[wire[i]] === 0) return false;
  }
  return true;
}

/** A first label of visible ASCII, then a host name; the root is one (RFC 1183 §2.2). */
export function isMailbox(wire: Uint8Array, offset: number): boolean {
  if (wire[offset] === 0) return true;
  for (let i = offset + 1; i <= offset + wire[offset]; i++) if (wire[i] < 0x21 || wire[i] > 0x7e) return false;
  return isHostName(wire, offset + 1 + wire[offset], false);
}

/** First label base32hex without padding: a hash (RFC 5155 §3). */
export function isNsec3Owner(wire: Uint8Array, offset: number): boolean {
  if (wire[offset] === 0) return false;
  for (let i = offset + 1; i <= offset + wire[offset]; i++) {
    if (!/[0-9A-Va-v]/.test(String.fromCharCode(wire[i]))) return false;
  }
  return true;
}

const REVERSE = ['\x07in-addr\x04arpa\0', '\x03ip6\x04arpa\0', '\x03ip6\x03int\0'];

/**
 * Whether the name lies in the reverse tree, where PTR means a host. DNS-SD's browsing names there do not (RFC 6763
 * §11).
 */
export function isReverse(wire: Uint8Array, offset: number): boolean {
  let end = offset;
  while (wire[end] !== 0) end += 1 + wire[end];
  end++;
  // Every reverse tree ends in "arpa" or "int": the last octets rule out most names without making a string.
  if (wire[end - 2] !== 0x61 && wire[end - 2] !== 0x41 && wire[end - 2] !== 0x74 && wire[end - 2] !== 0x54)
    return false;
  let text = '';
  for (let i = offset; i < end; i++) text += String.fromCharCode(wire[i]);
  const lower = text.toLowerCase();
  return REVERSE.some((tree) => lower.endsWith(tree)) && !lower.includes('\x07_dns-sd\x04_udp');
}
