import { TrieRouter } from 'hono/router/trie-router';
import type { AnyOperation } from './operation.ts';

export type Found =
  | { readonly kind: 'found'; readonly operation: AnyOperation; readonly segments: { readonly [name: string]: string } }
  | { readonly kind: 'unknown' }
  /** The path has other methods. */
  | { readonly kind: 'method'; readonly allowed: readonly string[] };

/** From method and path to an operation. Paths are exact: no slash more, no letter in another case. */
export class Router {
  private readonly router = new TrieRouter<AnyOperation>();
  private readonly methods: readonly string[];

  constructor(operations: readonly AnyOperation[]) {
    for (const each of operations) this.router.add(each.method, each.path.replace(/\{(\w+)\}/g, ':$1'), each);
    this.methods = [...new Set(operations.map(({ method }) => method))].sort();
  }

  /** `path`: percent-encoded, without query. HEAD is GET. */
  find(method: string, path: string): Found {
    const found = this.match(method === 'HEAD' ? 'GET' : method, path);
    if (found !== null) return found;
    const allowed = this.methods.filter((other) => this.match(other, path) !== null);
    if (allowed.length === 0) return { kind: 'unknown' };
    return { kind: 'method', allowed: allowed.flatMap((each) => (each === 'GET' ? ['GET', 'HEAD'] : [each])) };
  }

  private match(method: string, path: string): Found | null {
    if (path.length > 1 && path.endsWith('/')) return null;
    const [matched] = this.router.match(method, path);
    const [first] = matched;
    if (first === undefined) return null;
    const [operation, params] = first;
    const segments: Record<string, string> = Object.create(null);
    try {
      for (const [name, value] of Object.entries(params)) segments[name] = decodeURIComponent(String(value));
    } catch {
      return null; // not percent-encoding: no such thing here
    }
    return { kind: 'found', operation, segments };
  }
}
