/**
 * The zone that every server of the benches serves, and the queries put to it: an apex of four addresses (live in
 * Edgewise and gdnsd), a thousand hosts, and some of everything else that a zone holds.
 */
export const ORIGIN = 'bench.test';
export const APEX_ADDRESSES: readonly string[] = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4'];
export const APEX_TTL = 60;
const HOSTS = 1000;

/** Master-file text. `apex` are the lines that stand for the live addresses. */
export function zoneText(
  apex: readonly string[] = APEX_ADDRESSES.map((address) => `@ ${APEX_TTL} A ${address}`),
): string {
  const lines = [
    `$ORIGIN ${ORIGIN}.`,
    '$TTL 300',
    '@ SOA ns1 hostmaster 1 3600 600 86400 300',
    '@ NS ns1',
    '@ NS ns2',
    ...apex,
    '@ MX 10 mail',
    '@ TXT "v=spf1 mx -all"',
    'ns1 A 192.0.2.53',
    'ns1 AAAA 2001:db8::53',
    'ns2 A 198.51.100.53',
    'mail A 192.0.2.25',
    'sub NS ns1.sub',
    'ns1.sub A 203.0.113.53',
    '*.wild A 192.0.2.99',
    '_sip._tcp SRV 0 5 5060 mail',
  ];
  for (let i = 0; i < HOSTS; i++) {
    lines.push(`h${i} A 198.51.${100 + (i >> 8)}.${i & 255}`, `h${i} AAAA 2001:db8::${i.toString(16)}`);
    lines.push(`c${i} CNAME h${i}`, `t${i} TXT "host number ${i}"`);
  }
  return `${lines.join('\n')}\n`;
}

export type Mix = {
  readonly name: 'apex' | 'mixed' | 'nxdomain';
  readonly about: string;
  readonly edns: boolean;
  readonly queries: readonly string[];
};

/** Lines for `dnsperf`. The order is that of a fixed pseudo-random sequence, so that every run asks alike. */
export function mixes(): Mix[] {
  const random = generator(20_240_601);
  const host = (): number => random(HOSTS);
  const mixed = Array.from({ length: 20_000 }, () => {
    const pick = random(100);
    if (pick < 40) return `${ORIGIN} A`;
    if (pick < 60) return `h${host()}.${ORIGIN} A`;
    if (pick < 70) return `h${host()}.${ORIGIN} AAAA`;
    if (pick < 78) return `c${host()}.${ORIGIN} A`;
    if (pick < 84) return `t${host()}.${ORIGIN} TXT`;
    if (pick < 88) return `${ORIGIN} MX`;
    if (pick < 91) return `${ORIGIN} NS`;
    if (pick < 94) return `w${host()}.wild.${ORIGIN} A`;
    if (pick < 97) return `x.sub.${ORIGIN} A`;
    return `h${host()}.${ORIGIN} MX`;
  });
  const nxdomain = Array.from({ length: 20_000 }, () => {
    const pick = random(100);
    if (pick < 10) return `n${random(1_000_000)}.${ORIGIN} A`;
    return pick < 70 ? `${ORIGIN} A` : `h${host()}.${ORIGIN} A`;
  });
  return [
    { name: 'apex', about: 'apex A', edns: false, queries: [`${ORIGIN} A`] },
    { name: 'mixed', about: 'a mixed zone', edns: false, queries: mixed },
    { name: 'nxdomain', about: '10 % NXDOMAIN, EDNS', edns: true, queries: nxdomain },
  ];
}

/** Whole numbers below a bound, always the same sequence for a seed. */
function generator(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * bound);
  };
}
