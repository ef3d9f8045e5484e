/** Which requests of one peer were not seen before. */
import { randomBytes } from 'node:crypto';
import type { PeerRequest } from './messages.ts';

/** Counters behind the highest that are still taken, each once: requests may overtake one another (RFC 4303 §3.4.3). */
const WINDOW = 64;
/** Starts of the peer's process, and reloads that made it ask anew, that a session remembers. */
const BOOTS_MAX = 16;

/** `unknown-session`: to be answered with the session alone, which costs nothing and shows nothing. */
export type Freshness = 'fresh' | 'replayed' | 'unknown-session';

type Window = { highest: number; readonly seen: Set<number> };

/**
 * The replay windows of one peer. Every request repeats the session, which is random, so that what was recorded before
 * our start is never fresh. Within a session each start of the peer's process has a window of its own; when there were
 * too many of them the session ends, and what it remembered goes with it.
 */
export class Sessions {
  private id = randomText();
  private readonly windows = new Map<string, Window>();

  /** What requests must repeat. */
  get session(): string {
    return this.id;
  }

  /** Says what a request is, and remembers it. */
  check({ session, boot, counter }: Pick<PeerRequest, 'session' | 'boot' | 'counter'>): Freshness {
    if (session !== this.id) return 'unknown-session';
    let window = this.windows.get(boot);
    if (window === undefined) {
      if (this.windows.size >= BOOTS_MAX) {
        this.id = randomText();
        this.windows.clear();
        return 'unknown-session';
      }
      window = { highest: -1, seen: new Set() };
      this.windows.set(boot, window);
    }
    if (counter <= window.highest - WINDOW || window.seen.has(counter)) return 'replayed';
    window.seen.add(counter);
    if (counter > window.highest) {
      window.highest = counter;
      for (const old of window.seen) if (old <= counter - WINDOW) window.seen.delete(old);
    }
    return 'fresh';
  }
}

/** 16 random octets, as the messages have them. */
export function randomText(): string {
  return randomBytes(16).toString('base64url');
}
