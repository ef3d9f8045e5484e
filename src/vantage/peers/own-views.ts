/** Our own views, as peers are sent them, and the requests that wait for a newer one. */
import type { VantageView } from '../../health/agreement/view.ts';
import { ANSWER_MAX, type EncodedView, type KnownView, NETWORKS_MAX } from './messages.ts';

type Shown = {
  readonly boot: string;
  readonly turn: number;
  readonly json: string;
  readonly octets: number;
  readonly shownMs: number;
};
type Waiter = { readonly known: Readonly<Record<string, KnownView>>; readonly wake: () => void };

/** What answers need besides views. */
const RESERVE_OCTETS = 4096;
/** Octets of views in one answer. */
export const VIEWS_MAX = ANSWER_MAX - RESERVE_OCTETS;
/** `{"ageMs":1234567890123.4567,"view":},` */
const WRAPPING_OCTETS = 64;

export class OwnViews {
  private readonly monotonicMs: () => number;
  private readonly shown = new Map<string, Shown>();
  private readonly refused = new Map<string, string>();
  /** At most one a peer. */
  private readonly waiting = new Map<string, Waiter>();

  constructor(monotonicMs: () => number) {
    this.monotonicMs = monotonicMs;
  }

  /** Shows a view from now on. A sentence: why it is shown to nobody, and the last one no longer either. */
  show({ network, boot, turn }: VantageView, json: string): string | null {
    const octets = Buffer.byteLength(json) + WRAPPING_OCTETS;
    this.shown.delete(network); // the newest is the last one
    this.refused.delete(network);
    const why =
      octets > VIEWS_MAX
        ? `more octets than the ${VIEWS_MAX} that fit into an answer`
        : this.shown.size >= NETWORKS_MAX
          ? `${NETWORKS_MAX} networks before it, as many as peers take`
          : null;
    if (why !== null) {
      const problem = `peers are not shown our view of ${network}: it has ${why}`;
      this.refused.set(network, problem);
      return problem;
    }
    this.shown.set(network, { boot, turn, json, octets, shownMs: this.monotonicMs() });
    for (const { known, wake } of [...this.waiting.values()]) if (this.isNews(network, known)) wake();
    return null;
  }

  /** Each network whose view is not shown, and why. */
  get problems(): ReadonlyMap<string, string> {
    return this.refused;
  }

  /** As many of the views that are not known as one answer takes, those first that wait for longest. */
  news(known: Readonly<Record<string, KnownView>>): readonly EncodedView[] {
    const now = this.monotonicMs();
    const views: EncodedView[] = [];
    let octets = 0;
    for (const [network, { json, octets: size, shownMs }] of this.shown) {
      if (!this.isNews(network, known)) continue;
      octets += size;
      if (octets > VIEWS_MAX) break;
      views.push({ json, ageMs: now - shownMs });
    }
    return views;
  }

  /**
   * Resolves once there is something that is not known, after `ms`, when the signal is aborted, or when the peer asks
   * again: it keeps one request waiting.
   */
  wait(peer: string, known: Readonly<Record<string, KnownView>>, ms: number, signal: AbortSignal): Promise<void> {
    this.waiting.get(peer)?.wake();
    if (signal.aborted || [...this.shown.keys()].some((network) => this.isNews(network, known)))
      return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        if (this.waiting.get(peer) === waiter) this.waiting.delete(peer);
        resolve();
      };
      const waiter: Waiter = { known, wake };
      const timer = setTimeout(wake, ms);
      signal.addEventListener('abort', wake, { once: true });
      this.waiting.set(peer, waiter);
    });
  }

  /** Ends every waiting request. */
  wakeAll(): void {
    for (const { wake } of [...this.waiting.values()]) wake();
  }

  private isNews(network: string, known: Readonly<Record<string, KnownView>>): boolean {
    const shown = this.shown.get(network);
    if (shown === undefined) return false;
    const theirs = Object.hasOwn(known, network) ? known[network] : undefined;
    return theirs === undefined || theirs.boot !== shown.boot || theirs.turn < shown.turn;
  }
}
