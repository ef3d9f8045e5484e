/** What a network must remember from round to round. */

import type { LiveMember } from '../choose/decision.ts';
import { type Memory, NO_MEMORY } from '../choose/memory.ts';
import type { Mode } from '../judge/edge.ts';

export type NetworkState = {
  readonly memory: Memory;
  /** When the last round ended, epoch seconds. */
  readonly lastRun: number | null;
  readonly verificationFailures: readonly string[];
  /** Include file of each zone when its zone file was last written: modification time, whole seconds. */
  readonly zoneMtimes: ReadonlyMap<string, number>;
  /** The live set as it is served, with addresses, so that a restart serves it at once. */
  readonly live: readonly LiveMember[];
  /** Serial of the live set; 0: nothing was ever published. Epoch seconds, or more where the clock was behind. */
  readonly serial: number;
  /** Serial of the last canary change of each zone that ever had one in use. */
  readonly canarySerials: ReadonlyMap<string, number>;
  /**
   * Serials that zones were given since the live set changed and that the file of serials does not have: it could not
   * be written, or an earlier version of Edgewise gave them, which noted them here.
   */
  readonly zoneSerials: ReadonlyMap<string, number>;
  /**
   * Single runs only: zones whose files are out of date, noted before they are written, so that a killed run leaves no
   * file half a set behind.
   */
  readonly pendingZones: ReadonlySet<string>;
  /** Modes other than available that the last decision saw; null: it was not ours, so nobody noted them. */
  readonly modes: ReadonlyMap<string, Mode> | null;
  /**
   * Of edges that are named: the addresses they had when their name could last be looked up, for times when it cannot.
   */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  /** The live set or a canary was decided under an operator's override, and no set that is stored took its place yet. */
  readonly decidedAlone: boolean;
  readonly extra: ReadonlyMap<string, unknown>;
};

/** Of a network that has had no round. */
export const NEW_STATE: NetworkState = {
  memory: NO_MEMORY,
  lastRun: null,
  verificationFailures: [],
  zoneMtimes: new Map(),
  live: [],
  serial: 0,
  canarySerials: new Map(),
  zoneSerials: new Map(),
  pendingZones: new Set(),
  modes: null,
  addresses: new Map(),
  decidedAlone: false,
  extra: new Map(),
};
