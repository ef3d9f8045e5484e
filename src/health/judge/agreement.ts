/** Whether others see an edge as we do: goavail's cluster rule (specification "Bugs → Do", 3 and 4), with what it got wrong mended. Pure. */

/** What another node says of an edge. `up` null: it has no opinion. `age`: seconds since it said so, by our own clock. */
export type PeerView = { readonly peer: string; readonly up: boolean | null; readonly age: number };

export type Agreement = {
  /** Whether our own view may be acted upon. */
  readonly agreed: boolean;
  /** Peers that see it as we do. */
  readonly agreeing: number;
  readonly disagreeing: number;
  /** Peers that say nothing, or said it too long ago: never votes, neither for us nor against. */
  readonly unknown: number;
  readonly needed: number;
};

/**
 * Counts the peers that agree with `own`; those that do not are not set off against them. `views`: of the configured peers
 * only, one each; a peer without one is in `peers` alone and counts as unknown. Asked on each change of a view, one's own
 * included, so that whoever notices last acts as well.
 */
export function agreement(
  own: boolean,
  views: readonly PeerView[],
  rule: { readonly peers: readonly string[]; readonly needed: number; readonly maxAge: number },
): Agreement {
  const byPeer = new Map(views.map((view) => [view.peer, view]));
  let [agreeing, disagreeing, unknown] = [0, 0, 0];
  for (const peer of new Set(rule.peers)) {
    const { up = null, age = Number.POSITIVE_INFINITY } = byPeer.get(peer) ?? {};
    if (up === null || !(age >= 0 && age <= rule.maxAge)) unknown += 1;
    else if (up === own) agreeing += 1;
    else disagreeing += 1;
  }
  return { agreed: agreeing >= rule.needed, agreeing, disagreeing, unknown, needed: rule.needed };
}

/** `1 of 2 peers agree, 1 says nothing` */
export function agreementText({ agreeing, disagreeing, unknown, needed }: Agreement): string {
  const peers = agreeing + disagreeing + unknown;
  const silent = unknown === 0 ? '' : `, ${unknown} ${unknown === 1 ? 'says' : 'say'} nothing`;
  const are = agreeing === 1 ? 'agrees' : 'agree';
  return `${agreeing} of ${peers} ${peers === 1 ? 'peer' : 'peers'} ${are}${silent}; ${needed} must`;
}
