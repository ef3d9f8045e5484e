/**
 * The contract of a DNS provider: somebody else's name servers, at which named sets of addresses are kept equal to a
 * network's live set. A kind is one file of this folder and one of `src/config/providers`, with a line in each registry.
 */

export type AddressType = 'A' | 'AAAA';

/** The name and type of one set. `name`: absolute, lower case, presentation form without the final dot. */
export type SetKey = { readonly name: string; readonly type: AddressType };

/** A set as it should be. `ttl`: seconds. `addresses`: canonical text, sorted, at least one. */
export type WantedSet = SetKey & { readonly ttl: number; readonly addresses: readonly string[] };

/**
 * A set as the provider has it. `ttl` null: it has records of different TTLs, or does not say. `extra`: what else of the
 * set the provider keeps right (such as `proxied`), a word each, in a fixed order; two sets with different words differ.
 * `own`: whatever the provider needs to address it later (identifiers of records, a version); nobody else reads it.
 */
export type HeldSet<Own = unknown> = SetKey & {
  readonly ttl: number | null;
  readonly addresses: readonly string[];
  readonly extra: readonly string[];
  readonly own: Own;
};

/**
 * One step. `was` null: there is no such set yet. `to` null: the set is to go, because the other family answers the name.
 * `text`: what is done, a sentence without final stop, such as `www.example.org A: 192.0.2.1 instead of 192.0.2.9`.
 */
export type Correction<Own = unknown> = SetKey & {
  readonly was: HeldSet<Own> | null;
  readonly to: WantedSet | null;
  readonly text: string;
};

/** One that was not carried out, though others of its call were. `why`: as the message of a ProviderError. */
export type Refusal<Own = unknown> = { readonly correction: Correction<Own>; readonly why: string };

export const PROVIDER_PROBLEMS = [
  /** The token, key or signature is refused, or may not do this. */
  'credentials',
  /** The provider has no such zone. */
  'zone',
  /** A name outside the zone, or one that cannot have such a set (a CNAME is there). */
  'name',
  /** Nobody answers: refused, unreachable, no such host, TLS. */
  'unreachable',
  'timeout',
  /** Asked too often; `retryAfterMs` says when again, if the provider did. */
  'limit',
  /** The set is not what it was when it was read: somebody else, or a later decision, changed it. */
  'conflict',
  /** The provider is in trouble itself (5xx, SERVFAIL). */
  'trouble',
  /** It refuses for another reason. */
  'refused',
  /** An answer that is none. */
  'malformed',
] as const;

export type ProviderProblem = (typeof PROVIDER_PROBLEMS)[number];

/**
 * What a provider could not do. The message is one sentence with what to do where there is anything to do; it never holds
 * a secret, nor more than a few hundred characters of what the provider answered.
 */
export class ProviderError extends Error {
  readonly problem: ProviderProblem;
  /** Milliseconds from now before which nothing may be asked; null: as usual. */
  readonly retryAfterMs: number | null;

  constructor(problem: ProviderProblem, message: string, retryAfterMs: number | null = null) {
    super(message);
    this.name = 'ProviderError';
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }
}

export type Provider<Own = unknown> = {
  readonly kind: string;
  /** Words every held set must have in `extra` to be right; a fixed order. */
  readonly extra: readonly string[];
  /**
   * The sets of these keys that exist; an absent one is not in the result. At most a few requests, whatever their number.
   * Rejects with a ProviderError, or with the signal's reason.
   */
  readonly read: (keys: readonly SetKey[], signal: AbortSignal) => Promise<readonly HeldSet<Own>[]>;
  /**
   * Carries corrections out, as one transaction where the provider has them, what comes before what goes where it has
   * not; never touches another set. Resolves when the provider has taken them over for good (Route 53: INSYNC), with those
   * of names that cannot have such a set, usually none, where the provider tells before it writes; one that takes all or
   * nothing rejects with `name`. A set that is no longer what `was` says must not be overwritten where the provider can
   * tell (`conflict`). Rejects as `read`; some of it may be done then. (Written as a method, so that a provider with an
   * `own` of its own is a Provider of any: it gets back only what it read itself.)
   */
  apply(corrections: readonly Correction<Own>[], signal: AbortSignal): Promise<readonly Refusal<Own>[]>;
  /** Ends kept connections. */
  readonly close: () => Promise<void>;
};
