import type { Sample } from '../checks/sample.ts';
import type { EdgeFacts } from '../judge/edge.ts';
import type { Verdict } from '../judge/verdict.ts';
import { answeredBefore, failuresBehind, refusalOf } from './candidates.ts';
import { workingFamilies } from './families.ts';
import { judgeEdges } from './judge-edges.ts';
import type { Memory } from './memory.ts';
import { missesAfter } from './misses.ts';
import type { RoundFacts } from './round.ts';
import { uplinkState } from './safety-uplink.ts';
import { steadinessAfter } from './steadiness.ts';

/** An edge or canary as one sample shows it. */
export type SampledEdge = EdgeFacts & { readonly sample: Sample };

/** What several samples of a target between two decisions come to, but for its newest, which the decision sees. */
export type EarlierSamples = {
  /** In which they are counted. */
  readonly memory: Memory;
  /** By target: the verdict of each, in the order of the samples. */
  readonly verdicts: ReadonlyMap<string, readonly Verdict[]>;
};

/**
 * Counts samples that newer ones of their targets have replaced before any decision saw them, as if each had been decided
 * upon while the answer stayed as it is. `facts`: of the decision that sees the newest ones. `earlier`: by target, the
 * oldest first. `isAlone` false: several vantages decide, so that only what our own judges remember is counted.
 */
export function countEarlier(
  facts: RoundFacts,
  earlier: ReadonlyMap<string, readonly SampledEdge[]>,
  isAlone = true,
): EarlierSamples {
  const { memory, rules } = facts;
  const verdicts = new Map<string, readonly Verdict[]>();
  if (earlier.size === 0) return { memory, verdicts };
  const uplink = uplinkState(facts.references);
  const first = failuresBehind(rules);
  const answered = answeredBefore(facts);
  const edges = new Set(facts.edges.map(({ name }) => name));
  const canaryOf = new Map(facts.canaries.map(({ name, zone }) => [name, zone]));
  const judged = new Map(memory.judged);
  const unsteady = new Map(memory.unsteady);
  const misses = new Map(memory.misses);

  const count = (edge: SampledEdge): Verdict => {
    const { name } = edge;
    const found = judgeEdges([edge], rules, judged, uplink);
    const [verdict] = found.verdicts;
    replaceOf(judged, name, found.judged);
    if (!edges.has(name) || !isAlone) return verdict;
    replaceOf(unsteady, name, steadinessAfter(unsteady, [edge], [verdict], first));
    if (refusalOf(edge, canaryOf.get(name)) === null) {
      const works = workingFamilies(edge, verdict, { timeout: rules.timeout, judged });
      replaceOf(misses, name, missesAfter(misses, answered, [{ facts: edge, verdict, works }], first));
    }
    return verdict;
  };
  for (const [name, samples] of earlier) verdicts.set(name, samples.map(count));
  return { memory: { ...memory, judged, unsteady, misses }, verdicts };
}

/** What is known of one edge, under its name or under name and address (`missKey`), is these entries from now on. */
function replaceOf<T>(all: Map<string, T>, edge: string, entries: ReadonlyMap<string, T>): void {
  for (const key of all.keys()) if (key === edge || key.startsWith(`${edge} `)) all.delete(key);
  for (const [key, entry] of entries) all.set(key, entry);
}
