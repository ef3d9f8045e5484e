/**
 * What one target is still to be sent, and what it takes to stand: a state machine without clock, file or socket.
 * Events are gathered into one message, repeats are counted, an end closes what was begun, messages keep to a rate, and a
 * message that fails is merged with what came meanwhile. Memory is bounded by KEYS_MAX.
 */
import { SEVERITIES } from '../../config/notices/events.ts';
import { RETRY_AFTER_MAX_MS } from '../../system/retry-after.ts';
import { difference, type Observation, type Scope, scopeOf } from './conditions.ts';
import { type Entry, isAtLeast, keyOf, type Message, type NoticeEvent, type Severity } from './event.ts';

export type GatherRules = {
  /** Seconds from the first event to the message. */
  readonly gather: number;
  /** Messages a minute at most, retries included. */
  readonly perMinute: number;
  /** Whether the target has chosen this event. */
  readonly wants: (event: NoticeEvent) => boolean;
};

type Standing = { readonly event: NoticeEvent; readonly startsAt: number };

/** What survives a restart. `sending`: a message that is under way. Each list has one entry a key. */
export type Saved = {
  readonly sequence: number;
  readonly open: readonly Standing[];
  readonly pending: readonly Entry[];
  readonly sending: readonly Entry[];
  readonly unlisted: number;
};

/** Why a message was not taken. `isRefused`: as it is it never will be. `retryAfterMs`: when again, if that was said. */
export type SendFailure = { readonly isRefused: boolean; readonly retryAfterMs: number | null };

export const NOTHING_SAVED: Saved = { sequence: 0, open: [], pending: [], sending: [], unlisted: 0 };

/** Conditions that the target takes to stand, and events that wait for it, together. */
export const KEYS_MAX = 2000;
const RETRY_MS = 1000;
const RETRY_MAX_MS = 60_000;
/** A message that is refused so often in a row is given up, or it would keep all later ones back. */
const REFUSED_MAX = 3;
const NAMED_MAX = 10;

/** Times in milliseconds are of a monotonic clock; `at` is epoch seconds. */
export class Gather {
  private rules: GatherRules;
  private sequence: number;
  private readonly open: Map<string, Standing>;
  private pending: Map<string, Entry>;
  private sending = new Map<string, Entry>();
  /** Events that found no room: those that happened once, and the conditions of each scope. */
  private unlistedOnce: number;
  /** Of those that happened once: said in the message under way. */
  private unlistedSaid = 0;
  private readonly unlistedStanding = new Map<Scope, number>();
  private firstMs: number | null = null;
  private notBeforeMs = Number.NEGATIVE_INFINITY;
  private failures = 0;
  private refusals = 0;
  private tokens: number;
  private tokensMs: number;

  /** A message that was under way when the process ended counts as sent; one event then says that this is in doubt. */
  constructor(rules: GatherRules, nowMs: number, at: number, saved: Saved = NOTHING_SAVED) {
    const keyed = <T extends { readonly event: NoticeEvent }>(list: readonly T[]) =>
      new Map(list.map((one) => [keyOf(one.event), one]));
    this.rules = rules;
    this.sequence = saved.sequence;
    this.open = keyed(saved.open);
    this.pending = keyed(saved.pending);
    this.unlistedOnce = saved.unlisted;
    this.tokens = rules.perMinute;
    this.tokensMs = nowMs;
    if (this.pending.size > 0) this.firstMs = nowMs;
    if (saved.sending.length === 0) return;
    this.sending = keyed(saved.sending);
    this.delivered();
    this.add(inDoubt(saved.sending, at), nowMs);
  }

  /** What failed with the old settings neither delays nor ends a message with the new ones. */
  configure(rules: GatherRules): void {
    this.rules = rules;
    this.failures = 0;
    this.refusals = 0;
    this.notBeforeMs = Number.NEGATIVE_INFINITY;
    this.tokens = Math.min(this.tokens, rules.perMinute);
  }

