/** What a request line asks for (RFC 9112 section 3.2). */
export type Target = {
  /** Whom it is for, where the target says so; else the `Host` field does. */
  readonly authority: string | null;
  /** Percent-encoded. */
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
};

const AUTHORITY = /^https?:\/\/([^/?#]*)/i;

/** `http://host/path` is `/path` of that host (section 3.2.2: a server must accept both forms). */
export function targetOf(target: string): Target {
  const found = AUTHORITY.exec(target);
  let rest = target;
  if (found !== null) {
    rest = target.slice(found[0].length);
    if (!rest.startsWith('/')) rest = `/${rest}`;
  }
  const [before] = rest.split('#', 1);
  const mark = before.indexOf('?');
  return {
    authority: found?.[1] ?? null,
    path: mark < 0 ? before : before.slice(0, mark),
    query: mark < 0 ? '' : before.slice(mark + 1),
  };
}
