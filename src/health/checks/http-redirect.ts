import { parseCookie } from 'undici';
import { type Fields, shown } from './http-response.ts';

/** Redirects that are followed, as many as edgemanage's client follows; the next one fails the fetch. */
export const REDIRECTS_MAX = 30;

const REDIRECT: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Whether a status with a `Location` leads elsewhere. Without one the answer is taken as it is, as clients do. */
export function isRedirect(status: number): boolean {
  return REDIRECT.has(status);
}

export type NextHop = { readonly ok: true; readonly url: URL } | { readonly ok: false; readonly why: string };

/**
 * Where a redirect leads (RFC 9110 section 15.4). `hops`: redirects followed so far. A target that repeats host and
 * scheme but names no port stays on the port in use: behind a proxy that maps ports an edge does not know the one that
 * the test uses.
 */
export function nextHop(from: URL, location: string, hops: number): NextHop {
  if (hops >= REDIRECTS_MAX) return { ok: false, why: `more than ${REDIRECTS_MAX} redirects` };
  // Field values are latin1 here; servers that write raw UTF-8 there are followed as browsers follow them.
  const text = Buffer.from(location, 'latin1').toString('utf8');
  if (!URL.canParse(text, from.href)) return { ok: false, why: `Location is no URL: ${shown(text)}` };

  const url = new URL(text, from);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return { ok: false, why: `Location is neither http nor https: ${shown(text)}` };
  }
  if (url.hostname === from.hostname && url.protocol === from.protocol && !namesPort(text)) url.port = from.port;
  url.hash = ''; // never sent, and two URLs that differ in it alone are one
  return { ok: true, url };
}

/** Whether the written authority has a port; `URL` drops the ones that are the scheme's default. */
function namesPort(location: string): boolean {
  return /^(?:https?:)?\/\/[^/?#]*:\d+(?:[/?#]|$)/i.test(location.trim());
}

/** Cookies that one fetch keeps; an edge that sets more is not a shop to walk through. */
const COOKIES_MAX = 50;

type Kept = {
  readonly name: string;
  readonly value: string;
  readonly domain: string;
  /** Only for `domain` itself, not for names below it. */
  readonly hostOnly: boolean;
  readonly path: string;
  readonly secure: boolean;
};

/**
 * Cookies (RFC 6265 section 5) of one fetch, from one redirect to the next: some edges let in only who brings theirs
 * back.
 */
export class CookieJar {
  private readonly kept = new Map<string, Kept>();

  /** Takes what the answer from `url` sets. */
  take(url: URL, fields: Fields): void {
    for (const line of fields.get('set-cookie') ?? []) {
      const cookie = parseCookie(line);
      if (cookie === null) continue;
      const host = url.hostname;
      const given = cookie.domain?.replace(/^\./, '').toLowerCase() ?? '';
      if (given !== '' && given !== host && !host.endsWith(`.${given}`)) continue;
      const path = cookie.path?.startsWith('/') === true ? cookie.path : defaultPath(url);
      const domain = given === '' ? host : given;
      const key = JSON.stringify([cookie.name, domain, path]);
      const isOver =
        (cookie.maxAge !== undefined && cookie.maxAge <= 0) ||
        (cookie.maxAge === undefined && cookie.expires !== undefined && Number(cookie.expires) <= Date.now());
      this.kept.delete(key);
      if (isOver || this.kept.size >= COOKIES_MAX) continue;
      const { name, value } = cookie;
      this.kept.set(key, { name, value, domain, hostOnly: given === '', path, secure: cookie.secure === true });
    }
  }

  /** The `Cookie` field of a request for `url`; null: none. */
  header(url: URL): string | null {
    const fitting = [...this.kept.values()].filter(
      ({ domain, hostOnly, path, secure }) =>
        (url.hostname === domain || (!hostOnly && url.hostname.endsWith(`.${domain}`))) &&
        (url.pathname === path || url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`)) &&
        (!secure || url.protocol === 'https:'),
    );
    if (fitting.length === 0) return null;
    fitting.sort((a, b) => b.path.length - a.path.length);
    return fitting.map(({ name, value }) => `${name}=${value}`).join('; ');
  }
}

/** RFC 6265 section 5.1.4. */
function defaultPath(url: URL): string {
  const slash = url.pathname.lastIndexOf('/');
  return slash <= 0 ? '/' : url.pathname.slice(0, slash);
}
