import type { CanaryFacts, EdgeFacts } from '../judge/edge.ts';
import { judge, judgeAddress } from '../judge/judge.ts';
import type { Judged, JudgeRules, Verdict } from '../judge/verdict.ts';
import { missKey } from './misses.ts';
import { believed, type UplinkState } from './safety-uplink.ts';

/** What judges remember, by edge or canary; of an edge's other addresses by both (`missKey`). */
export type JudgedAddresses = ReadonlyMap<string, Judged>;

/** `verdicts` in the order of the edges; `judged`: what is remembered of these edges, and of no other. */
export type JudgedEdges = { readonly verdicts: readonly Verdict[]; readonly judged: JudgedAddresses };

/**
 * Judges edges or canaries, each for itself, and the addresses that an edge has besides its primary one. While our own
 * line is in doubt, a failure is not counted.
 */
export function judgeEdges(
  edges: readonly (EdgeFacts | CanaryFacts)[],
  rules: JudgeRules,
  before: JudgedAddresses,
  uplink: UplinkState | null,
): JudgedEdges {
  const judged = new Map<string, Judged>();
  const agreed = new Set<string>();
  const remember = (key: string, state: Judged | null | undefined): void => {
    if (state !== null && state !== undefined) judged.set(key, state);
  };
  const verdicts = edges.map((edge) => {
    if (edge.quorum !== undefined) {
      agreed.add(edge.name);
      return judge(edge, rules).verdict;
    }
    const isDoubtful = uplink?.inDoubt === true && (edge.sample?.fail ?? null) !== null;
    // As if it had been counted before: the sample is not counted later either, and no verdict says that it was.
    const uncounted = (key: string): Judged | undefined => {
      const known = before.get(key);
      return known === undefined ? undefined : { ...known, at: edge.sample?.at ?? known.at };
    };
    const known = isDoubtful ? uncounted(edge.name) : before.get(edge.name);
    const found = judge(edge, rules, known ?? null);
    remember(edge.name, isDoubtful ? known : found.judged);
    if (found.judged !== null) {
      for (const [key, state] of otherAddresses(edge, rules, before)) {
        remember(key, isDoubtful ? uncounted(key) : state);
      }
    }
    return believed(found.verdict, uplink);
  });
  if (agreed.size > 0) {
    for (const [key, state] of before) if (agreed.has(key.split(' ', 1)[0])) judged.set(key, state);
  }
  return { verdicts, judged };
}

function otherAddresses(
  { name, v4, v6, sample }: EdgeFacts,
  rules: JudgeRules,
  before: JudgedAddresses,
): readonly (readonly [string, Judged | null])[] {
  const others = new Map(sample?.others.map((fetch) => [fetch.address, fetch]));
  const primary = sample?.primary?.address ?? null;
  return [v4, v6].flatMap((address) => {
    if (address === null || address === primary) return [];
    const key = missKey(name, address);
    const fetch = others.get(address);
    const known = before.get(key) ?? null;
    if (fetch === undefined || sample === null) return [[key, known] as const];
    return [[key, judgeAddress(fetch, sample.at, rules, known)] as const];
  });
}
