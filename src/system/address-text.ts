/** An address as text: 4 octets, 16, or 16 that hold an IPv4 address (::ffff:a.b.c.d). IPv6 is not shortened. */
export function addressText(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join('.');
  const mapped = octets.subarray(0, 10).every((octet) => octet === 0) && octets[10] === 0xff && octets[11] === 0xff;
  if (mapped) return octets.subarray(12).join('.');
  return Array.from({ length: 8 }, (_, i) => ((octets[2 * i] << 8) | octets[2 * i + 1]).toString(16)).join(':');
}
