/** The set of another network that answers where too few edges pass (`below: fallback`), and what speaks against it. */
import type { Config } from '../../config/types.ts';
import type { FallbackSet } from '../choose/safety.ts';
import type { NetworkState } from '../state/network-state.ts';
import { silentAfter } from './silence.ts';

/** What is known of a network whose set may be borrowed. */
export type FallbackSource = {
  readonly state: Pick<NetworkState, 'live' | 'memory' | 'lastRun'>;
  /** Since when this process asks its edges itself, epoch seconds; 0: it does not. */
  readonly since: number;
  /** Edges without a sample for three intervals. */
  readonly silent: readonly string[];
};

/** Null: the network has no set, or is not there. */
export async function fallbackSet(
  network: string,
  config: Config,
  now: number,
  sourceOf: (network: string) => Promise<FallbackSource | null>,
): Promise<FallbackSet | null> {
  const source = await sourceOf(network);
  if (source === null || source.state.live.length === 0) return null;
  return { members: source.state.live, doubt: await doubtOf(network, source, config, now, sourceOf) };
}

/**
 * Null: one of its members passes. Members that it has borrowed itself pass as far as their own network says so; the
 * configuration has no circles.
 */
async function doubtOf(
  network: string,
  { state, since, silent }: FallbackSource,
  config: Config,
  now: number,
  sourceOf: (network: string) => Promise<FallbackSource | null>,
): Promise<string | null> {
  const { live, memory, lastRun } = state;
  const limit = silentAfter(config);
  const age = now - Math.max(lastRun ?? 0, since);
  if (age > limit) return `the edges of ${network} were last checked more than ${limit} s ago`;
  const borrowed = new Set(memory.borrowed);
  const own = live.map(({ edge }) => edge).filter((edge) => !borrowed.has(edge));
  const isUp = (edge: string): boolean => !silent.includes(edge) && memory.unsteady.get(edge)?.passingSince !== null;
  if (own.some(isUp)) return null;
  const next = config.safety.get(network)?.fallback ?? null;
  if (own.length < live.length && next !== null) {
    const source = await sourceOf(next);
    return source === null ? `${next} is not there` : doubtOf(next, source, config, now, sourceOf);
  }
  if (own.length === 0) return null;
  return `no live edge of ${network} passes`;
}
