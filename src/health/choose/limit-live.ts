/**
 * `dnschange_maxfreq` (section 12.9): what is answered, addresses included, changes so often at most in 600 s; beyond
 * that it is held as it is, failing members included. Exceptions: what an operator changed; a family without a working
 * address, which is replaced where another has one; and an address that failed three times in a row, once a passing
 * edge takes its place. Members that may not be answered any more (unlisted, unavailable, without address) leave even
 * then.
 */

import { type Addresses, FAMILIES, type Family } from '../judge/edge.ts';
import { byName } from '../judge/reason.ts';
import type { CandidatePool } from './candidates.ts';
import type { Hold, Replacement } from './decision.ts';
import { holdAt } from './limit.ts';
import { isDead, worksAt } from './misses.ts';
import type { RoundFacts } from './round.ts';
import type { Candidate } from './select.ts';

/** What is answered, by edge, sorted by name; none without an address. */
export type Answers = ReadonlyMap<string, Addresses>;

export type Limited = {
  readonly answers: Answers;
  /** The limit keeps something back. */
  readonly hold: Hold | null;
  readonly replaced: readonly Replacement[];
};

export function limitLive(facts: RoundFacts, pool: CandidatePool): Limited {
  const wanted = sorted(pool.chosen.map(({ candidate, v4, v6 }) => [candidate.facts.name, { v4, v6 }] as const));
  const free: Limited = { answers: wanted, hold: null, replaced: [] };
  if (facts.operatorChange || pool.withdrawn || sameAnswers(pool.before, wanted)) return free;

  const candidates = new Map(pool.candidates.map((candidate) => [candidate.facts.name, candidate]));
  const kept = new Map([...pool.before].filter(([name]) => candidates.has(name)));
  if (kept.size === 0) return free;
  const hold = holdAt(facts.memory.rotations, facts.rules.maxfreq, facts.now);
  if (hold === null) return free;

  const round = { pool, candidates, kept, wanted };
  const families = { v4: limitFamily('v4', round), v6: limitFamily('v6', round) };
  const names = new Set(FAMILIES.flatMap((family) => [...families[family].addresses.keys()]));
  const addressOf = (name: string, family: Family): string | null => families[family].addresses.get(name) ?? null;
  const answers = sorted(
    [...names].map((name) => [name, { v4: addressOf(name, 'v4'), v6: addressOf(name, 'v6') }] as const),
  );
  // Vanished or replaced members may have made the kept set the wanted one already: then nothing is held back.
  const isHeld = !sameAnswers(answers, wanted);
  const replaced = distinct([...families.v4.replaced, ...families.v6.replaced]);
  return { answers, hold: isHeld ? hold : null, replaced };
}

type Round = {
  readonly pool: CandidatePool;
  readonly candidates: ReadonlyMap<string, Candidate>;
  readonly kept: Answers;
  readonly wanted: Answers;
};
type LimitedFamily = { readonly addresses: ReadonlyMap<string, string>; readonly replaced: readonly Replacement[] };

function limitFamily(family: Family, { pool, candidates, kept, wanted }: Round): LimitedFamily {
  const works = (name: string, address: string): boolean => {
    const candidate = candidates.get(name);
    return candidate !== undefined && worksAt(candidate, family, address);
  };
  // An edge that has moved may still answer at its old address, until it has been elsewhere for three rounds.
  const isAlive = (name: string, address: string): boolean =>
    candidates.get(name)?.facts[family] === address ? works(name, address) : !isDead(pool.misses, name, address);

  const addresses = addressesIn(family, kept);
  const want = addressesIn(family, wanted);
  const passing = [...want].filter(([name, address]) => works(name, address));
  const keptAlive = [...addresses].some(([name, address]) => isAlive(name, address));
  if (!keptAlive && passing.length > 0) return { addresses: want, replaced: [] };

  const replaced: Replacement[] = [];
  const joining = pool.chosen
    .map(({ candidate }) => candidate.facts.name)
    .filter((name) => passing.some(([passes]) => passes === name) && addresses.get(name) !== want.get(name));
  for (const [edge, address] of [...addresses]) {
    const isLost = !works(edge, address) && isDead(pool.misses, edge, address);
    // An edge at a new address takes its own place; another one takes that of an edge that fails.
    const by = isLost
      ? (joining.find((name) => name === edge) ?? joining.find((name) => !addresses.has(name)))
      : undefined;
    if (by === undefined) continue;
    addresses.delete(edge);
    addresses.set(by, want.get(by) ?? address);
    replaced.push({ edge, by });
  }
  return { addresses, replaced };
}

function addressesIn(family: Family, answers: Answers): Map<string, string> {
  return new Map(
    [...answers].flatMap(([name, addresses]) => {
      const address = addresses[family];
      return address === null ? [] : [[name, address] as const];
    }),
  );
}

function sorted(entries: readonly (readonly [string, Addresses])[]): Answers {
  return new Map([...entries].sort(([a], [b]) => byName(a, b)));
}

function distinct(replaced: readonly Replacement[]): readonly Replacement[] {
  return [...new Map(replaced.map((one) => [`${one.edge} ${one.by}`, one])).values()];
}

export function sameAnswers(a: Answers, b: Answers): boolean {
  if (a.size !== b.size) return false;
  return [...a].every(([name, { v4, v6 }]) => {
    const other = b.get(name);
    return other !== undefined && other.v4 === v4 && other.v6 === v6;
  });
}

/** Whether two lists name the same edges, in whatever order. Neither repeats a name. */
export function sameNames(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  const names = new Set(a);
  return b.every((name) => names.has(name));
}
