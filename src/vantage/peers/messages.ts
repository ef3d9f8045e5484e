/** What peers say to each other, as text inside of what is sealed. Sizes and counts are bounded on both sides. Pure. */
import { z } from 'zod';

/** Octets of a request's body, sealed. */
export const REQUEST_MAX = 256 * 1024;
/** Octets of an answer's body, sealed. What does not fit is sent with the next answer. */
export const ANSWER_MAX = 8 * 2 ** 20;
/** Networks of one peer. */
export const NETWORKS_MAX = 500;
/** Milliseconds that a request may ask to be kept waiting. */
export const WAIT_MAX_MS = 30_000;
const NAME_MAX = 255;
const BOOT_MAX = 64;

const name = z.string().min(1).max(NAME_MAX);
/** 16 random octets in base64url. */
const random = z.string().regex(/^[\w-]{22}$/);
const wholeNumber = z.int().min(0);
const milliseconds = z.number().min(0);

/** Which view of a network is known already: the start of its process, and its turn. */
const knownSchema = z.object({ boot: z.string().max(BOOT_MAX), turn: wholeNumber });
export type KnownView = z.infer<typeof knownSchema>;

const requestSchema = z.object({
  v: z.literal(1),
  from: name,
  to: name,
  /** Of whatever counts: each start of the asker's process, and each reload that makes it ask anew. */
  boot: random,
  /** Another one with each request of that. */
  counter: wholeNumber,
  /** What the asked one wants to hear repeated: it shows that the request was not recorded long ago. Null: not known. */
  session: random.nullable(),
  /** The answer is bound to it. */
  challenge: random,
  /** Epoch seconds by the asker's clock. Reported, and nothing is decided by it. */
  clock: z.number(),
  /** How long to wait for a view that is not known. */
  waitMs: milliseconds,
  known: z.record(name, knownSchema),
});
export type PeerRequest = z.infer<typeof requestSchema>;

const answerSchema = z.object({
  v: z.literal(1),
  from: name,
  to: name,
  /** What the next request has to repeat. Where it did not, this is all that is answered. */
  session: random,
  isNewSession: z.boolean(),
  version: z.string().max(NAME_MAX),
  clock: z.number(),
  /** How long the request was kept waiting. */
  waitedMs: milliseconds,
  /** `ageMs`: how old the view is, by the sender's monotonic clock. */
  views: z.array(z.object({ ageMs: milliseconds, view: z.unknown() })).max(NETWORKS_MAX),
});
export type PeerAnswer = z.infer<typeof answerSchema>;

/** A view of ours as JSON, made once for all that ask. */
export type EncodedView = { readonly json: string; readonly ageMs: number };

/** Null: it is no request, or not one of this version. */
export function readRequest(text: string): PeerRequest | null {
  const request = parsed(text, requestSchema);
  return request === null || Object.keys(request.known).length > NETWORKS_MAX ? null : request;
}

export function readAnswer(text: string): PeerAnswer | null {
  return parsed(text, answerSchema);
}

/** The text of an answer. */
export function answerText(answer: Omit<PeerAnswer, 'v' | 'views'>, views: readonly EncodedView[]): string {
  const head = JSON.stringify({ v: 1, ...answer }).slice(0, -1);
  return `${head},"views":[${views.map(({ json, ageMs }) => `{"ageMs":${ageMs},"view":${json}}`).join(',')}]}`;
}

/** What an answer is bound to besides its key: the request's challenge, and between whom it goes. */
export function answerContext({ challenge, from, to }: Pick<PeerRequest, 'challenge' | 'from' | 'to'>): Buffer {
  return Buffer.from(JSON.stringify([challenge, from, to]), 'utf8');
}

/** What a request is bound to besides its key: its text names both sides, so nothing. */
export const REQUEST_CONTEXT: Uint8Array = new Uint8Array(0);

function parsed<T>(text: string, schema: z.ZodType<T>): T | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const read = schema.safeParse(value);
  return read.success ? read.data : null;
}
