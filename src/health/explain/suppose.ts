import type { Sample } from '../checks/sample.ts';
import { candidatePool } from '../choose/candidates.ts';
import type { Decision } from '../choose/decision.ts';
import { type JudgedEdges, judgeEdges } from '../choose/judge-edges.ts';
import { holdAt } from '../choose/limit.ts';
import { limitLive } from '../choose/limit-live.ts';
import type { RoundFacts } from '../choose/round.ts';
import { believed, decidingUplink } from '../choose/safety-uplink.ts';
import type { EdgeFacts, Mode } from '../judge/edge.ts';
import type { Figures } from '../judge/history.ts';
import { judge, resultsNeeded } from '../judge/judge.ts';
import type { EdgeQuorum } from '../judge/quorum.ts';
import type { Judged, JudgeRules } from '../judge/verdict.ts';

/** What is supposed of one edge in the next round; what is left out stays as it is. */
export type Change = { readonly fetch?: number; readonly mode?: Mode };

export type NextRound = {
  /** The live names of the next round under these changes, all other edges repeating their last fetch. */
  readonly live: (changes: ReadonlyMap<string, Change>) => ReadonlySet<string>;
  /** The rotation limit keeps the set until then; suppositions speak of the first round after it. */
  readonly heldUntil: number | null;
  /** How many fetches like that in a row it takes before this edge's judge changes its mind. */
  readonly results: (name: string, fetch: number) => number;
};

/** Suppositions about the round after `decision`, `interval` seconds later, by the very rules that will decide it. */
export function nextRound(facts: RoundFacts, decision: Decision, interval: number): NextRound {
  const { rules } = facts;
  const { memory } = decision;
  const soon = facts.now + interval;
  const hold = holdAt(memory.rotations, rules.maxfreq, soon);
  const index = new Map(facts.edges.map(({ name }, i) => [name, i]));

  const base = repeated(facts, decision, soon);
  const uplink = decidingUplink(facts);
  const live = (changes: ReadonlyMap<string, Change>): ReadonlySet<string> => {
    if (!isDecided(facts)) return new Set(decision.live.map(({ edge }) => edge));
    const edges = [...base.edges];
    const verdicts = [...base.verdicts];
    const judged = new Map(base.judged);
    let operatorChange = false;
    for (const [name, change] of changes) {
      const at = index.get(name);
      if (at === undefined) continue;
      edges[at] = suppose(facts.edges[at], change, soon, rules.timeout);
      const found = judge(edges[at], rules, beforeLast(rules, memory.judged.get(name) ?? null, change));
      verdicts[at] = believed(found.verdict, uplink);
      if (found.judged !== null) judged.set(name, found.judged);
      operatorChange ||= change.mode !== undefined;
    }
    const now = operatorChange || hold === null ? soon : hold.until;
    const next: RoundFacts = { ...facts, scope: 'turn', now, edges, memory, operatorChange };
    return new Set(limitLive(next, candidatePool(next, verdicts, judged)).answers.keys());
  };
  const results = (name: string, fetch: number): number =>
    resultsNeeded(rules, memory.judged.get(name) ?? null, fetch < rules.timeout);
  return { live, heldUntil: hold === null ? null : hold.until, results };
}

/** Enough vantages counted for anything to be decided. */
export function isDecided({ views }: Pick<RoundFacts, 'views'>): boolean {
  return views === undefined || views.counting >= views.needed;
}

/** The edges after their last results have come once more: what a judge that counts makes of that. */
function repeated(
  facts: RoundFacts,
  { verdicts, memory }: Decision,
  at: number,
): JudgedEdges & { readonly edges: readonly EdgeFacts[] } {
  const { edges, rules } = facts;
  if (memory.judged.size === 0) return { edges, verdicts, judged: memory.judged };
  const again = edges.map((edge) => (edge.sample === null ? edge : { ...edge, sample: { ...edge.sample, at } }));
  return { edges: again, ...judgeEdges(again, rules, memory.judged, decidingUplink(facts)) };
}

/**
 * What a judge remembers right before the fetch that changes its mind, where fetches are supposed to go on like that
 * one.
 */
export function beforeLast(rules: JudgeRules, judged: Judged | null, { fetch }: Change): Judged | null {
  if (judged === null || fetch === undefined) return judged;
  const passing = fetch < rules.timeout;
  if (judged.up === passing) return judged;
  return { ...judged, count: judged.count + resultsNeeded(rules, judged, passing) - 1 };
}

/** The edge after one more fetch. A fetch that works gives it an address, even where none was known. */
export function suppose<Edge extends EdgeFacts>(
  edge: Edge,
  { fetch, mode }: Change,
  at: number,
  timeout: number,
): Edge {
  const changed = mode === undefined ? edge : { ...edge, mode };
  if (fetch === undefined) return changed;
  const fails = fetch >= timeout;
  const sample: Sample = {
    edge: edge.name,
    at,
    seconds: fetch,
    fail: fails ? { reason: 'timeout', detail: 'supposed' } : null,
    primary: null,
    others: [],
    stalledMs: 0,
  };
  const unknown = edge.v4 === null && edge.v6 === null && !fails;
  return {
    ...changed,
    sample,
    figures: afterFetch(edge.figures, fetch),
    v4: unknown ? SUPPOSED_ADDRESS : edge.v4,
    verificationFailed: false,
    ...(edge.quorum === undefined ? {} : { quorum: supposeQuorum(edge, edge.quorum, !fails) }),
  };
}

/** All vantages find the same. */
function supposeQuorum({ v4, v6 }: EdgeFacts, quorum: EdgeQuorum, up: boolean): EdgeQuorum {
  const says = quorum.says.map(({ vantage }) => ({ vantage, up, detail: 'supposed' }));
  const works = { v4: up && (v4 !== null || v6 === null), v6: up && v6 !== null };
  return { ...quorum, up, says, works };
}

const SUPPOSED_ADDRESS = '0.0.0.0';

function afterFetch(figures: Figures, fetch: number): Figures {
  const { windowAverage, windowCount, average, count } = figures;
  return {
    last: fetch,
    windowAverage: ((windowAverage ?? 0) * windowCount + fetch) / (windowCount + 1),
    windowCount: windowCount + 1,
    average: ((average ?? 0) * count + fetch) / (count + 1),
    count: count + 1,
  };
}

/** Below which fetch time something holds that holds the sooner the faster the fetch is. `x` in seconds. */
export type Boundary =
  | { readonly kind: 'never' }
  /** Even for a fetch that fails. */
  | { readonly kind: 'always' }
  | { readonly kind: 'below'; readonly x: number };

/** Finds that boundary: first at the rules' own limits, else by halving, to the millisecond. */
export function boundaryOf(
  holds: (fetch: number) => boolean,
  { goodenough, timeout }: { readonly goodenough: number; readonly timeout: number },
): Boundary {
  if (holds(timeout)) return { kind: 'always' };
  if (holds(justUnder(timeout))) return { kind: 'below', x: timeout };
  let low: number;
  let high: number;
  if (holds(goodenough)) {
    low = goodenough;
    high = timeout;
  } else if (holds(justUnder(goodenough))) {
    return { kind: 'below', x: goodenough };
  } else {
    low = 0;
    high = goodenough;
    if (!holds(low)) return { kind: 'never' };
  }
  while (high - low > 0.0005) {
    const middle = (low + high) / 2;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return { kind: 'below', x: high };
}

function justUnder(seconds: number): number {
  return seconds * (1 - 1e-9);
}
