/** What a node of goavail's cluster may do about an address, by its own view and its peers' (specification, G6 to G10). Pure. */
import { type Agreement, agreement, type PeerView } from '../../health/judge/agreement.ts';

export type Rule = { readonly peers: readonly string[]; readonly needed: number; readonly maxAge: number };

/**
 * `up`: what is believed. `isAgreed`: whether what is published may be kept equal to it now; otherwise it is left as it
 * is, whatever that is. `agreement` null: nobody else is asked.
 */
export type Standing = { readonly up: boolean; readonly isAgreed: boolean; readonly agreement: Agreement | null };

/**
 * `was`: what was believed until now. A node that sees an address up keeps its hands off one that so many peers see down
 * that each of them may remove it: who may remove wins, or both sides would undo each other's work for ever.
 */
export function standing(was: boolean, own: boolean, views: readonly PeerView[], rule: Rule): Standing {
  const agreed = agreement(own, views, rule);
  const isOverruled = own && agreement(false, views, rule).agreeing > rule.needed;
  const isAgreed = agreed.agreed && !isOverruled;
  return { up: isAgreed ? own : was, isAgreed, agreement: agreed };
}
