import { isIP } from 'node:net';

/**
 * Whether a request is meant for this server. A page of somebody else's whose name was made to lead here (DNS
 * rebinding) has a browser send that name; it must not read this server's pages. Addresses, names of one label
 * (`localhost`, a container's) and the machine's own name cannot be had from the public DNS by a stranger; all others
 * are to be listed.
 *
 * @param host The request's `Host` field or the authority of its target, `name[:port]`; an absent one (HTTP/1.0) is no
 *   browser's.
 * @param names What is allowed besides, in lower case without a final dot.
 */
export function isOwnHost(host: string | undefined, names: ReadonlySet<string>): boolean {
  if (host === undefined || host === '') return true;
  const match = /^(\[[^\]]*\]|[^:]*)(?::\d*)?$/.exec(host.trim());
  if (match === null) return false;
  const name = match[1].toLowerCase().replace(/\.$/, '');
  if (name.startsWith('[')) return isIP(name.slice(1, -1)) === 6;
  if (isIP(name) === 4 || !name.includes('.') || name.endsWith('.localhost')) return true;
  return names.has(name);
}
