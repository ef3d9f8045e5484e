/** The contract of the ways in which vantage points agree: a folder each, started by `src/app/vantage/engines.ts`. */
import type { WireName } from '../dns/name.ts';
import type { DecidedSet } from '../health/agreement/decided-set.ts';
import type { ReceivedView, VantageView } from '../health/agreement/view.ts';
import type { SerialAuthority } from '../zones/agreement/content.ts';

/** What one vantage is known to be, for `cluster status`, `/healthz` and metrics. */
export type VantageStatus = {
  readonly name: string;
  readonly isSelf: boolean;
  readonly reachable: boolean;
  /** Seconds since it was last heard of, by our monotonic clock; null: never. */
  readonly lastHeard: number | null;
  readonly version: string | null;
  /** Its clock less ours, seconds; null: not known. Reported only. */
  readonly clockOffset: number | null;
  /** What is wrong with the way to it, a sentence; null: nothing. */
  readonly problem: string | null;
};

/**
 * A way to agree. No method blocks and none throws, but where it says so; what fails is tried again by itself, with
 * growing pauses, and is a sentence in `faults`.
 */
export type Engine = {
  readonly kind: 'peers' | 'etcd';
  /** Resolves when it works, or works at it: an engine that nobody answers ends no start. */
  readonly start: () => Promise<void>;
  /** Within some seconds, whatever hangs. */
  readonly stop: () => Promise<void>;
  /** Shows our view of its network to the others from now on; the newest counts. */
  readonly publishView: (view: VantageView) => void;
  /** The newest view of each other vantage that was heard of; never our own. */
  readonly views: (network: string) => readonly ReceivedView[];
  readonly vantages: () => readonly VantageStatus[];
  readonly faults: () => readonly string[];
  /** What somebody should look at though it works. */
  readonly warnings: () => readonly string[];
  /** Null: each vantage decides for itself. */
  readonly agreement: AgreedSets | null;
};

/** What an engine calls. Guarded by whoever gives it. */
export type EngineEvents = {
  /** A view of another vantage is new. */
  readonly onView: (network: string, vantage: string) => void;
  /** The decided set of a network is another one than it was, or is known for the first time. */
  readonly onDecided: (network: string) => void;
  /** Who decides has changed. */
  readonly onRole: () => void;
  /** Other contents of these zones are in force than were known here. */
  readonly onContents: (origins: readonly WireName[]) => void;
};

/** Who decides; `token`: the fencing token, which is another one each time somebody becomes the decider. */
export type Role = {
  readonly decider: string | null;
  readonly token: string | null;
  readonly isOurs: boolean;
  /** Since when, epoch seconds by our clock; null: nobody decides. */
  readonly since: number | null;
};

/** What became of a proposal: `refused` with a sentence where the store says no, `unknown` where it did not answer. */
export type Stored =
  | { readonly kind: 'stored' }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'unknown'; readonly why: string };

/** One answer everywhere: one vantage decides at a time, and what it stores is served by all. */
export type AgreedSets = {
  readonly role: () => Role;
  /** Whether the store answers, so that what `decided` says is as new as it can be. */
  readonly isConnected: () => boolean;
  /** The newest set that was stored; null: none is known. */
  readonly decided: (network: string) => DecidedSet | null;
  /**
   * Stores a set if we still decide by `set.token` and the set before it is the one that `decided` gave. Never rejects.
   */
  readonly propose: (set: DecidedSet) => Promise<Stored>;
  /** Asks the store whether we decide still: null if so, or the sentence why not. Never rejects. */
  readonly mayAct: () => Promise<string | null>;
  /**
   * Whether this vantage may be the decider, as it may unless told otherwise. One that is and may not gives it up at once,
   * so that another takes over without waiting for the lease.
   */
  readonly setCandidate: (isCandidate: boolean) => void;
  /** See `ContentSerials`. */
  readonly contents: ContentSerials;
};

/** Serials of zones' contents, the same for the same content everywhere. */
export type ContentSerials = SerialAuthority & {
  /**
   * The latest serial that any content has, or was about to get: a new set's must be later, or `propose` refuses it.
   * 0: none is known.
   */
  readonly highest: () => number;
};
