import { momentSeconds, spanSeconds } from './duration.ts';

/**
 * A moment in the past, in epoch seconds: a span (`10m`, `2h ago`), `18:00` (the last time the clock showed it), or any
 * form that `momentSeconds` reads. Null: none of these.
 */
export function pastMoment(text: string, now: number): number | null {
  const span = spanSeconds(text.replace(/\s*ago$/, ''));
  if (span !== null && span < 1e8) return now - span;
  const at = momentSeconds(text, now);
  return at !== null && /^\d?\d:\d\d$/.test(text) ? at - 86_400 : at;
}
