import type { Config } from '../config/types.ts';
import type { WireName } from '../dns/name.ts';
import type { LiveUpdate } from '../health/pools/round-types.ts';
import type { NetworkState } from '../health/state/network-state.ts';
import type { Fault } from '../system/fault.ts';

/** Something that concerns those who follow a network, or zones. */
export type Change = {
  /** Null: zones that belong to none (static ones, catalogs). */
  readonly network: string | null;
  /** The settings in force. */
  readonly config: Config;
  /** What was decided; null: only contents of zones, or their files, changed. */
  readonly update: LiveUpdate | null;
  /** Zones that queries see another version of. */
  readonly zones: readonly WireName[];
  /** Zone files were written: a change for whoever reads them. */
  readonly filesWritten: boolean;
  /** Whoever keeps something elsewhere equal to a live set should look there, whether anything changed or not. */
  readonly look?: boolean;
};

/** Awaited in order before anything is visible: what a restart goes on from. */
export type DurableSink = {
  readonly name: string;
  readonly phase: 'durable';
  readonly apply: (network: string, state: NetworkState) => Promise<readonly Fault[]>;
};

/** From here on queries see it. Synchronous, so that no other version comes between. */
export type ServingSink = {
  readonly name: string;
  readonly phase: 'serve';
  readonly apply: (network: string, update: LiveUpdate) => void;
};

/**
 * Works behind the answers, with a queue of its own: the newest change of a network takes in those that wait. What
 * fails, by a fault or by throwing, is tried again with the next change, and by itself with growing pauses.
 */
export type FollowingSink = {
  readonly name: string;
  readonly phase: 'follow';
  /** It concerns this network only; absent: all. */
  readonly network?: string;
  /** Sinks that have what they do of the same change done first, unless they hang. */
  readonly after?: readonly string[];
  /** Whether a change concerns it; absent: every one. Others neither call it nor end a pause after a failure. */
  readonly wants?: (change: Change) => boolean;
  readonly apply: (change: Change) => Promise<readonly Fault[]>;
};

/** One thing that a change sets off. */
export type Sink = DurableSink | ServingSink | FollowingSink;

/** Two changes of a network as one: the newer state, and all that differs from before the older. */
export function mergeChanges(older: Change | undefined, newer: Change): Change {
  if (older === undefined) return newer;
  return {
    ...newer,
    update: mergeUpdates(older.update, newer.update),
    zones: [...new Set([...older.zones, ...newer.zones])],
    filesWritten: older.filesWritten || newer.filesWritten,
    look: older.look === true || newer.look === true,
  };
}

function mergeUpdates(older: LiveUpdate | null, newer: LiveUpdate | null): LiveUpdate | null {
  if (older === null || newer === null) return newer ?? older;
  return {
    ...newer,
    liveChanged: older.liveChanged || newer.liveChanged,
    canaryZones: [...new Set([...older.canaryZones, ...newer.canaryZones])],
    isRun: older.isRun || newer.isRun,
  };
}
