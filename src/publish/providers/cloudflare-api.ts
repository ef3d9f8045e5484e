/** Calls of Cloudflare's API v4, and what its answers mean (developers.cloudflare.com/api, /fundamentals/api/reference/limits). */
import { Agent, request } from 'undici';
import { z } from 'zod';
import { jsonOf } from '../../system/json-object.ts';
import { oneLine } from '../../system/printable.ts';
import { RETRY_AFTER_MAX_MS, retryAfterMs } from '../../system/retry-after.ts';
import { type Secret, withoutSecrets } from '../../system/secret.ts';
import { version } from '../../system/version.ts';
import { lostAnswer } from './http-client.ts';
import { ProviderError, type ProviderProblem } from './provider.ts';

/** An API token, or the older global key of a user. */
export type CloudflareAuth =
  | { readonly kind: 'token'; readonly token: Secret }
  | { readonly kind: 'key'; readonly key: Secret; readonly email: string };

export type CloudflareQuery = { readonly [name: string]: string | number };

/** What an answer holds; `pages`: how many there are, null where the answer does not say. */
export type CloudflareResult = { readonly result: unknown; readonly pages: number | null };

const MIB = 2 ** 20;
/** A batch of 200 operations is far from all of these; the caller's signal usually ends a call long before. */
const BOUNDS = { connections: 4, connectMs: 10_000, answerMs: 60_000, keepAliveMs: 10_000, octets: 4 * MIB };
const QUOTED_MAX = 200;

const apiError = z.object({ code: z.number(), message: z.string() });
const envelope = z.object({
  success: z.boolean(),
  errors: z.array(z.object({ ...apiError.shape, error_chain: z.array(apiError).nullish() })).nullish(),
  result: z.unknown().optional(),
  result_info: z.object({ total_pages: z.number().optional() }).nullish(),
});
type ApiError = { readonly code: number; readonly message: string };

/** Codes that say more than the status does. */
const CODES: readonly (readonly [ProviderProblem, ReadonlySet<number>])[] = [
  // Header or token malformed, unknown, refused, or without the permission.
  ['credentials', new Set([6003, 6100, 6103, 6111, 9103, 9106, 9107, 9109, 10000, 10001])],
  // The record is gone; the same record is there already (81057, 81058).
  ['conflict', new Set([81044, 81057, 81058])],
  // A CNAME where addresses should be, or the other way round.
  ['name', new Set([81053, 81054])],
  ['limit', new Set([971, 10429])],
  // No such path: an identifier of a zone that is no more, or never was.
  ['zone', new Set([1001, 7000, 7003])],
];

type Headers = { readonly [name: string]: string | readonly string[] | undefined };

/** One account's access to the API. `now`: milliseconds of a clock that never goes back. */
export class CloudflareApi {
  private readonly base: string;
  private readonly auth: CloudflareAuth;
  private readonly now: () => number;
  private readonly agent = new Agent({
    connections: BOUNDS.connections,
    connect: { timeout: BOUNDS.connectMs },
    headersTimeout: BOUNDS.answerMs,
    bodyTimeout: BOUNDS.answerMs,
    keepAliveTimeout: BOUNDS.keepAliveMs,
    keepAliveMaxTimeout: BOUNDS.keepAliveMs,
    maxResponseSize: BOUNDS.octets,
  });
  /** Nothing is asked before, since nothing would be answered. */
  private notBefore = Number.NEGATIVE_INFINITY;

  /** `base`: the address that paths such as `/zones` are added to, without final slash. */
  constructor(base: string, auth: CloudflareAuth, now: () => number = () => performance.now()) {
    this.base = base;
    this.auth = auth;
    this.now = now;
  }

