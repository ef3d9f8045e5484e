/** The newest view of each peer and network, with its age. Pure: clocks are handed in. */
import type { ReceivedView, VantageView } from '../../health/agreement/view.ts';
import { type KnownView, NETWORKS_MAX } from './messages.ts';

/** `ageMs`: when it came, at most; `at`: epoch seconds, when it was made, by our clock. */
type Held = { readonly view: VantageView; readonly ageMs: number; readonly receivedMs: number; readonly at: number };

export class ReceivedViews {
  private readonly byPeer = new Map<string, Map<string, Held>>();

  /**
   * Keeps a view of `peer`. `ageMs`: how old it is, its way to us included. False: it is not newer than what is known.
   */
  take(
    peer: string,
    view: VantageView,
    ageMs: number,
    clock: { readonly now: number; readonly nowMs: number },
  ): boolean {
    const views = this.byPeer.get(peer) ?? new Map<string, Held>();
    this.byPeer.set(peer, views);
    const known = views.get(view.network)?.view;
    if (known !== undefined && known.boot === view.boot && view.turn <= known.turn) return false;
    views.delete(view.network);
    views.set(view.network, { view, ageMs, receivedMs: clock.nowMs, at: clock.now - ageMs / 1000 });
    const [oldest] = views.keys();
    if (views.size > NETWORKS_MAX && oldest !== undefined) views.delete(oldest);
    return true;
  }

  /** Of one network, one a peer. */
  of(network: string, nowMs: number): readonly ReceivedView[] {
    return [...this.byPeer.values()].flatMap((views) => {
      const held = views.get(network);
      if (held === undefined) return [];
      return [{ view: held.view, age: (held.ageMs + nowMs - held.receivedMs) / 1000, at: held.at }];
    });
  }

  /** What a peer need not send again. */
  known(peer: string): Readonly<Record<string, KnownView>> {
    const views = this.byPeer.get(peer) ?? new Map<string, Held>();
    return Object.fromEntries(
      [...views].map(
        ([
          network,
          {
            view: { boot, turn },
          },
        ]) => [network, { boot, turn }],
      ),
    );
  }

  /** Forgets all peers but these. */
  keep(peers: ReadonlySet<string>): void {
    for (const peer of this.byPeer.keys()) if (!peers.has(peer)) this.byPeer.delete(peer);
  }
}
