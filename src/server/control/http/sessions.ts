import { createHash, randomBytes } from 'node:crypto';

const ID_OCTETS = 32;
/** Of one token, and in all; the one that was idle longest makes room. */
const PER_TOKEN_MAX = 16;
const SESSIONS_MAX = 256;
/** Seconds from signing in, and from the last request. */
export const SESSION_SECONDS = 12 * 3600;
const IDLE_SECONDS = 2 * 3600;

type Session = { readonly tokenKey: string; readonly createdAt: number; usedAt: number };

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
    this.all.set(keyOf(id), { tokenKey, createdAt: now, usedAt: now });
    return id;
  }

  /** The token that this session was started with; null: there is no such session, or none any more. */
  use(id: string, now: number): string | null {
    const key = keyOf(id);
    const session = this.all.get(key);
    if (session === undefined) return null;
    if (isOver(session, now)) {
      this.all.delete(key);
      return null;
    }
    session.usedAt = now;
    return session.tokenKey;
  }

  end(id: string): void {
    this.all.delete(keyOf(id));
  }

  /** Ends those whose tokens are not among these. */
  keepOnly(tokenKeys: ReadonlySet<string>): void {
    for (const [key, { tokenKey }] of this.all) if (!tokenKeys.has(tokenKey)) this.all.delete(key);
  }

  get size(): number {
    return this.all.size;
  }

  private expire(now: number): void {
    for (const [key, session] of this.all) if (isOver(session, now)) this.all.delete(key);
  }

  private endIdlest(of: readonly (readonly [string, Session])[]): void {
    const [idlest] = [...of].sort(([, a], [, b]) => a.usedAt - b.usedAt);
    if (idlest !== undefined) this.all.delete(idlest[0]);
  }
}

function keyOf(id: string): string {
  return createHash('sha256').update(id).digest('base64');
}

function isOver({ createdAt, usedAt }: Session, now: number): boolean {
  return now - createdAt >= SESSION_SECONDS || now - usedAt >= IDLE_SECONDS;
}
