/** What follows keys in etcd, and is asked again each time they may have changed. */
import type { EtcdClient } from './client/client.ts';
import type { Header } from './client/wire.ts';

/** One look at the store: everything is read as it was at one revision, and applied at once. */
export type Look = {
  readonly client: Pick<EtcdClient, 'range' | 'txn'>;
  /** Read with `revision: header.revision`. Revisions order only within one cluster id. */
  readonly header: Header;
  /**
   * This is the first look, the cluster id is another one, or the revision went back (etcd was wiped or restored): what
   * was known of revisions counts for nothing.
   */
  readonly isReset: boolean;
  /** Seconds since the look before, which worked; Infinity: this is the first. */
  readonly sinceLast: number;
};

/**
 * `apply`: takes over what was read; synchronous, so that no other look comes between. `isChanged`: some key was written
 * or deleted since the look before, so that the watch should have announced something.
 */
export type Found =
  | { readonly ok: true; readonly isChanged: boolean; readonly apply: () => void }
  | { readonly ok: false; readonly text: string };

/**
 * A part of the engine with keys of its own (`sets/`, `views/`, `zones/`, `modes/`). Called one look at a time: at each
 * change below the prefix, and each interval whether there was one or not. Where one of all followers cannot read,
 * nothing of the look is applied, and another comes soon; garbage is a fault, and nothing that cannot be read.
 */
export type Follower = {
  /** Never rejects but for a bug. */
  readonly look: (look: Look) => Promise<Found>;
  /** Sentences for `/healthz`. */
  readonly faults: () => readonly string[];
};