  /** Events that wait, those of a message that is under way included. */
  get waiting(): number {
    return this.pending.size + this.sending.size;
  }

  /** Takes an observation in. Whether it changed anything. */
  observe(observation: Observation, at: number, nowMs: number): boolean {
    const known = this.known();
    const { began, ended } = difference(observation, known);
    let unlisted = 0;
    let hasChanged = false;
    const wanted = began.map(([, event]) => event).filter((event) => this.rules.wants(event));
    wanted.sort((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity));
    for (const [key, summary] of ended) hasChanged = this.end(key, summary, at, nowMs) || hasChanged;
    for (const [i, event] of wanted.entries()) {
      const entry: Entry = { ...once(event, at), status: 'firing' };
      if (!this.add(known.has(keyOf(event)) ? this.worse(entry) : entry, nowMs)) {
        unlisted = wanted.length - i; // those after it are no worse
        break;
      }
      hasChanged = true;
    }
    if (unlisted === 0) this.unlistedStanding.delete(observation.scope);
    else this.unlistedStanding.set(observation.scope, unlisted);
    return hasChanged;
  }

  /** Takes in what happened once. Whether it changed anything. */
  note(event: NoticeEvent, at: number, nowMs: number): boolean {
    if (!this.rules.wants(event)) return false;
    if (!this.add(once(event, at), nowMs)) this.unlistedOnce += 1;
    return true;
  }

  /** When `take` has a message; null: not before something happens. */
  dueMs(nowMs: number): number | null {
    if (this.sending.size > 0 || this.firstMs === null) return null;
    return Math.max(this.firstMs + this.rules.gather * 1000, this.notBeforeMs, this.tokenMs(nowMs));
  }

  /** The message that is due, which is under way from now on; `isLast`: whatever waits, at once. */
  take(at: number, nowMs: number, isLast = false): Message | null {
    const due = this.dueMs(nowMs);
    if (due === null || (due > nowMs && !isLast)) return null;
    this.tokenMs(nowMs);
    this.tokens = Math.max(0, this.tokens - 1);
    this.sequence += 1;
    this.sending = this.pending;
    this.pending = new Map();
    this.firstMs = null;
    this.unlistedSaid = this.unlistedOnce;
    const unlisted = this.unlisted();
    return { id: String(this.sequence), at, entries: [...this.sending.values()], unlisted };
  }

  /** The message under way arrived. */
  sent(): void {
    this.delivered();
    this.unlistedOnce -= this.unlistedSaid;
    this.unlistedSaid = 0;
    this.failures = 0;
    this.refusals = 0;
  }

  /** The message under way did not arrive. False: it is given up, as if it had. */
  failed({ isRefused, retryAfterMs }: SendFailure, nowMs: number): boolean {
    this.refusals = isRefused ? this.refusals + 1 : 0;
    if (this.refusals >= REFUSED_MAX) {
      this.sent();
      return false;
    }
    const newer = this.pending;
    this.pending = new Map(this.sending);
    this.sending = new Map();
    for (const [key, entry] of newer) this.pending.set(key, merged(this.pending.get(key), entry));
    const pause = Math.min(RETRY_MS * 2 ** Math.min(this.failures, 10), RETRY_MAX_MS);
    this.failures += 1;
    this.notBeforeMs = nowMs + Math.max(pause, Math.min(retryAfterMs ?? 0, RETRY_AFTER_MAX_MS));
    this.firstMs = Number.NEGATIVE_INFINITY; // it was gathered
    return true;
  }

  /** Of all that the target takes to stand, or is about to. */
  scopes(): ReadonlySet<Scope> {
    return new Set(Array.from(this.known().values(), scopeOf));
  }

  saved(): Saved {
    return {
      sequence: this.sequence,
      open: [...this.open.values()],
      pending: [...this.pending.values()],
      sending: [...this.sending.values()],
      unlisted: this.unlistedOnce,
    };
  }

