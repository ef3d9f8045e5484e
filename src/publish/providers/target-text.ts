import { moment } from '../../health/judge/reason.ts';
import type { TargetStatus } from './target-status.ts';

const STATE_TEXT = {
  unknown: 'was not read yet',
  right: 'is as it should be',
  differs: 'differs, and nothing is written',
  foreign: 'was changed by somebody else, and stays so',
  failing: 'could not be brought up to date',
} as const;

/** A sentence on one target, for people. `now`: epoch seconds. */
export function publishedText({ name, state, since, lastRight, problem }: TargetStatus, now: number): string {
  const right = lastRight === null ? 'never yet' : moment(lastRight);
  const last = state === 'right' ? '' : `, last as it should be: ${right}`;
  const why = problem === null ? '' : ` (${problem.text})`;
  return `published: ${name} ${STATE_TEXT[state]} since ${moment(since)}, ${Math.max(0, Math.round(now - since))} s ago${last}${why}`;
}
