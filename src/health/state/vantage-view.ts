/**
 * Views and decided sets as text, for the way between vantages and for stores: JSON with a version. What comes in is a
 * stranger's until it fits; everything is bounded.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import type { DecidedSet } from '../agreement/decided-set.ts';
import type { CanaryView, EdgeView, VantageView } from '../agreement/view.ts';
import { FAMILIES } from '../judge/edge.ts';
import { decodeSample, encodeSample, SAMPLE } from './history-log-sample.ts';

/** Characters of a view or set: 20,000 edges with samples of some 300 characters, and room. */
export const TEXT_MAX = 16 * 1024 * 1024;
const EDGES_MAX = 20_000;
const VANTAGES_MAX = 64;
const ROTATIONS_MAX = 100;
const DETAIL_MAX = 200;

/** `problem`: what is wrong with the text, a short phrase. */
export type Decoded<T> = { readonly value: T; readonly problem: null } | { readonly problem: string };

export function encodeView(view: VantageView): string {
  const { edges, canaries, ...head } = view;
  const value: z.input<typeof VIEW> = {
    v: 1,
    ...head,
    edges: edges.map(encodeEdge),
    canaries: canaries.map((canary) => ({ ...encodeEdge(canary), zone: canary.zone })),
  };
  return JSON.stringify(value);
}

export function decodeView(text: string): Decoded<VantageView> {
  return decoded(text, readView);
}

/** `value`: as JSON has it. */
export function readView(value: unknown): Decoded<VantageView> {
  return read(value, VIEW, ({ v: _, edges, canaries, ...head }) => ({
    ...head,
    edges: edges.map(decodeEdge),
    canaries: canaries.map((canary): CanaryView => ({ ...decodeEdge(canary), zone: canary.zone })),
  }));
}

export function encodeDecidedSet(set: DecidedSet): string {
  const { canarySerials, live, memory, basis, says, ...head } = set;
  const { answered, canaryRotations, activeCanaries, lastLive, borrowed, unanswered, rotations } = memory;
  const value: z.input<typeof SET> = {
    v: 1,
    ...head,
    canarySerials: [...canarySerials],
    live: live.map(({ edge, v4, v6, why }) => ({ edge, v4, v6, why })),
    memory: {
      lastLive: [...lastLive],
      ...(borrowed === undefined ? {} : { borrowed: [...borrowed] }),
      answered: [...answered].map(([edge, { v4, v6 }]) => [edge, v4, v6]),
      unanswered,
      rotations: [...rotations].slice(-ROTATIONS_MAX),
      activeCanaries: activeCanaries.map(({ zone, address, victim }) => [zone, address, victim]),
      canaryRotations: [...canaryRotations].map(([zone, times]) => [zone, [...times].slice(-ROTATIONS_MAX)]),
    },
    basis: [...basis],
    says: [...says].map(([edge, said]) => [edge, said.map(({ vantage, up, detail }) => [vantage, up, detail])]),
  };
  return JSON.stringify(value);
}

export function decodeDecidedSet(text: string): Decoded<DecidedSet> {
  return decoded(text, readDecidedSet);
}

/** `value`: as JSON has it. */
export function readDecidedSet(value: unknown): Decoded<DecidedSet> {
  return read(value, SET, ({ v: _, canarySerials, memory, basis, says, ...head }) => {
    const { answered, activeCanaries, canaryRotations, borrowed, ...rest } = memory;
    return {
      ...head,
      canarySerials: new Map(canarySerials),
      memory: {
        ...rest,
        ...(borrowed === undefined ? {} : { borrowed }),
        answered: new Map(answered.map(([edge, v4, v6]) => [edge, { v4, v6 }])),
        activeCanaries: activeCanaries.map(([zone, address, victim]) => ({ zone, address, victim })),
        canaryRotations: new Map(canaryRotations),
      },
      basis: new Map(basis),
      says: new Map(says.map(([edge, said]) => [edge, said.map(([vantage, up, detail]) => ({ vantage, up, detail }))])),
    };
  });
}

function decoded<T>(text: string, read: (value: unknown) => Decoded<T>): Decoded<T> {
  if (text.length > TEXT_MAX) return { problem: `it has more than ${TEXT_MAX} characters` };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'it is no JSON' };
  }
  return read(value);
}

function read<S extends z.ZodType, T>(value: unknown, schema: S, take: (found: z.output<S>) => T): Decoded<T> {
  const found = schema.safeParse(value);
  if (found.success) return { value: take(found.data), problem: null };
  const [{ path, message }] = found.error.issues;
  return { problem: `${path.map(String).join('.').slice(0, 100) || 'the whole'}: ${message.slice(0, 200)}` };
}

