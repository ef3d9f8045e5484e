import { isIP } from 'node:net';
import type { Sample } from '../judge/types.ts';

/** The addresses of one name, one a family. */
export type Addresses = { readonly v4: string | null; readonly v6: string | null };

/**
 * The addresses of an edge that are fit to be published after `sample`: those it has, less any whose own fetch failed
 * while another passed. An edge that fails altogether keeps them all, because it may stay live for lack of better ones.
 * An edge named by its address needs no sample; a name that did not resolve this round has none.
 */
export function publishable(edge: string, sample: Sample | null): Addresses {
  const fetches = sample === null || sample.primary === null ? [] : [sample.primary, ...sample.others];
  if (fetches.length === 0) return byFamily([edge]);
  const passing = fetches.filter(({ fail }) => fail === null);
  return byFamily((passing.length > 0 ? passing : fetches).map(({ address }) => address));
}

function byFamily(addresses: readonly string[]): Addresses {
  return {
    v4: addresses.find((address) => isIP(address) === 4) ?? null,
    v6: addresses.find((address) => isIP(address) === 6) ?? null,
  };
}
