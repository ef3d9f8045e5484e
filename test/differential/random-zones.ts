import type { ZoneSpec } from '../support/zone-images.ts';

/** A small seeded generator (mulberry32), so that a failing run can be run again. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const LABELS = ['a', 'b', 'c', 'd', '*', '*'];

/**
 * A zone in which wildcards, delegations, aliases, redirections and data meet at random, within what all four servers
 * load: an alias or a DNAME stands alone at its name.
 */
function randomZone(origin: string, seed: number): ZoneSpec {
  const random = generator(seed);
  const pick = <T>(from: readonly T[]): T => from[random(from.length)];
  const name = (most: number): string => Array.from({ length: 1 + random(most) }, () => pick(LABELS)).join('.');
  const plain = (most: number): string => name(most).replaceAll('*', 'e');
  const single = new Set<string>();
  const many = new Set<string>();
  const lines = ['$TTL 300', '@ SOA ns.far.test. host.far.test. 1 2 3 4 60', '@ NS ns.far.test.'];
  const target = (): string => (random(8) === 0 ? 'out.far.test.' : name(3));
  for (let i = 0; i < 45; i++) {
    const owner = name(4);
    const kind = random(12);
    if (kind < 3) {
      // Wildcard NS and DNAME have no agreed meaning (RFC 4592 §4.2, §4.4).
      const alone = kind === 2 ? plain(3) : owner;
      if (single.has(alone) || many.has(alone)) continue;
      single.add(alone);
      lines.push(`${alone} ${kind === 2 ? 'DNAME' : 'CNAME'} ${target()}`);
      continue;
    }
    const shared = kind === 3 ? plain(3) : owner;
    if (single.has(shared)) continue;
    many.add(shared);
    lines.push(`${shared} ${data(kind, random, target)}`);
  }
  // RFC 6672 §2.4: nothing lies below a DNAME.
  const redirected = lines.filter((line) => line.includes(' DNAME ')).map((line) => `.${line.split(' ')[0]}`);
  const kept = lines.filter((line) => !redirected.some((owner) => line.split(' ')[0].endsWith(owner)));
  return { origin, text: `${kept.join('\n')}\n` };
}

function data(kind: number, random: (below: number) => number, target: () => string): string {
  switch (kind) {
    case 3:
      return `NS ${target()}`;
    case 4:
      return `MX ${random(3)} ${target()}`;
    case 5:
      return `TXT "${random(3)}"`;
    case 6:
    case 7:
      return `AAAA 2001:db8::${random(9)}`;
    case 8:
      return `SRV 1 ${random(2)} 3 ${target()}`;
    default:
      return `A 192.0.2.${random(200)}`;
  }
}

/** The same ones in every run. */
export const RANDOM_ZONES: readonly ZoneSpec[] = Array.from({ length: 12 }, (_, i) =>
  randomZone(`r${i}.test`, 1000 + i),
);
