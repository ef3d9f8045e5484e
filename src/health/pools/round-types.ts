/** What a network's rounds need from outside, what they are ordered to do, and what they report. */
import type { Config, NetworkFiles } from '../../config/types.ts';
import type { Fault } from '../../system/fault.ts';
import type { Log } from '../../system/log-events.ts';
import type { Prober, RoundResult } from '../checks/prober.ts';
import type { Decision } from '../choose/decision.ts';
import type { EdgeStores } from '../state/edge-store-files.ts';
import type { NetworkState } from '../state/network-state.ts';
import type { FallbackSource } from './fallback.ts';
import type { StateChange, TemplateChanges } from './next-state.ts';
import type { RoundVantage } from './round-vantage.ts';

/** The commands of the configuration, by when they are started. */
export type HookName = 'run_before' | 'run_after' | 'run_after_changes';

/** What a decision changes. `liveChanged` and `canaryZones`: what differs from what this process published last. */
export type LiveUpdate = StateChange & {
  readonly decision: Decision;
  /** It ended a probing round; false: it was made between two. */
  readonly isRun: boolean;
};

/** A zone file that was written. */
export type WrittenZone = {
  readonly name: string;
  /** Of the zone's include file, whole seconds; null: it is gone. */
  readonly mtime: number | null;
  /** Of the live set that is in the file. */
  readonly serial: number;
  /** The serial of the content, where it is in no file of serials because that could not be written. */
  readonly unsaved?: number;
};

export type RoundTools = {
  /** A server brings all zone files up to date by itself, whatever a state says of them. */
  readonly kind: 'run' | 'server';
  readonly prober: Pick<Prober, 'round'> & Partial<Pick<Prober, 'cancel' | 'setLive'>>;
  /** The health records, where networks of one process share them; unless given, the network has its own. */
  readonly stores?: EdgeStores;
  /** A probing round begins. */
  readonly begin: (config: Config) => void;
  /** Makes a state durable; what could not be is a fault each. Never rejects. */
  readonly save: (state: NetworkState) => Promise<readonly Fault[]>;
  /** Brings a durable update into force, and hands it to the sinks that follow, without waiting for them. Never throws. */
  readonly publish: (update: LiveUpdate, config: Config) => readonly Fault[];
  /** What is known of another network, whose set may be borrowed; null: it is not there. Never rejects. */
  readonly fallbackSource?: (network: string) => Promise<FallbackSource | null>;
  /** A serial that the network's zones already use; 0: none. */
  readonly floorSerial: () => number;
  /** The latest serial that the network's zones have here; absent or 0: none. */
  readonly zonesSerial?: () => number;
  /** For a single run, which writes zone files itself: what became of their include files. */
  readonly templateChanges?: (state: NetworkState) => Promise<TemplateChanges>;
  /** Other vantage points, as they are at the moment; absent or null: this one decides alone. */
  readonly vantage?: () => RoundVantage | null;
  /** Epoch seconds. */
  readonly now: () => number;
  readonly log: Log;
};

/** What may differ from round to round. */
export type RoundOrder = {
  readonly config: Config;
  readonly files: NetworkFiles;
  /** Publish under a new serial whether or not anything changed. */
  readonly forceUpdate?: boolean;
  /** An operator wants what is right now, past the limit of rotations. */
  readonly isForced?: boolean;
  /** Seconds over which the fetches' starts are spread; unless given, a hundredth for each and one at most. */
  readonly spread?: number;
  /**
   * For a server, whose turns follow one upon another and may overlap: a sample that may change the answer is decided
   * upon after this many seconds, in which others of the same event arrive. Unless given, a round is decided upon once,
   * at its end.
   */
  readonly settle?: number;
  /** Gets what was decided before the turn's end. */
  readonly onEvent?: (report: RoundReport) => void;
};

export type RoundReport = {
  readonly decision: Decision;
  readonly state: NetworkState;
  readonly liveChanged: boolean;
  readonly canaryZones: readonly string[];
  /** Null: decided between two rounds. */
  readonly probe: RoundResult | null;
  readonly faults: readonly Fault[];
};

/** The round could not be made: nothing was decided and everything stays as it is. */
export type RoundFailure = { readonly failure: Fault<'test-object' | 'prober'> };
