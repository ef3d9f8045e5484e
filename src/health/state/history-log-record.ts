import { z } from 'zod';
import type { Decision, Outcome } from '../choose/decision.ts';
import { fetchOf } from '../choose/families.ts';
import { recentChanges } from '../choose/limit.ts';
import type { Memory } from '../choose/memory.ts';
import { OPERATOR_ACTIONS, type OperatorAction } from '../choose/operator-action.ts';
import type { RoundFacts, RoundViews } from '../choose/round.ts';
import type { ReferenceFact } from '../choose/safety-uplink.ts';
import { type CanaryFacts, type EdgeFacts, FAMILIES } from '../judge/edge.ts';
import type { EdgeQuorum } from '../judge/quorum.ts';
import { DETAIL_MAX, decodeSample, encodeSample, SAMPLE } from './history-log-sample.ts';

/** One recorded round: all that deciding it again needs, and a summary of what was decided then. */
export type RoundRecord = { readonly facts: RoundFacts; readonly decided: Decided };
export type Decided = {
  readonly kind: Outcome['kind'];
  readonly held: boolean;
  /** Members that were replaced in spite of a hold. */
  readonly replaced: number;
  readonly live: readonly string[];
  /** Zone → address of the canary that served there. */
  readonly canaries: ReadonlyMap<string, string>;
};

/**
 * One round as one line of JSON with its end. It begins `{"at":<epoch seconds>,`, so that a reader finds a time without
 * parsing the rest. Defaults are left out; histories are there as the figures that judging compares, exactly; phases
 * are rounded to the microsecond.
 */
export function encodeRecord(facts: RoundFacts, decision: Decision): string {
  const {
    now,
    network,
    scope,
    rules,
    memory,
    operatorChange,
    actions = [],
    troubles = [],
    references = [],
    fallback = null,
    fallbackDoubt,
    views,
  } = facts;
  const record: z.input<typeof RECORD> = {
    at: now,
    v: 1,
    network,
    rules,
    ...(scope === 'turn' ? {} : { scope }),
    ...(operatorChange ? { operator: true } : {}),
    ...(actions.length === 0 ? {} : { actions: actions.slice(-ACTIONS_MAX).map(encodeAction) }),
    ...(troubles.length === 0 ? {} : { troubles: [...troubles] }),
    ...(fallback === null ? {} : { fallback: fallback.map(({ edge, v4, v6, why }) => ({ edge, v4, v6, why })) }),
    ...(fallbackDoubt === undefined ? {} : { fallbackDoubt }),
    ...(references.length === 0 ? {} : { references: references.map(encodeReference) }),
    ...(views === undefined ? {} : { views: encodeViews(views) }),
    memory: {
      live: [...memory.lastLive],
      rotations: [...recentChanges(memory.rotations, now)],
      canaries: memory.activeCanaries.map(({ zone, address, victim }) => [zone, address, victim]),
      canaryRotations: Object.fromEntries([...memory.canaryRotations].map(([zone, times]) => [zone, [...times]])),
      ...(memory.borrowed === undefined ? {} : { borrowed: [...memory.borrowed] }),
      ...(memory.answered.size === 0 ? {} : { answered: [...memory.answered].map(([e, { v4, v6 }]) => [e, v4, v6]) }),
      ...(memory.unanswered === null ? {} : { unanswered: memory.unanswered }),
      ...(memory.unsteady.size === 0 ? {} : { unsteady: encodeUnsteady(memory.unsteady) }),
      ...(memory.judged.size === 0 ? {} : { judged: [...memory.judged].map(([key, j]) => [key, j.up, j.count, j.at]) }),
      ...(memory.misses.size === 0 ? {} : { misses: [...memory.misses].map(([key, m]) => [key, m.count, m.at]) }),
      ...(memory.agreed === undefined ? {} : { agreed: [...memory.agreed] }),
    },
    edges: facts.edges.map(encodeEdge),
    canaries: facts.canaries.map((canary) => ({ ...encodeEdge(canary), zone: canary.zone })),
    decided: {
      kind: decision.outcome.kind,
      ...(decision.hold === null ? {} : { held: true }),
      ...(decision.replaced.length === 0 ? {} : { replaced: decision.replaced.length }),
      live: decision.live.map(({ edge }) => edge),
      canaries: Object.fromEntries(decision.memory.activeCanaries.map(({ zone, address }) => [zone, address])),
    },
  };
  return `${JSON.stringify(record)}\n`;
}