  /** Rejects with a ProviderError, or with the signal's reason. */
  async call(
    method: 'GET' | 'POST',
    path: string,
    { query = {}, body }: { readonly query?: CloudflareQuery; readonly body?: unknown },
    signal: AbortSignal,
  ): Promise<CloudflareResult> {
    signal.throwIfAborted();
    const wait = this.notBefore - this.now();
    if (wait > 0) throw this.limit(wait);
    try {
      const answer = await request(`${this.base}${path}`, {
        method,
        dispatcher: this.agent,
        signal,
        query,
        headers: {
          ...this.credentials(),
          accept: 'application/json',
          'user-agent': `edgewise/${version()}`,
          ...(body !== undefined && JSON_BODY),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await answer.body.text();
      this.noteLimit(answer.headers);
      return this.meaning(answer.statusCode, answer.headers, text);
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof ProviderError ? error : lostAnswer(this.host, error);
    }
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }

  private credentials(): { readonly [name: string]: string } {
    const { auth } = this;
    const fields =
      auth.kind === 'token'
        ? { authorization: `Bearer ${auth.token.reveal()}` }
        : { 'x-auth-key': auth.key.reveal(), 'x-auth-email': auth.email };
    if (Object.values(fields).every((text) => /^[\x20-\x7e]+$/.test(text))) return fields;
    throw new ProviderError(
      'credentials',
      `the ${this.credential} holds characters that none can have: was it copied whole?`,
    );
  }

  private get host(): string {
    return new URL(this.base).host;
  }

  /** `"default";r=0;t=30`: nothing is left for thirty seconds (draft-ietf-httpapi-ratelimit-headers). */
  private noteLimit(headers: Headers): void {
    const waits = fieldText(headers, 'ratelimit')
      .split(',')
      .filter((item) => /;\s*r=0\s*(?:;|$)/.test(item))
      .map((item) => Number(/;\s*t=(\d{1,9})\s*(?:;|$)/.exec(item)?.[1] ?? 0) * 1000);
    this.holdFor(Math.max(0, ...waits));
  }

  private holdFor(ms: number): void {
    if (ms > 0) this.notBefore = Math.max(this.notBefore, this.now() + Math.min(ms, RETRY_AFTER_MAX_MS));
  }

  private limit(ms: number | null): ProviderError {
    const when = ms === null ? 'later' : `in ${Math.ceil(ms / 1000)} s`;
    return new ProviderError('limit', `${this.host} takes no more requests for now; asked again ${when}`, ms);
  }

  private meaning(status: number, headers: Headers, text: string): CloudflareResult {
    const parsed = envelope.safeParse(jsonOf(text));
    const given = parsed.success ? (parsed.data.errors ?? []) : [];
    const errors = given.flatMap(({ code, message, error_chain: chain }) => [{ code, message }, ...(chain ?? [])]);
    if (parsed.success && parsed.data.success && status >= 200 && status < 300) {
      return { result: parsed.data.result, pages: parsed.data.result_info?.total_pages ?? null };
    }
    const retryAfter = retryAfterMs(fieldText(headers, 'retry-after'));
    const problem = problemOf(status, parsed.success, errors);
    if (problem === 'limit') {
      this.holdFor(retryAfter ?? 0);
      const wait = this.notBefore - this.now();
      throw this.limit(wait > 0 ? wait : null);
    }
    const said = errors.length === 0 ? '' : `: ${this.quoted(errors)}`;
    throw new ProviderError(problem, `${this.host} ${this.sentence(problem, status)}${said}`, retryAfter);
  }

  private get credential(): string {
    return this.auth.kind === 'token' ? 'API token' : 'API key or e-mail address';
  }

  private sentence(problem: ProviderProblem, status: number): string {
    switch (problem) {
      case 'credentials':
        return `refuses the ${this.credential}, or it lacks the permission Zone / DNS / Edit for this zone (status ${status})`;
      case 'zone':
        return `knows no such zone (status ${status})`;
      case 'name':
        return 'has a CNAME at the name, which excludes addresses';
      case 'conflict':
        return 'has other records than those that were read';
      case 'trouble':
        return `is in trouble (status ${status})`;
      case 'malformed':
        return `sent no answer of Cloudflare's API (status ${status}); is this its address?`;
      default:
        return `refuses (status ${status})`;
    }
  }

  private quoted(errors: readonly ApiError[]): string {
    const text = errors.map(({ code, message }) => `${message} (${code})`).join('; ');
    const { auth } = this;
    const clean = oneLine(withoutSecrets(text, [auth.kind === 'token' ? auth.token : auth.key]));
    return clean.length > QUOTED_MAX ? `${clean.slice(0, QUOTED_MAX)}…` : clean;
  }
}

const JSON_BODY = { 'content-type': 'application/json' };

function fieldText(headers: Headers, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : (value ?? []).join(',');
}

function problemOf(status: number, isEnvelope: boolean, errors: readonly ApiError[]): ProviderProblem {
  if (status === 429) return 'limit';
  if (status >= 500) return 'trouble';
  const known = CODES.find(([, codes]) => errors.some(({ code }) => codes.has(code)));
  if (known !== undefined) return known[0];
  if (status === 401 || status === 403) return 'credentials';
  if (!isEnvelope) return 'malformed';
  if (status === 404) return 'zone';
  return status >= 300 && status < 400 ? 'malformed' : 'refused';
}
