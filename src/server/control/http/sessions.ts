import { createHash, randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';

const ID_OCTETS = 32;
/** Of one token, and in all; the one that was idle longest makes room. */
const PER_TOKEN_MAX = 16;
const SESSIONS_MAX = 256;
/** Seconds from signing in, and from the last request. */
export const SESSION_SECONDS = 12 * 3600;
const IDLE_SECONDS = 2 * 3600;

type Session = {
  readonly tokenKey: string;
  readonly createdAt: number;
  usedAt: number;
  readonly ending: AbortController;
};

/**
 * Who has signed in with a browser. In memory only: a restart ends them all. Times are seconds of a clock that nobody
 * sets. What is kept of an identifier is its hash, so that looking one up takes no longer for one that is nearly right.
 */
export class Sessions {
  private readonly all = new Map<string, Session>();

  /** An identifier, for a cookie. `tokenKey`: of the token that was signed in with. */
  start(tokenKey: string, now: number): string {
    this.expire(now);
    const own = [...this.all].filter(([, session]) => session.tokenKey === tokenKey);
    if (own.length >= PER_TOKEN_MAX) this.endIdlest(own);
    else if (this.all.size >= SESSIONS_MAX) this.endIdlest([...this.all]);
    const id = randomBytes(ID_OCTETS).toString('base64url');
    const ending = new AbortController();
    setMaxListeners(0, ending.signal); // one an open page
    this.all.set(keyOf(id), { tokenKey, createdAt: now, usedAt: now, ending });
    return id;
  }

  /** The token that this session was started with; null: there is no such session, or none any more. */
  use(id: string, now: number): string | null {
    const key = keyOf(id);
    const session = this.all.get(key);
    if (session === undefined) return null;
    if (isOver(session, now)) {
      this.remove(key);
      return null;
    }
    session.usedAt = now;
    return session.tokenKey;
  }

  /** Whether there is this session still; asking does not count as using it. */
  isCurrent(id: string, now: number): boolean {
    const key = keyOf(id);
    const session = this.all.get(key);
    if (session !== undefined && isOver(session, now)) this.remove(key);
    return this.all.has(key);
  }

  /** Aborted when the session ends, or is found to be over; null: there is no such session. */
  ended(id: string): AbortSignal | null {
    return this.all.get(keyOf(id))?.ending.signal ?? null;
  }

  /** The token of the session that ended; null: there was none. */
  end(id: string): string | null {
    return this.remove(keyOf(id))?.tokenKey ?? null;
  }

  /** Ends those whose tokens are not among these. */
  keepOnly(tokenKeys: ReadonlySet<string>): void {
    for (const [key, { tokenKey }] of this.all) if (!tokenKeys.has(tokenKey)) this.remove(key);
  }

  get size(): number {
    return this.all.size;
  }

  private expire(now: number): void {
    for (const [key, session] of this.all) if (isOver(session, now)) this.remove(key);
  }

  private remove(key: string): Session | undefined {
    const session = this.all.get(key);
    this.all.delete(key);
    session?.ending.abort();
    return session;
  }

  private endIdlest(of: readonly (readonly [string, Session])[]): void {
    const [idlest] = [...of].sort(([, a], [, b]) => a.usedAt - b.usedAt);
    if (idlest !== undefined) this.remove(idlest[0]);
  }
}

function keyOf(id: string): string {
  return createHash('sha256').update(id).digest('base64');
}

function isOver({ createdAt, usedAt }: Session, now: number): boolean {
  return now - createdAt >= SESSION_SECONDS || now - usedAt >= IDLE_SECONDS;
}
