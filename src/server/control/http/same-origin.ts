import type { Request } from './operation.ts';

/**
 * What speaks for a request that changes something having been made by somebody else's page; null: nothing does. A
 * browser says of itself where a request comes from (`Sec-Fetch-Site`, `Origin`); other clients send neither.
 *
 * @param isAmbient The browser adds the credentials by itself, whoever asks (a cookie): then it has to say.
 */
export function crossSiteFault(request: Request, isAmbient: boolean): string | null {
  const [site, origin, host] = ['sec-fetch-site', 'origin', 'host'].map((name) => request.header(name));
  if (site !== null && site !== 'same-origin' && site !== 'none') {
    return `the request was made by a page of another site (Sec-Fetch-Site: ${site})`;
  }
  if (origin !== null) {
    if (host !== null && isOrigin(origin, host, request.isTls)) return null;
    return 'the request was made by a page of another origin; a proxy in front must leave the field Host as it is';
  }
  if (isAmbient && site !== 'same-origin')
    return 'the browser does not say that a page of this server made the request';
  return null;
}

/**
 * Whether an origin is this server, asked as `host`. In the clear it may be behind a proxy that speaks TLS, so that the
 * scheme does not tell.
 */
function isOrigin(origin: string, host: string, isTls: boolean): boolean {
  const match = /^(https?):\/\/([^/?#@\\]+)$/.exec(origin.toLowerCase());
  if (match === null) return false;
  const [, scheme, authority] = match;
  if (isTls && scheme !== 'https') return false;
  const port = scheme === 'https' ? ':443' : ':80';
  const plain = (text: string): string => (text.endsWith(port) ? text.slice(0, -port.length) : text);
  return plain(authority) === plain(host.trim().toLowerCase());
}
