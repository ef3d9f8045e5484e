/** Edges of which nothing is known lately: trouble of the prober itself, whatever it is. */
import { count, list } from '../judge/reason.ts';

/** Without a sample for so many intervals an edge is silent. */
const INTERVALS = 3;
/** Names that a sentence has at most. */
const NAMED_MAX = 5;

/** Seconds. */
export type SilencePace = { readonly runFrequency: number; readonly timeout: number };

/**
 * For how long an edge may be without a sample, seconds. Where a fetch may take longer than `run_frequency`, an edge that
 * hangs is not asked again before its timeout.
 */
export function silentAfter({ runFrequency, timeout }: SilencePace): number {
  return INTERVALS * Math.max(runFrequency, timeout);
}

/**
 * The edges without a sample for `limit` seconds, in their order. `knownAt`: when each had its last sample, or was listed
 * first, in seconds of any clock that is never set; one that is missing was listed just now. `now` is of the same clock.
 */
export function silentEdges(
  edges: readonly string[],
  knownAt: ReadonlyMap<string, number>,
  limit: number,
  now: number,
): readonly string[] {
  return edges.filter((edge) => now - (knownAt.get(edge) ?? now) > limit);
}

/** Null: none is silent. */
export function silenceText(silent: readonly string[], limit: number): string | null {
  if (silent.length === 0) return null;
  const named = silent.slice(0, NAMED_MAX);
  const more = silent.length > NAMED_MAX ? ` (and ${count(silent.length - NAMED_MAX, 'edge')} more)` : '';
  const state = silent.length === 1 ? 'its last state stays' : 'their last states stay';
  return `no check of ${list(named)}${more} has ended for ${limit} s or longer, which is trouble of our own; ${state}`;
}

/** When the edges of a network had their last samples. */
export class SampleTimes {
  private knownAt = new Map<string, number>();
  private readonly now: () => number;

  /** `now`: seconds of a clock that is never set. */
  constructor(now: () => number = () => performance.now() / 1000) {
    this.now = now;
  }

  /** These edges are listed. */
  list(edges: readonly string[]): void {
    const now = this.now();
    this.knownAt = new Map(edges.map((edge) => [edge, this.knownAt.get(edge) ?? now]));
  }

  sampled(edge: string): void {
    if (this.knownAt.has(edge)) this.knownAt.set(edge, this.now());
  }

  silent(limit: number): readonly string[] {
    return silentEdges([...this.knownAt.keys()], this.knownAt, limit, this.now());
  }
}
