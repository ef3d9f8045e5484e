/** What follows keys in etcd, and is asked again each time they may have changed. */
import type { EtcdClient } from './client/client.ts';
import type { Header } from './client/wire.ts';

/** One look: all reads of one store, in one order. */
export type Look = {
  readonly client: EtcdClient;
  /** Keys begin with it; ends in a slash: `edgewise/prod/`. */
  readonly prefix: string;
  /** Of the newest read in this look. Revisions order only within one cluster id. */
  readonly header: Header;
  /**
   * The cluster id is another one, or the revision went back, since the look before (etcd was wiped or restored): what was
   * known of revisions counts for nothing.
   */
  readonly isReset: boolean;
};

/**
 * A part of the engine with keys of its own (`sets/`, `views/`, `zones/`, `modes/`). Called one look at a time: at each
 * change below the prefix, and each interval whether there was one or not; faults are sentences, and the next look comes.
 */
export type Follower = {
  readonly name: string;
  /** Reads what it follows (linearizable), and applies it. Null: done; else why not. Never rejects but for a bug. */
  readonly look: (look: Look) => Promise<string | null>;
  /** Sentences for `/healthz`. */
  readonly faults: () => readonly string[];
  readonly stop: () => Promise<void>;
};