/** The record of one line; null when the line is torn or not a record. */
export function decodeRecord(line: string): RoundRecord | null {
  const record = RECORD.safeParse(parseJson(line));
  if (!record.success) return null;
  const {
    at,
    network,
    scope,
    rules,
    operator,
    actions,
    troubles,
    references,
    fallback,
    fallbackDoubt,
    views,
    memory,
    edges,
    canaries,
    decided,
  } = record.data;
  return {
    facts: {
      now: at,
      network,
      scope,
      rules,
      operatorChange: operator,
      ...(actions === undefined ? {} : { actions: actions.map(decodeAction) }),
      ...(troubles === undefined ? {} : { troubles }),
      ...(fallback === undefined ? {} : { fallback }),
      ...(fallbackDoubt === undefined ? {} : { fallbackDoubt }),
      ...(references.length === 0
        ? {}
        : { references: references.map(([name, passes, detail]) => ({ name, passes, detail })) }),
      ...(views === undefined
        ? {}
        : {
            views: {
              counting: views.counting,
              needed: views.needed,
              excluded: views.excluded.map(([vantage, why]) => ({ vantage, why })),
            },
          }),
      memory: {
        lastLive: memory.live,
        ...(memory.borrowed === undefined ? {} : { borrowed: memory.borrowed }),
        rotations: memory.rotations,
        activeCanaries: memory.canaries.map(([zone, address, victim]) => ({ zone, address, victim })),
        canaryRotations: new Map(Object.entries(memory.canaryRotations)),
        answered: new Map(memory.answered.map(([edge, v4, v6]) => [edge, { v4, v6 }])),
        unanswered: memory.unanswered,
        unsteady: new Map(
          memory.unsteady.map(([edge, falls, fails, passingSince, last]) => [
            edge,
            { falls, fails, passingSince, at: last },
          ]),
        ),
        judged: new Map(memory.judged.map(([key, up, count, last]) => [key, { up, count, at: last }])),
        misses: new Map(memory.misses.map(([key, count, last]) => [key, { count, at: last }])),
        ...(memory.agreed === undefined ? {} : { agreed: new Map(memory.agreed) }),
      },
      edges: edges.map(decodeEdge),
      canaries: canaries.map((canary): CanaryFacts => ({ ...decodeEdge(canary), zone: canary.zone })),
    },
    decided: { ...decided, canaries: new Map(Object.entries(decided.canaries)) },
  };
}

function encodeViews({ counting, needed, excluded }: RoundViews): z.input<typeof VIEWS> {
  return { counting, needed, excluded: excluded.map(({ vantage, why }) => [vantage, why.slice(0, DETAIL_MAX)]) };
}

function encodeQuorum({ up, says, needed, works, from }: EdgeQuorum): z.input<typeof QUORUM> {
  return {
    up,
    says: says.map((say) => [say.vantage, say.up, say.detail.slice(0, DETAIL_MAX)]),
    needed: [needed.down, needed.up],
    works: [works.v4, works.v6],
    ...(from === null ? {} : { from }),
  };
}

function decodeQuorum({ up, says, needed, works, from }: z.output<typeof QUORUM>): EdgeQuorum {
  return {
    up,
    says: says.map(([vantage, vote, detail]) => ({ vantage, up: vote, detail })),
    needed: { down: needed[0], up: needed[1] },
    works: { v4: works[0], v6: works[1] },
    from,
  };
}

