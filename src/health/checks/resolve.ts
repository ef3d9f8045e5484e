import { isIP, isIPv4 } from 'node:net';
import type { NameResolver } from '../../system/resolver.ts';
import { unfitAddress } from '../../system/unfit-address.ts';

/** An edge's addresses, one a family; null: none of that family. */
export type Resolved = { readonly v4: string | null; readonly v6: string | null };

/**
 * `seconds`: how long it took, null when the edge is an address itself. `cached`: from memory, so that it may be old.
 */
export type Resolution =
  | { readonly ok: true; readonly addresses: Resolved; readonly seconds: number | null; readonly cached: boolean }
  | { readonly ok: false; readonly why: string; readonly seconds: number };

/** Looks an edge up. `again`: although its addresses are known, because they do not work. */
export type Resolve = (edge: string, how: { readonly waitMs: number; readonly again: boolean }) => Promise<Resolution>;

/** How long one fetch waits for a name, milliseconds. */
const WAIT_MS = 5000;

/**
 * Edges' addresses from the system's resolver. Of several addresses of a family the lowest counts, so that the answer
 * does not wander with the resolver's rotation. While the resolver is in trouble the last known addresses are tried,
 * however old: whether they are still right is for the fetch to find out. `now`: milliseconds, monotonic.
 */
export function edgeResolver(resolver: NameResolver, now: () => number): Resolve {
  return async (edge, { waitMs, again }) => {
    if (again) resolver.expire(edge);
    const due = resolver.isDue(edge);
    const started = now();
    const answer = await resolver.resolve(edge, Math.min(WAIT_MS, waitMs));
    const seconds = (now() - started) / 1000;
    switch (answer.kind) {
      case 'found': {
        const isAddress = isIP(edge) !== 0;
        // Filtering resolvers answer 0.0.0.0, and a connection to that is one to ourselves.
        const fit = isAddress ? answer.addresses : answer.addresses.filter((address) => unfitAddress(address) === null);
        if (fit.length === 0) return { ok: false, why: whyUnfit(answer.addresses), seconds };
        const v4 = fit.find((address) => isIPv4(address)) ?? null;
        const v6 = fit.find((address) => !isIPv4(address)) ?? null;
        return { ok: true, addresses: { v4, v6 }, seconds: isAddress ? null : seconds, cached: !due && !isAddress };
      }
      case 'none':
      case 'failed':
        return { ok: false, why: answer.why, seconds };
      default:
        return answer satisfies never;
    }
  };
}

function whyUnfit([address = '']: readonly string[]): string {
  return `the name has no address but ${address}, which is ${unfitAddress(address)}`;
}
