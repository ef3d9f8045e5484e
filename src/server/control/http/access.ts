/** Who may do what; decided before anything of a request but its header is read. */
import { timingSafeEqual } from 'node:crypto';
import { type NamedToken, tokenDigest } from '../../../config/token-file.ts';
import type { Log } from '../../../system/log-events.ts';
import { clientPrefix } from './client-prefix.ts';
import { LineLimit } from './line-limit.ts';
import type { Access, Grant, Reply, Request, Right } from './operation.ts';
import { problem } from './problem.ts';
import type { Refusal, Refusals } from './refusals.ts';
import { crossSiteFault } from './same-origin.ts';
import { SESSION_SECONDS, Sessions } from './sessions.ts';
import { WrongTokens } from './wrong-tokens.ts';

/** `author`: who it is, where that is known. `right`: the most that they may do. `grant` left out: for good. */
export type Admission =
  | { readonly ok: true; readonly author: string | null; readonly right: Right; readonly grant?: Grant }
  | { readonly ok: false; readonly reply: Reply };

export type AccessPolicy = {
  readonly admit: (access: Access, request: Request) => Admission | Promise<Admission>;
};

/** Without `http.admin`: whoever reaches the port reads, and nobody changes anything. */
export const READ_ONLY: AccessPolicy = {
  admit: (access) =>
    access === 'write'
      ? { ok: false, reply: problem(403, 'nothing can be changed here: the configuration has no http.admin') }
      : { ok: true, author: null, right: 'read' },
};

export type AccessRules = {
  /** Who may change things and read; null: nobody may change anything. */
  readonly admins: readonly NamedToken[] | null;
  /** Who may only read; null: everybody. */
  readonly readers: readonly NamedToken[] | null;
  /** Whether a certificate that was vouched for is an administrator's. */
  readonly hasClients: boolean;
};

export type AccessControlOptions = {
  readonly rules: AccessRules;
  readonly refusals: Refusals;
  readonly log: Log;
  /** Seconds of a clock that nobody sets; left out: the process's. */
  readonly now?: () => number;
};

/** What a request brings to say who sends it. `ambient`: a browser sends it along, whoever's page asks. */
type Identity =
  | {
      readonly kind: 'known';
      readonly author: string;
      readonly right: 'read' | 'write';
      readonly ambient: boolean;
      readonly session: string | null;
    }
  | { readonly kind: 'none' | 'wrong' };

type Holder = { readonly name: string; readonly digest: Uint8Array; readonly right: 'read' | 'write' };

/** Lines of the log about one person's sessions, in so many seconds. */
const SESSION_LINES = 10;
const SESSION_LINES_S = 60;

const CHALLENGE = { 'www-authenticate': 'Bearer realm="edgewise"' };

/** Access by tokens, sessions that were started with one, and client certificates. */
export class AccessControl implements AccessPolicy {
  private rules: AccessRules;
  private holders: readonly Holder[];
  private readonly sessions = new Sessions();
  /** Of each person who signed in, so that nobody's flood hides what somebody else does. */
  private readonly lines = new Map<string, LineLimit>();
  private readonly wrong: WrongTokens;
  private readonly refusals: Refusals;
  private readonly log: Log;
  private readonly now: () => number;
  /** How often who may do what has changed. */
  private generation = 0;

  constructor({ rules, refusals, log, now = () => performance.now() / 1000 }: AccessControlOptions) {
    this.rules = rules;
    this.holders = holdersOf(rules);
    this.refusals = refusals;
    this.log = log;
    this.wrong = new WrongTokens((message, client) => log('warn', message, { event: 'admin.refused', client }));
    this.now = now;
  }

  /** New rules come into force; sessions of tokens that are gone end, and all that was granted has to be asked for anew. */
  configure(rules: AccessRules): void {
    this.generation += 1;
    this.rules = rules;
    this.holders = holdersOf(rules);
    this.sessions.keepOnly(new Set(this.holders.map(({ digest }) => keyOf(digest))));
    const names = new Set(this.holders.map(({ name }) => name));
    for (const name of this.lines.keys()) if (!names.has(name)) this.lines.delete(name);
  }

