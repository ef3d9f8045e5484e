import { moment } from '../judge/reason.ts';
import type { Hold } from './decision.ts';

/** The span over which `dnschange_maxfreq` counts changes. */
export const LIMIT_SECONDS = 600;

/**
 * Changes that are younger than 600 s. Ones in the future (a clock set back since) say nothing about the last 600 s.
 */
export function recentChanges(changes: readonly number[], now: number): readonly number[] {
  return changes.filter((at) => at <= now && now - at < LIMIT_SECONDS);
}

/**
 * Whether the rotation limit binds at `now`, and until when: the moment at which fewer than `maxfreq` changes are
 * younger than 600 s. `changes` in epoch seconds, any order. The limit is taken as at least 1, because 0 would hold
 * a set for ever.
 */
export function holdAt(changes: readonly number[], maxfreq: number, now: number): Hold | null {
  const limit = Math.max(1, Math.floor(maxfreq));
  const recent = [...recentChanges(changes, now)].sort((a, b) => a - b);
  if (recent.length < limit) return null;
  return { until: recent[recent.length - limit] + LIMIT_SECONDS, recent: recent.length, limit };
}

/** `10 changes in the last 600 s (dnschange_maxfreq 10) hold it until …Z`. */
export function holdText({ until, recent, limit }: Hold): string {
  const changes = recent === 1 ? '1 change' : `${recent} changes`;
  return `${changes} in the last ${LIMIT_SECONDS} s (dnschange_maxfreq ${limit}) hold it until ${moment(until)}`;
}
