/** Many small zones with the same contents, as a hosting network has them. */
export function zoneName(i: number): string {
  return `zone${i}.flip.test`;
}

/** Master-file text relative to the zone's own origin. */
export function smallZoneText(serial: number, apex: readonly string[]): string {
  const lines = [
    '$TTL 60',
    `@ SOA ns1.flip.test. hostmaster.flip.test. ${serial} 3600 600 86400 300`,
    '@ NS ns1.flip.test.',
    ...apex.map((address) => `@ A ${address}`),
    '@ MX 10 mail.flip.test.',
    '@ TXT "v=spf1 mx -all"',
    'mail A 192.0.2.25',
    'shop CNAME @',
  ];
  return `${lines.join('\n')}\n`;
}
