/** How a network's rounds agree with other vantage points: what they need of whatever connects these. */
import type { VantageConfig } from '../../config/section-vantage.ts';
import type { DecidedSet } from '../agreement/decided-set.ts';
import type { ReceivedView, VantageView } from '../agreement/view.ts';

/** Of one network. */
export type RoundVantage = {
  readonly settings: VantageConfig;
  /** See `VantageView`. */
  readonly boot: string;
  /** Of Edgewise. */
  readonly version: string;
  /** The newest view of each other vantage. */
  readonly views: () => readonly ReceivedView[];
  readonly publishView: (view: VantageView) => void;
  /** An operator has this vantage decide alone: its own view counts, and no stored set. Who, and why; null: it does not. */
  readonly override: () => { readonly by: string; readonly reason: string } | null;
  /** Null: each vantage carries out what it decides. */
  readonly sets: RoundSets | null;
};

/** One vantage decides, and every one of them serves what it stores. */
export type RoundSets = {
  /** Who decides at present, with its fencing token. */
  readonly role: () => { readonly decider: string | null; readonly token: string | null; readonly isOurs: boolean };
  /** Whether the store answers. */
  readonly isConnected: () => boolean;
  /** The newest set that was stored; null: none is known. */
  readonly decided: () => DecidedSet | null;
  /** Stores a set if we still decide by its token and the set before it is the one that `decided` gave. Never rejects. */
  readonly propose: (set: DecidedSet) => Promise<StoreOutcome>;
  /**
   * Brings into force what was stored before the set that is about to be served, or waited for it: contents of zones. Called
   * before that set is durable, and after it is published. Never rejects.
   */
  readonly takeContents: () => Promise<void>;
  /** Whether this vantage can decide for this network; one that cannot leaves deciding to the others. */
  readonly setFit: (isFit: boolean) => void;
};

export type StoreOutcome = { readonly kind: 'stored' } | { readonly kind: 'refused' | 'unknown'; readonly why: string };