  /** Whether anybody can sign in. */
  get hasTokens(): boolean {
    return this.holders.length > 0;
  }

  get isReadRestricted(): boolean {
    return this.rules.readers !== null;
  }

  async admit(access: Access, request: Request): Promise<Admission> {
    const { admins, readers, hasClients } = this.rules;
    const identity = this.identityOf(request);
    if (identity.kind === 'known') {
      const { author, right, ambient, session } = identity;
      const grant = this.grant(session);
      if (access !== 'write') return { ok: true, author, right, grant };
      const fault = crossSiteFault(request, ambient);
      if (fault !== null) return this.refuse('cross_site', problem(403, fault));
      if (right === 'write') return { ok: true, author, right, grant };
      return this.refuse('forbidden', problem(403, `${author} may read here, and change nothing`));
    }
    const grant = this.grant(null); // of now: a wrong token waits below
    const isFree = access === 'open' || (access === 'read' && readers === null);
    if (identity.kind === 'wrong') {
      const refused = await this.wrongToken(request);
      if (!isFree) return { ok: false, reply: refused };
    }
    if (isFree) return { ok: true, author: null, right: readers === null ? 'read' : 'none', grant };
    if (access === 'write' && admins === null && !hasClients) {
      return this.refuse('forbidden', problem(403, 'nothing can be changed here: the configuration has no http.admin'));
    }
    const reply = wantsPage(request)
      ? seeOther(`/login?to=${encodeURIComponent(request.method === 'GET' ? request.path : '/')}`)
      : problem(401, 'send a token as "Authorization: Bearer TOKEN", or sign in at /login', CHALLENGE);
    return this.refuse('credentials', reply);
  }

  /** Starts a session: its cookie. Null: the token is wrong, which has been counted and slowed down. */
  async signIn(token: string, request: Request): Promise<string | null> {
    const holder = this.holderOf(token);
    if (holder === null) {
      await this.wrongToken(request);
      return null;
    }
    // The browser forgets the identifier that it had: nobody may go on with it.
    const before = sessionId(request);
    if (before !== null) this.sessions.end(before);
    this.note(holder.name, 'signed in', request);
    return cookieText(request, this.sessions.start(keyOf(holder.digest), this.now()), SESSION_SECONDS);
  }

  /** Ends the session of a request, if it has one: the cookie that takes its own away. */
  signOut(request: Request): string {
    const id = sessionId(request);
    const key = id === null ? null : this.sessions.end(id);
    const holder = this.holders.find(({ digest }) => keyOf(digest) === key);
    if (holder !== undefined) this.note(holder.name, 'signed out', request);
    return cookieText(request, '', 0);
  }

  /** What speaks against a form having been sent by a page of this server; counted. */
  foreignForm(request: Request): Reply | null {
    const fault = crossSiteFault(request, false);
    if (fault === null) return null;
    this.refusals.add('cross_site');
    return problem(403, fault);
  }

  private identityOf(request: Request): Identity {
    const authorization = request.header('authorization');
    if (authorization !== null) {
      const [, token] = /^Bearer +([^\s]+)$/i.exec(authorization.trim()) ?? [];
      const holder = token === undefined ? null : this.holderOf(token);
      if (holder === null) return { kind: 'wrong' };
      return { kind: 'known', author: holder.name, right: holder.right, ambient: false, session: null };
    }
    const id = sessionId(request);
    const key = id === null ? null : this.sessions.use(id, this.now());
    const holder = key === null ? undefined : this.holders.find(({ digest }) => keyOf(digest) === key);
    if (holder !== undefined) {
      return { kind: 'known', author: holder.name, right: holder.right, ambient: true, session: id };
    }
    const { certificate } = request;
    if (certificate === null || !this.rules.hasClients) return { kind: 'none' };
    // A browser says where a request comes from, and what is no browser cannot be abused by a page.
    return { kind: 'known', author: certificate, right: 'write', ambient: false, session: null };
  }