  /** What the target takes to stand once it has had all that waits for it. */
  private known(): ReadonlyMap<string, NoticeEvent> {
    const known = new Map([...this.open].map(([key, { event }]) => [key, event]));
    for (const entries of [this.sending, this.pending]) {
      for (const [key, { status, event }] of entries) {
        if (status === 'firing') known.set(key, event);
        else if (status === 'resolved') known.delete(key);
      }
    }
    return known;
  }

  /** What goes on and got worse did not begin again. */
  private worse(entry: Entry): Entry {
    const key = keyOf(entry.event);
    const begun = this.pending.get(key) ?? this.sending.get(key) ?? this.open.get(key);
    return { ...entry, startsAt: begun?.startsAt ?? entry.startsAt, count: 0 };
  }

  private end(key: string, summary: string, at: number, nowMs: number): boolean {
    const begun = this.pending.get(key) ?? this.sending.get(key) ?? this.open.get(key);
    if (begun === undefined) return false;
    const { event, startsAt } = begun;
    return this.add({ event, status: 'resolved', summary, startsAt, endsAt: at, count: 0 }, nowMs);
  }

  /** False: there is no room for it. What ends always has room: its beginning had. */
  private add(entry: Entry, nowMs: number): boolean {
    const key = keyOf(entry.event);
    const isNew = !this.pending.has(key) && !this.sending.has(key) && !this.open.has(key);
    if (isNew && !this.makeRoom(entry.event.severity)) return false;
    this.pending.set(key, merged(this.pending.get(key), entry));
    this.firstMs ??= nowMs;
    return true;
  }

  /** What is worse takes the place of what is less bad and was never sent. */
  private makeRoom(severity: Severity): boolean {
    if (this.open.size + this.pending.size + this.sending.size < KEYS_MAX) return true;
    for (const [key, { event, status }] of this.pending) {
      const isKnown = this.open.has(key) || this.sending.has(key);
      if (isKnown || isAtLeast(event.severity, severity)) continue;
      this.pending.delete(key);
      if (status === 'once') this.unlistedOnce += 1;
      return true;
    }
    return false;
  }

  private delivered(): void {
    for (const [key, { event, status, startsAt }] of this.sending) {
      if (status === 'firing') this.open.set(key, { event, startsAt });
      else if (status === 'resolved') this.open.delete(key);
    }
    this.sending = new Map();
  }

  private unlisted(): number {
    return [...this.unlistedStanding.values()].reduce((sum, each) => sum + each, this.unlistedOnce);
  }

  /** When the rate allows a message. */
  private tokenMs(nowMs: number): number {
    const perMs = this.rules.perMinute / 60_000;
    this.tokens = Math.min(this.rules.perMinute, this.tokens + Math.max(0, nowMs - this.tokensMs) * perMs);
    this.tokensMs = nowMs;
    return this.tokens >= 1 - 1e-9 ? nowMs : nowMs + (1 - this.tokens) / perMs;
  }
}

function once(event: NoticeEvent, at: number): Entry {
  return { event, status: 'once', summary: event.summary, startsAt: at, endsAt: null, count: 1 };
}

/** Two entries of a key as one: what is now, since when, and how often it began. */
function merged(older: Entry | undefined, newer: Entry): Entry {
  if (older === undefined) return newer;
  const startsAt = newer.status === 'resolved' ? older.startsAt : newer.startsAt;
  return { ...newer, startsAt, count: older.count + newer.count };
}

function inDoubt(entries: readonly Entry[], at: number): Entry {
  const named = entries.slice(0, NAMED_MAX).map(({ status, event }) => `${keyOf(event)} ${status}`);
  const more = entries.length > NAMED_MAX ? ` and ${entries.length - NAMED_MAX} more` : '';
  const summary = `a message was being sent when Edgewise ended, so it may not have arrived: ${named.join(', ')}${more}`;
  return once({ name: 'delivery_in_doubt', severity: 'warning', labels: {}, summary }, at);
}
