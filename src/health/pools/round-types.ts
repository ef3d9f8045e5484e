/** What a network's rounds need from outside, what they are told and what they report. */
import type { Config, NetworkFiles } from '../../config/types.ts';
import type { Hooks } from '../../publish/hooks.ts';
import type { Fault } from '../../system/fault.ts';
import type { Prober, RoundResult } from '../checks/prober.ts';
import type { Decision } from '../judge/types.ts';
import type { NetworkState } from '../state/state-file.ts';
import type { StateChange, ZoneNews } from './next-state.ts';
import type { RoundLog } from './round-log.ts';

/** What to publish. `liveChanged` and `canaryZones` tell what differs from what was published last by this process. */
export type LiveUpdate = StateChange & { readonly decision: Decision };

export type Published = {
  /** Zone files were written: a change for the hooks, even where the live set is the same. */
  readonly wrote: boolean;
  /** State of the zone files after it, for all zones; null: as before, or not looked after here. */
  readonly files: Pick<NetworkState, 'zoneMtimes' | 'pendingZones'> | null;
  readonly faults: readonly Fault[];
};

export type RoundTools = {
  /** A server has serials of its own for zone files, which go on from those that single runs gave. */
  readonly kind: 'run' | 'server';
  readonly prober: Pick<Prober, 'round'>;
  readonly hooks: Pick<Hooks, 'start'>;
  readonly publish: (update: LiveUpdate) => Promise<Published>;
  /** A serial that the network's zones already use; 0: none. */
  readonly floorSerial: () => number;
  /** For a single run, which writes zone files itself: what became of their include files. */
  readonly zoneNews?: (state: NetworkState) => Promise<ZoneNews>;
  /** Epoch seconds. */
  readonly now: () => number;
  readonly log: RoundLog;
};

/** What may differ from round to round. */
export type RoundOrder = {
  readonly config: Config;
  readonly files: NetworkFiles;
  /** Publish under a new serial whether or not anything changed. */
  readonly forceUpdate?: boolean;
  /** Seconds over which the fetches' starts are spread; unless given, a hundredth for each and one at most. */
  readonly spread?: number;
};

export type RoundReport = {
  readonly decision: Decision;
  readonly state: NetworkState;
  readonly liveChanged: boolean;
  readonly canaryZones: readonly string[];
  /** Anything that `run_after_changes` was started for. */
  readonly changed: boolean;
  /** Null: decided between two rounds. */
  readonly probe: RoundResult | null;
  readonly faults: readonly Fault[];
};

/** The round could not be made: nothing was decided and everything stays as it is. */
export type RoundFailure = { readonly failure: Fault<'test-object' | 'prober'> };