  /** Until the rules change, and the session ends where there is one. */
  private grant(session: string | null): Grant {
    const { generation } = this;
    return {
      isValid: () =>
        this.generation === generation && (session === null || this.sessions.isCurrent(session, this.now())),
      ended: session === null ? null : this.sessions.ended(session),
    };
  }

  private note(author: string, what: 'signed in' | 'signed out', { client }: Request): void {
    const limit = this.lines.get(author) ?? new LineLimit(SESSION_LINES_S, SESSION_LINES);
    this.lines.set(author, limit);
    const leftOut = limit.take(this.now());
    if (leftOut === null) return;
    const more = leftOut === 0 ? '' : ` (${leftOut} more lines of ${author}'s sessions were left out before)`;
    this.log('info', `http: ${author} ${what} from ${client}${more}`, { event: 'admin.session', author, client });
  }

  /** Takes as long for a token that is nearly right as for any other. */
  private holderOf(token: string): Holder | null {
    const given = tokenDigest(token);
    let found: Holder | null = null;
    for (const holder of this.holders) if (timingSafeEqual(given, holder.digest)) found ??= holder;
    return found;
  }

  private async wrongToken({ client }: Request): Promise<Reply> {
    this.refusals.add('token');
    const isSlow = await this.wrong.note(clientPrefix(client), this.now());
    if (isSlow) return problem(401, 'this token is not known here', CHALLENGE);
    return problem(429, 'too many wrong tokens', { 'retry-after': '2', connection: 'close' });
  }

  private refuse(reason: Refusal, reply: Reply): Admission {
    this.refusals.add(reason);
    return { ok: false, reply };
  }
}

function holdersOf({ admins, readers }: AccessRules): readonly Holder[] {
  // Whoever is in both files may write: the first that matches counts.
  return [
    ...(admins ?? []).map((token) => ({ ...token, right: 'write' as const })),
    ...(readers ?? []).map((token) => ({ ...token, right: 'read' as const })),
  ];
}

function keyOf(digest: Uint8Array): string {
  return Buffer.from(digest).toString('base64');
}

/** A person with a browser, who can be led to the form. */
function wantsPage(request: Request): boolean {
  return /\btext\/html\b/.test(request.header('accept') ?? '');
}

export function seeOther(location: string, headers: Reply['headers'] = {}): Reply {
  return { status: 303, type: 'text/plain; charset=utf-8', body: '', headers: { ...headers, location } };
}

/**
 * Cookies are those of a host, whatever the port, and several servers may run on one machine; so the port is part of the
 * name. `__Host-`: a browser takes it only over TLS, and from nobody but this host.
 */
function cookieName(request: Request): string {
  const [, port = ''] = /:(\d{1,5})$/.exec(request.header('host') ?? '') ?? [];
  return `${isSecure(request) ? '__Host-' : ''}edgewise${port === '' ? '' : `-${port}`}`;
}

/** Whether the browser speaks TLS, with this server or a proxy in front of it. */
function isSecure(request: Request): boolean {
  return request.isTls || (request.header('origin') ?? '').startsWith('https://');
}

function cookieText(request: Request, id: string, seconds: number): string {
  const secure = isSecure(request) ? '; Secure' : '';
  return `${cookieName(request)}=${id}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
}

function sessionId(request: Request): string | null {
  const name = cookieName(request);
  const cookies = (request.header('cookie') ?? '').split(';').map((each) => each.trim());
  // Behind a proxy that speaks TLS, requests without Origin do not say so.
  for (const each of request.isTls ? [name] : [`__Host-${name}`, name]) {
    const found = cookies.find((cookie) => cookie.startsWith(`${each}=`));
    if (found !== undefined) return found.slice(each.length + 1);
  }
  return null;
}
