/** Our keys in etcd. Names of networks and edges are percent-encoded, so that a slash in one is none of ours. */

/** `all`, `views`, `sets`: what keys of the kind begin with; it ends in a slash. */
export type Keys = { readonly all: string; readonly leader: string; readonly views: string; readonly sets: string };

/** `prefix`: as configured, without slashes at its ends. */
export function keysOf(prefix: string): Keys {
  return { all: `${prefix}/`, leader: `${prefix}/leader`, views: `${prefix}/views/`, sets: `${prefix}/sets/` };
}

/** The key below `from` that these names make. */
export function keyOf(from: string, ...names: readonly string[]): string {
  return from + names.map(encodeURIComponent).join('/');
}

/** The names in a key below `from`, as many as `count`; null: it is none that `keyOf` makes. */
export function namesIn(key: string, from: string, count: number): readonly string[] | null {
  try {
    const names = key.slice(from.length).split('/').map(decodeURIComponent);
    return names.length === count && keyOf(from, ...names) === key ? names : null;
  } catch {
    return null; // a percent sign of somebody else's, or half a character
  }
}
