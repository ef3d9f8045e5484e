/**
 * Since when an edge is up or down in a network, and what it went through: pure. Times are epoch seconds, durations
 * seconds.
 *
 * A sample says what the edge is until the next one, for `reach` seconds at most (three intervals): a longer time between
 * two samples, in which nobody ran, the edge was not listed or not judged, is known to be neither up nor down. An edge that
 * is afterwards what it was before has not changed.
 */

import type { JsonObject } from '../../system/json-object.ts';
import { FLAG, listOf, NUMBER, objectOf, oneOf, TEXT } from '../../system/json-parts.ts';
import type { Position } from '../judge/verdict.ts';

export type Transition = { readonly at: number; readonly up: boolean };

/** A time in which the edge was down for `seconds`: all of it, unless several were put together to keep few. */
export type DownSpan = { readonly from: number; readonly until: number; readonly seconds: number };

/** A sample that failed. `check`: that decided; null: none was made, as the edge's name has no address. */
export type Failure = {
  readonly at: number;
  readonly reason: string;
  readonly check: string | null;
  readonly detail: string;
};

export type Uptime = {
  readonly up: boolean;
  /** When `up` last changed, or was known first. */
  readonly since: number;
  /** Time of the newest sample that was judged. */
  readonly checkedAt: number;
  /** Newest last; at most `TRANSITIONS_MAX`. */
  readonly transitions: readonly Transition[];
  /** Of the last day, newest last; at most `SPANS_MAX`. */
  readonly down: readonly DownSpan[];
  readonly lastFailure: Failure | null;
  /** Where a judge that counts results in a row is between two states; null: at neither's beginning. */
  readonly position: Position | null;
};

/** A sample's judgement. `failure`: of the sample, whatever the judge made of it. */
export type Check = Pick<Uptime, 'up' | 'position'> & { readonly at: number; readonly failure: Failure | null };

export const TRANSITIONS_MAX = 100;
export const SPANS_MAX = 100;
/** Characters of a failure's detail that are kept: a program's output may be long. */
export const DETAIL_MAX = 200;
const DAY = 86_400;
const INTERVALS = 3;

/** How long a sample counts, where edges are asked every `interval` seconds. */
export function reachOf(interval: number): number {
  return INTERVALS * interval;
}

/** What is known after a judged sample; the same object for one that was counted already. */
export function withCheck(before: Uptime | null, { at, up, failure, position }: Check, reach: number): Uptime {
  if (before !== null && before.checkedAt === at) return before;
  const lastFailure =
    failure === null ? (before?.lastFailure ?? null) : { ...failure, detail: failure.detail.slice(0, DETAIL_MAX) };
  if (before === null) return { up, since: at, checkedAt: at, transitions: [], down: [], lastFailure, position };
  const changed = up !== before.up;
  return {
    up,
    // Not in the future, after the clock was set back.
    since: changed ? at : Math.min(before.since, at),
    checkedAt: at,
    transitions: changed ? [...before.transitions.slice(1 - TRANSITIONS_MAX), { at, up }] : before.transitions,
    down: downAfter(before, at, reach),
    lastFailure,
    position,
  };
}

/** How long the edge is known to have been down between its newest sample and the next one, at `at`. */
export function downUntil({ up, checkedAt }: Uptime, at: number, reach: number): number {
  const passed = at - checkedAt;
  return up || passed < 0 || passed > reach ? 0 : passed;
}

/** How long the edge is known to have been down in the day before `now`. */
export function downtimeOfDay(uptime: Uptime, now: number, reach: number): number {
  const known = uptime.down.reduce((sum, span) => sum + clipped(span, now - DAY, now).seconds, 0);
  return Math.min(DAY, known + downUntil(uptime, now, reach));
}

/** What is known of an edge at a time. `up` null: its newest sample is too old to say, or it is not judged. */
export type UptimeNow = Pick<Uptime, 'transitions' | 'lastFailure' | 'position'> & {
  readonly up: boolean | null;
  /** When it came up or went down last, or was judged first; null: it was never judged. */
  readonly since: number | null;
  /** Known downtime of the last 24 hours. */
  readonly downtimeOfDay: number;
};

