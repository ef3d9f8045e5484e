/** Redirects that are followed; the next one fails the fetch. */
const MAX_REDIRECTS = 5;

const REDIRECT: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export function isRedirect(status: number): boolean {
  return REDIRECT.has(status);
}

export type NextHop = { readonly ok: true; readonly url: URL } | { readonly ok: false; readonly why: string };

/**
 * Where a redirect leads (RFC 9110 section 15.4). `visited` are the URLs fetched so far, this one included: since every
 * hop is a plain GET without cookies, a URL seen before would answer the same again.
 * A target that repeats host and scheme but names no port stays on the port in use: the Host header never told the edge
 * which port the test uses, so it could not have repeated it.
 */
export function nextHop(from: URL, status: number, location: string | null, visited: ReadonlySet<string>): NextHop {
  if (location === null) return { ok: false, why: `status ${status} without a Location` };
  if (visited.size > MAX_REDIRECTS) return { ok: false, why: `more than ${MAX_REDIRECTS} redirects` };
  // undici reads header octets as latin1; servers that write raw UTF-8 there are followed as browsers follow them.
  const text = Buffer.from(location, 'latin1').toString('utf8');
  if (!URL.canParse(text, from.href)) return { ok: false, why: `Location is no URL: ${shown(text)}` };

  const url = new URL(text, from);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return { ok: false, why: `Location is neither http nor https: ${shown(text)}` };
  }
  if (url.hostname === from.hostname && url.protocol === from.protocol && !namesPort(text)) url.port = from.port;
  url.hash = ''; // never sent, and two URLs that differ in it alone are one
  if (visited.has(url.href)) return { ok: false, why: `a redirect loop: back at ${shown(url.href)}` };
  return { ok: true, url };
}

/** Whether the written authority has a port; `URL` drops the ones that are the scheme's default. */
function namesPort(location: string): boolean {
  return /^(?:https?:)?\/\/[^/?#]*:\d+(?:[/?#]|$)/i.test(location.trim());
}

function shown(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not reach a log
  return JSON.stringify(text.slice(0, 200).replace(/[\x00-\x1f\x7f]/g, '?'));
}
