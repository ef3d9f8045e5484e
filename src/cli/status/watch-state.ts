/** What a watch knows from one look at the server to the next. Times are epoch seconds of this machine. */
import type { Answers, ServerStatus } from './answers.ts';

export type WatchState = {
  readonly base: string;
  /** Of the last look that was answered; null: none was. */
  readonly answers: Answers | null;
  readonly answeredAt: number | null;
  readonly rates: Rates | null;
  /** Since when looks are not answered, and why the last was not; null: the last was answered. */
  readonly away: { readonly since: number; readonly why: string } | null;
};

/** A second, between the last two looks. `answers`: by response code, most first. */
export type Rates = {
  readonly queries: number;
  readonly answers: readonly (readonly [rcode: string, rate: number])[];
  readonly dropped: number;
  readonly limited: number;
};

export function unknownState(base: string): WatchState {
  return { base, answers: null, answeredAt: null, rates: null, away: null };
}

export function answered(state: WatchState, answers: Answers, now: number): WatchState {
  const { answers: before, answeredAt } = state;
  const rates =
    before === null || answeredAt === null ? null : ratesOf(before.status, answers.status, now - answeredAt);
  return { ...state, answers, answeredAt: now, rates, away: null };
}

export function unanswered(state: WatchState, why: string, now: number): WatchState {
  return { ...state, rates: null, away: { since: state.away?.since ?? now, why } };
}

/** Null: the server does not count, or began anew in between. */
function ratesOf(before: ServerStatus, after: ServerStatus, seconds: number): Rates | null {
  const [was, is] = [before.dns, after.dns];
  if (was === undefined || is === undefined || seconds <= 0 || before.started_at !== after.started_at) return null;
  const rate = (from: number, to: number): number => Math.max(0, to - from) / seconds;
  const answers = Object.entries(is.answers)
    .map(([rcode, count]) => [rcode, rate(was.answers[rcode] ?? 0, count)] as const)
    .filter(([, perSecond]) => perSecond > 0)
    .sort(([, a], [, b]) => b - a);
  return {
    queries: rate(was.queries, is.queries),
    answers,
    dropped: rate(was.dropped, is.dropped),
    limited: rate(was.rate_limited, is.rate_limited),
  };
}