export function uptimeAt(uptime: Uptime | null, isJudged: boolean, now: number, reach: number): UptimeNow {
  if (uptime === null) return UNKNOWN;
  const { up, since, checkedAt, transitions, lastFailure, position } = uptime;
  const isKnown = isJudged && now - checkedAt <= reach;
  return {
    up: isKnown ? up : null,
    since,
    transitions,
    downtimeOfDay: downtimeOfDay(uptime, now, reach),
    lastFailure,
    position: isKnown ? position : null,
  };
}

const UNKNOWN: UptimeNow = {
  up: null,
  since: null,
  transitions: [],
  downtimeOfDay: 0,
  lastFailure: null,
  position: null,
};

function downAfter(before: Uptime, at: number, reach: number): readonly DownSpan[] {
  const { checkedAt } = before;
  // What was noted before the clock was set back and lies ahead now would count twice when its time comes.
  const kept =
    at < checkedAt ? before.down.map((span) => clipped(span, 0, at)).filter(({ seconds }) => seconds > 0) : before.down;
  const seconds = downUntil(before, at, reach);
  const last = kept.at(-1);
  let spans = kept;
  if (seconds > 0) {
    const joined = last !== undefined && last.until === checkedAt;
    const span = joined
      ? { from: last.from, until: at, seconds: last.seconds + seconds }
      : { from: checkedAt, until: at, seconds };
    spans = [...(joined ? kept.slice(0, -1) : kept), span];
  }
  return fewSpans(spans.some(({ until }) => until <= at - DAY) ? spans.filter(({ until }) => until > at - DAY) : spans);
}

/** The part between two times; of one that was put together, a proportional part of its seconds. */
function clipped({ from, until, seconds }: DownSpan, earliest: number, latest: number): DownSpan {
  const [start, end] = [Math.max(from, earliest), Math.min(until, latest)];
  if (start === from && end === until) return { from, until, seconds };
  if (end <= start) return { from: start, until: start, seconds: 0 };
  return { from: start, until: end, seconds: (seconds * (end - start)) / (until - from) };
}

/** Of too many, the two neighbours that are closest together become one: the sum stays right. */
function fewSpans(spans: readonly DownSpan[]): readonly DownSpan[] {
  if (spans.length <= SPANS_MAX) return spans;
  let best = 0;
  const length = (i: number): number => spans[i + 1].until - spans[i].from;
  for (let i = 1; i + 1 < spans.length; i++) if (length(i) < length(best)) best = i;
  const [a, b] = [spans[best], spans[best + 1]];
  const joined = { from: a.from, until: b.until, seconds: a.seconds + b.seconds };
  return [...spans.slice(0, best), joined, ...spans.slice(best + 2)];
}

/** As it is kept in a record's file. */
export function uptimeValue(uptime: Uptime): JsonObject {
  const { up, since, checkedAt, transitions, down, lastFailure, position } = uptime;
  return {
    checked_at: checkedAt,
    down: down.map(({ from, until, seconds }) => ({ from, seconds: rounded(seconds), until })),
    last_failure: lastFailure,
    ...(position === null ? {} : { position }),
    since,
    transitions: transitions.map(({ at, up: now }) => ({ at, up: now })),
    up,
  };
}

const SPAN = objectOf({ from: NUMBER, until: NUMBER, seconds: NUMBER })
  .refine(({ from, until }) => until > from, 'expected an end after the beginning')
  .transform(({ from, until, seconds }) => ({ from, until, seconds: Math.min(Math.max(seconds, 0), until - from) }));

const FAILURE = objectOf({
  at: NUMBER,
  reason: TEXT,
  check: TEXT.nullable().default(null),
  detail: TEXT.transform((detail) => detail.slice(0, DETAIL_MAX)),
});

/** Reads what `uptimeValue` gave. */
export const UPTIME = objectOf({
  up: FLAG,
  since: NUMBER,
  checked_at: NUMBER,
  transitions: listOf(objectOf({ at: NUMBER, up: FLAG })).default([]),
  down: listOf(SPAN).default([]),
  last_failure: FAILURE.nullable().default(null),
  position: objectOf({ count: NUMBER, of: NUMBER, towards: oneOf(['up', 'down']) })
    .nullable()
    .default(null),
}).transform(
  ({ up, since, checked_at: checkedAt, transitions, down, last_failure: lastFailure, position }): Uptime => ({
    up,
    since: Math.min(since, checkedAt),
    checkedAt,
    transitions: transitions.slice(-TRANSITIONS_MAX),
    down: down.slice(-SPANS_MAX),
    lastFailure,
    position,
  }),
);

/** To the millisecond. */
function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