/** What it has not is left out. */
function encodeAction({ action, by, reason, edge, mode, until }: OperatorAction): z.input<typeof ACTION> {
  return {
    action,
    by,
    ...(reason === null ? {} : { reason }),
    ...(edge === null ? {} : { edge }),
    ...(mode === null ? {} : { mode }),
    ...(until === null ? {} : { until }),
  };
}

function decodeAction({ action, by, reason, edge, mode, until }: z.output<typeof ACTION>): OperatorAction {
  return { action, by, reason: reason ?? null, edge: edge ?? null, mode: mode ?? null, until: until ?? null };
}

function encodeReference({ name, passes, detail }: ReferenceFact): [string, boolean | null, string] {
  return [name, passes, detail.slice(0, DETAIL_MAX)];
}

function encodeUnsteady(unsteady: Memory['unsteady']): [string, number, number, number | null, number][] {
  return [...unsteady].map(([edge, { falls, fails, passingSince, at }]) => [edge, falls, fails, passingSince, at]);
}

/** Of actions in a record; those before them are in the log of the server. */
const ACTIONS_MAX = 100;
const TIME = /^\{"at":(\d+(?:\.\d+)?),/;

/** When the round of this line was, from the first few characters; null when it does not begin like a record. */
export function recordTime(head: string): number | null {
  const found = TIME.exec(head);
  return found === null ? null : Number(found[1]);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function encodeEdge(edge: EdgeFacts): z.input<typeof EDGE> {
  const { last, windowAverage, windowCount, average, count } = edge.figures;
  return {
    name: edge.name,
    ...(edge.mode === 'available' ? {} : { mode: edge.mode }),
    ...(edge.modeUntil === null ? {} : { until: edge.modeUntil }),
    ...(edge.comment === '' ? {} : { comment: edge.comment }),
    ...(edge.verificationFailed ? { mismatch: true } : {}),
    ...(edge.v4 === null ? {} : { v4: edge.v4 }),
    ...(edge.v6 === null ? {} : { v6: edge.v6 }),
    figures: [last, windowAverage, windowCount, average, count],
    ...(edge.sample === null ? {} : { sample: encodeSample(edge.sample) }),
    ...(edge.quorum === undefined ? {} : { quorum: encodeQuorum(edge.quorum) }),
  };
}

function decodeEdge(edge: z.output<typeof EDGE>): EdgeFacts {
  const [last, windowAverage, windowCount, average, count] = edge.figures;
  const sample = edge.sample === null ? null : decodeSample(edge.name, edge.sample);
  return {
    name: edge.name,
    mode: edge.mode,
    modeUntil: edge.until,
    comment: edge.comment,
    verificationFailed: edge.mismatch,
    // Records of before 2026-11-29 leave out an address whose own fetch failed.
    v4: edge.v4 ?? fetchOf({ sample }, 'v4')?.address ?? null,
    v6: edge.v6 ?? fetchOf({ sample }, 'v6')?.address ?? null,
    figures: { last, windowAverage, windowCount, average, count },
    sample,
    ...(edge.quorum === undefined ? {} : { quorum: decodeQuorum(edge.quorum) }),
  };
}

const NUMBER = z.number();
// Only where several vantages decide.
const QUORUM = z.object({
  up: z.boolean().nullable(),
  says: z.array(z.tuple([z.string(), z.boolean().nullable(), z.string()])),
  needed: z.tuple([NUMBER, NUMBER]),
  works: z.tuple([z.boolean(), z.boolean()]),
  from: z.string().nullable().default(null),
});
const VIEWS = z.object({
  counting: NUMBER,
  needed: NUMBER,
  excluded: z.array(z.tuple([z.string(), z.string()])).default([]),
});
const EDGE = z.object({
  name: z.string(),
  mode: z.enum(['available', 'force', 'blindforce', 'unavailable']).default('available'),
  until: NUMBER.nullable().default(null),
  comment: z.string().default(''),
  mismatch: z.boolean().default(false),
  v4: z.string().nullable().default(null),
  v6: z.string().nullable().default(null),
  figures: z.tuple([NUMBER.nullable(), NUMBER.nullable(), NUMBER, NUMBER.nullable(), NUMBER]),
  sample: SAMPLE.nullable().default(null),
  quorum: QUORUM.optional(),
});
const ACTION = z.object({
  action: z.enum(OPERATOR_ACTIONS),
  by: z.string().nullable(),
  reason: z.string().optional(),
  edge: z.string().optional(),
  mode: z.enum(['available', 'force', 'blindforce', 'unavailable']).optional(),
  until: NUMBER.optional(),
});
const SAFETY = z.object({
  fill: z.enum(['failing', 'none']),
  minUp: z.object({ value: NUMBER, percent: z.boolean() }).nullable().default(null),
  below: z.enum(['keep', 'all', 'fallback']).default('keep'),
  fallback: z.string().nullable().optional(),
  holdUp: NUMBER.nullable().default(null),
});
const JUDGE = z.union([
  z.object({ kind: z.literal('goodenough') }),
  z.object({ kind: z.literal('rise_fall'), rise: NUMBER, fall: NUMBER, apart: NUMBER.optional() }),
]);
const RECORD = z.object({
  at: NUMBER,
  v: z.literal(1),
  network: z.string(),
  scope: z.enum(['turn', 'event']).default('turn'),
  rules: z.object({
    goodenough: NUMBER,
    timeout: NUMBER,
    edgeCount: NUMBER,
    maxfreq: NUMBER,
    canaryKiller: NUMBER,
    judge: JUDGE.optional(), // without it goodenough
    safety: SAFETY.optional(), // edgemanage's own rules have none
  }),
  operator: z.boolean().default(false),
  // Missing in records of before 2026-11-29, and ignored by the versions that wrote those.
  actions: z.array(ACTION).optional(),
  troubles: z.array(z.string()).optional(),
  fallback: z
    .array(z.object({ edge: z.string(), v4: z.string().nullable(), v6: z.string().nullable(), why: z.string() }))
    .optional(),
  fallbackDoubt: z.string().optional(),
  references: z.array(z.tuple([z.string(), z.boolean().nullable(), z.string()])).default([]),
  views: VIEWS.optional(),
  memory: z.object({
    live: z.array(z.string()),
    rotations: z.array(NUMBER),
    canaries: z.array(z.tuple([z.string(), z.string(), z.string().nullable()])),
    canaryRotations: z.record(z.string(), z.array(NUMBER)),
    // From here on missing in records of before 2026-11-29.
    borrowed: z.array(z.string()).optional(),
    answered: z.array(z.tuple([z.string(), z.string().nullable(), z.string().nullable()])).default([]),
    unanswered: z.enum(FAMILIES).nullable().default(null),
    unsteady: z.array(z.tuple([z.string(), NUMBER, NUMBER, NUMBER.nullable(), NUMBER])).default([]),
    judged: z.array(z.tuple([z.string(), z.boolean(), NUMBER, NUMBER])).default([]),
    misses: z.array(z.tuple([z.string(), NUMBER, NUMBER])).default([]),
    agreed: z.array(z.tuple([z.string(), z.boolean()])).optional(),
  }),
  edges: z.array(EDGE),
  canaries: z.array(EDGE.extend({ zone: z.string() })),
  decided: z.object({
    kind: z.enum(['unchanged', 'changed', 'held', 'empty'] satisfies Outcome['kind'][]),
    held: z.boolean().default(false),
    replaced: NUMBER.default(0),
    live: z.array(z.string()),
    canaries: z.record(z.string(), z.string()),
  }),
});
