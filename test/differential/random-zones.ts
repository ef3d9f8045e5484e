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

/** A DS, whatever it is good for. */
const DS = `DS 1 8 2 ${'0123456789ABCDEF'.repeat(4)}`;

/** How a zone comes about. */
type Plan = {
  /** Tries at a record. */
  readonly tries: number;
  /** One target in so many lies elsewhere, … */
  readonly farOneIn: number;
  /** … at one of these. */
  readonly far: readonly string[];
  /** Zones below it that are served beside it, relative to it. */
  readonly children: readonly string[];
};

const ALONE: Plan = { tries: 45, farOneIn: 8, far: ['out.far.test.'], children: [] };

/**
 * A zone in which wildcards, delegations, aliases, redirections and data meet at random, within what all four servers
 * load: an alias or a DNAME stands alone at its name.
 */
function randomZone(origin: string, seed: number, plan: Plan): ZoneSpec {
  const random = generator(seed);
  const pick = <T>(from: readonly T[]): T => from[random(from.length)];
  const name = (most: number): string => Array.from({ length: 1 + random(most) }, () => pick(LABELS)).join('.');
  const plain = (most: number): string => name(most).replaceAll('*', 'e');
  const single = new Set<string>();
  const many = new Set<string>();
  const lines = ['$TTL 300', '@ SOA ns.far.test. host.far.test. 1 2 3 4 60', '@ NS ns.far.test.'];
  const { far } = plan;
  const target = (): string => {
    if (random(plan.farOneIn) > 0) return name(3);
    return far.length === 1 ? far[0] : pick(far);
  };
  for (const child of plan.children) {
    many.add(child);
    lines.push(`${child} NS ns.${child}`, ...(random(2) === 0 ? [] : [`${child} ${DS}`]));
  }
  for (let i = 0; i < plan.tries; i++) {
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
  randomZone(`r${i}.test`, 1000 + i, ALONE),
);

const NESTED: readonly (readonly [origin: string, children: readonly string[]])[] = [
  ['.', ['a', 'd']],
  ['a', ['b']],
  ['b.a', ['c']],
  ['c.b.a', []],
  ['d', []],
];

const under = (label: string, origin: string): string => (origin === '.' ? `${label}.` : `${label}.${origin}.`);

/** Five zones inside one another, the root among them, whose names lead into each other. */
export function nestedZones(seed: number): readonly ZoneSpec[] {
  const apexes = NESTED.map(([origin]) => (origin === '.' ? '.' : `${origin}.`));
  const far = [...apexes, ...NESTED.flatMap(([origin]) => [under('x', origin), under('b', origin)])];
  return NESTED.map(([origin, children], i) => {
    const { text } = randomZone(origin, seed + i, { tries: 25, farOneIn: 2, far, children });
    // BIND wants an address for a server whose name is the zone's own.
    return { origin, text: origin === '.' ? `${text}ns.far.test A 192.0.2.9\n` : text };
  });
}
