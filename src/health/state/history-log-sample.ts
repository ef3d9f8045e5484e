/** A sample as a line of the history log has it. */
import { z } from 'zod';
import {
  CHECK_KINDS,
  type CheckOutcome,
  FAIL_REASONS,
  type FailReason,
  type Fetch,
  type Phases,
  type Sample,
} from '../checks/sample.ts';
import { microseconds } from '../judge/history.ts';

/** Characters of a detail that are kept; some come from a stranger's server. */
export const DETAIL_MAX = 300;

export function encodeSample(sample: Sample): z.input<typeof SAMPLE> {
  return {
    at: sample.at,
    s: sample.seconds,
    ...(sample.fail === null ? {} : { fail: encodeFail(sample.fail) }),
    ...(sample.primary === null ? {} : { fetch: encodeFetch(sample.primary) }),
    ...(sample.others.length === 0 ? {} : { others: sample.others.map(encodeFetch) }),
    ...(sample.stalledMs === 0 ? {} : { stalledMs: sample.stalledMs }),
  };
}

export function decodeSample(edge: string, sample: z.output<typeof SAMPLE>): Sample {
  return {
    edge,
    at: sample.at,
    seconds: sample.s,
    fail: decodeFail(sample.fail),
    primary: sample.fetch === null ? null : decodeFetch(sample.fetch),
    others: sample.others.map(decodeFetch),
    stalledMs: sample.stalledMs,
  };
}

/** The usual single check `http` is not named. Of several, the one that decided is in `checks` like the others. */
function encodeFetch(fetch: Fetch): z.input<typeof FETCH> {
  const { address, check, checks } = fetch;
  const [only] = checks;
  return {
    address,
    ...encodeFigures(fetch),
    ...(check === 'http' ? {} : { check }),
    ...(checks.length > 1 ? { checks: checks.map(encodeOutcome) } : {}),
    ...(checks.length === 1 && only.kind !== 'http' ? { kind: only.kind } : {}),
  };
}

function encodeOutcome(outcome: CheckOutcome): z.input<typeof OUTCOME> {
  return { name: outcome.name, kind: outcome.kind, ...encodeFigures(outcome) };
}

type Figures = Omit<CheckOutcome, 'name' | 'kind'>;

function encodeFigures({ seconds, fail, phases, attempts, hops }: Figures): z.input<typeof FIGURES> {
  const { resolve, connect, tls, firstByte, total } = phases;
  return {
    s: seconds,
    ...(fail === null ? {} : { fail: encodeFail(fail) }),
    phases: [rounded(resolve), rounded(connect), rounded(tls), rounded(firstByte), rounded(total)],
    ...(attempts === 1 ? {} : { attempts }),
    ...(hops === 0 ? {} : { hops }),
  };
}

function decodeFetch(fetch: z.output<typeof FETCH>): Fetch {
  const { address, check, kind } = fetch;
  const figures = decodeFigures(fetch);
  const several = fetch.checks.map((one) => ({ name: one.name, kind: one.kind, ...decodeFigures(one) }));
  const checks = several.length > 0 ? several : [{ name: check, kind, ...figures }];
  return { address, ...figures, check, checks };
}

function decodeFigures({ s, fail, phases: parts, attempts, hops }: z.output<typeof FIGURES>): Figures {
  const [resolve, connect, tls, firstByte, total] = parts;
  const phases: Phases = { resolve, connect, tls, firstByte, total: total ?? s };
  return { seconds: s, fail: decodeFail(fail), phases, attempts, hops };
}

function encodeFail({ reason, detail }: NonNullable<Fetch['fail']>): [FailReason, string] {
  return [reason, detail.slice(0, DETAIL_MAX)];
}

function decodeFail(fail: readonly [FailReason, string] | null): Fetch['fail'] {
  return fail === null ? null : { reason: fail[0], detail: fail[1] };
}

function rounded(seconds: number | null): number | null {
  return seconds === null ? null : microseconds(seconds);
}

const NUMBER = z.number();
const FAIL = z.tuple([z.enum(FAIL_REASONS), z.string()]);
const PHASE = NUMBER.nullable();
const FIGURES = z.object({
  s: NUMBER,
  fail: FAIL.nullable().default(null),
  phases: z.tuple([PHASE, PHASE, PHASE, PHASE, PHASE]),
  attempts: NUMBER.default(1),
  hops: NUMBER.default(0),
});
const KIND = z.enum(CHECK_KINDS);
const OUTCOME = FIGURES.extend({ name: z.string(), kind: KIND });
const FETCH = FIGURES.extend({
  address: z.string(),
  // Missing in records of before checks could be chosen.
  check: z.string().default('http'),
  kind: KIND.default('http'),
  checks: z.array(OUTCOME).default([]),
});
export const SAMPLE = z.object({
  at: NUMBER,
  s: NUMBER,
  fail: FAIL.nullable().default(null),
  fetch: FETCH.nullable().default(null),
  others: z.array(FETCH).default([]),
  stalledMs: NUMBER.default(0),
});
