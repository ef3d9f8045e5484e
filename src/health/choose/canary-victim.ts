import type { Family } from '../judge/edge.ts';
import { byName } from '../judge/reason.ts';

/** A member of the live set for which a canary may stand in. */
export type Victim = {
  readonly edge: string;
  readonly passing: boolean;
  readonly forced: boolean;
  /** Whether it is answered over that family. */
  readonly v4: boolean;
  readonly v6: boolean;
};

/**
 * The live edge that a zone's canary replaces: `before` while it stays live; else drawn anew. Edgemanage draws at
 * random at every write; here a zone and a live set always give the same edge, different zones spread over the edges,
 * and a change of other edges moves nothing (the highest hash of zone and edge wins). A draw prefers an edge of the
 * canary's address family, so that no family loses an answer to the other one; then an edge that fails, so that a zone
 * does not lose its last passing one; and it spares forced edges.
 */
export function drawVictim(
  zone: string,
  live: readonly Victim[],
  before: string | null,
  family: Family,
): string | null {
  if (live.some(({ edge }) => edge === before)) return before;
  const weighed = live.map((victim) => ({ ...victim, weight: hash(`${zone}\n${victim.edge}`) }));
  weighed.sort(
    (a, b) =>
      Number(b[family]) - Number(a[family]) ||
      Number(a.passing) - Number(b.passing) ||
      Number(a.forced) - Number(b.forced) ||
      b.weight - a.weight ||
      byName(a.edge, b.edge),
  );
  return weighed.length === 0 ? null : weighed[0].edge;
}

/** FNV-1a with a final mix, 32 bits: short names that differ in one letter must land far apart. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