function encodeEdge({ name, up, detail, samples, works, facts }: EdgeView): z.input<typeof EDGE> {
  const { sample, figures, v4, v6, verificationFailed } = facts;
  const { last, windowAverage, windowCount, average, count } = figures;
  return {
    name,
    up,
    detail: detail.slice(0, DETAIL_MAX),
    samples,
    works: [works.v4, works.v6],
    ...(v4 === null ? {} : { v4 }),
    ...(v6 === null ? {} : { v6 }),
    ...(verificationFailed ? { mismatch: true } : {}),
    figures: [last, windowAverage, windowCount, average, count],
    ...(sample === null ? {} : { sample: encodeSample(sample) }),
  };
}

function decodeEdge({
  name,
  up,
  detail,
  samples,
  works,
  v4,
  v6,
  mismatch,
  figures,
  sample,
}: z.output<typeof EDGE>): EdgeView {
  const [last, windowAverage, windowCount, average, count] = figures;
  return {
    name,
    up,
    detail,
    samples,
    works: { v4: works[0], v6: works[1] },
    facts: {
      sample: sample === null ? null : decodeSample(name, sample),
      figures: { last, windowAverage, windowCount, average, count },
      v4,
      v6,
      verificationFailed: mismatch,
    },
  };
}

const NAME = z.string().min(1).max(255);
const WORD = z.string().max(64);
const DETAIL = z.string().max(DETAIL_MAX);
const NUMBER = z.number();
const TIME = z.number().min(-1e12).max(1e12);
const COUNT = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const SERIAL = z
  .number()
  .int()
  .min(0)
  .max(2 ** 32 - 1);
const SECONDS = z.number().min(0).max(1e6).nullable();
const V4 = z
  .string()
  .refine((text) => isIP(text) === 4)
  .nullable();
const V6 = z
  .string()
  .refine((text) => isIP(text) === 6)
  .nullable();

const EDGE = z.object({
  name: NAME,
  up: z.boolean().nullable(),
  detail: DETAIL,
  samples: COUNT,
  works: z.tuple([z.boolean(), z.boolean()]),
  v4: V4.default(null),
  v6: V6.default(null),
  mismatch: z.boolean().default(false),
  figures: z.tuple([SECONDS, SECONDS, COUNT, SECONDS, COUNT]),
  sample: SAMPLE.nullable().default(null),
});
const VIEW = z.object({
  v: z.literal(1),
  vantage: NAME,
  network: NAME,
  boot: WORD.min(1),
  turn: COUNT,
  version: WORD,
  config: WORD,
  clock: TIME,
  serial: SERIAL,
  highestSerial: SERIAL,
  edges: z.array(EDGE).max(EDGES_MAX),
  canaries: z.array(EDGE.extend({ zone: NAME })).max(EDGES_MAX),
});
const MEMBER = z
  .object({ edge: NAME, v4: V4, v6: V6, why: z.string().max(4096) })
  .refine(({ v4, v6 }) => v4 !== null || v6 !== null, 'a member without an address');
const TIMES = z.array(NUMBER).max(ROTATIONS_MAX);
const SET = z.object({
  v: z.literal(1),
  network: NAME,
  serial: SERIAL.min(1),
  canarySerials: z.array(z.tuple([NAME, SERIAL])).max(EDGES_MAX),
  live: z.array(MEMBER).min(1).max(EDGES_MAX),
  memory: z.object({
    lastLive: z.array(NAME).max(EDGES_MAX),
    borrowed: z.array(NAME).max(EDGES_MAX).optional(),
    answered: z.array(z.tuple([NAME, V4, V6])).max(EDGES_MAX),
    unanswered: z.enum(FAMILIES).nullable(),
    rotations: TIMES,
    activeCanaries: z.array(z.tuple([NAME, NAME, NAME.nullable()])).max(EDGES_MAX),
    canaryRotations: z.array(z.tuple([NAME, TIMES])).max(EDGES_MAX),
  }),
  at: TIME,
  by: NAME,
  token: z.string().min(1).max(64),
  basis: z.array(z.tuple([NAME, COUNT])).max(VANTAGES_MAX),
  says: z
    .array(z.tuple([NAME, z.array(z.tuple([NAME, z.boolean().nullable(), DETAIL])).max(VANTAGES_MAX)]))
    .max(EDGES_MAX),
});
