import type { Config } from '../../config/types.ts';
import type { WireName } from '../../dns/name.ts';
import type { Fault } from '../../system/fault.ts';
import type { Standing } from '../agreement/own-step.ts';
import type { LoadFaultCode } from './load-zone.ts';

/** The part of the configuration that says which zones there are and what the server adds to them. */
export type ZoneSettings = Pick<Config, 'dns' | 'zonetemplateDir' | 'staticZones' | 'staticZoneDir' | 'zoneFiles'> & {
  /** Served networks; each has a folder of its name in `zonetemplateDir`. */
  readonly networks: readonly string[];
};

export type StoreFaultCode =
  | LoadFaultCode
  | 'folder-unreadable'
  | 'zone-name' // the file's name is no zone's name
  | 'zone-twice'
  | 'zone-not-agreed' // another content is in force on the other vantages, or none yet
  | 'zone-unsettled' // its files are still being written, or look cut off
  | 'serial-not-raised' // a static zone changed and its serial did not
  | 'serials-unreadable'
  | 'serials-unwritable';
export type StoreFault = Fault<StoreFaultCode>;

/** One zone to be served and where it comes from. */
export type ZoneTarget = {
  readonly origin: WireName;
  /** As the operator wrote it, without the final dot (the root is `.`): the name of exported files. */
  readonly name: string;
  /** Null: a static zone. */
  readonly network: string | null;
  readonly file: string;
  readonly includeRoot: string;
  /** What its files may do. */
  readonly zoneFiles: Config['zoneFiles'];
  /** Known from the listing of its folder, not named by the settings: without the file there is no such zone. */
  readonly listed: boolean;
};

/** A change for the answering threads. `zone` is a small number that stays the origin's for the life of the process. */
export type ZoneChange = {
  readonly zone: number;
  readonly origin: WireName;
  readonly network: string | null;
} & (
  | {
      readonly kind: 'image';
      readonly image: SharedArrayBuffer;
      /** Unless given, it follows its network's live set and may be transferred. */
      readonly standing?: Standing;
      /** Other contents may have been in force since the image before: no difference leads from there. */
      readonly isGap?: boolean;
    }
  /** There is no version to be served. */
  | { readonly kind: 'broken' }
  | { readonly kind: 'gone' }
);

/** `stale`: the file does not load now, and its last good version is served. `broken`: there is none. */
export type ZoneState = 'ok' | 'stale' | 'broken';

export type ZoneEntry = {
  readonly zone: number;
  readonly origin: WireName;
  readonly name: string;
  readonly network: string | null;
  readonly file: string;
  readonly state: ZoneState;
  /** Own serial; what is answered is the larger of this and the live slot's. 0 when broken. */
  readonly serial: number;
  /** Of the last attempt to load it. */
  readonly faults: readonly StoreFault[];
  /** Records served, live ones not counted. */
  readonly records: number;
  /** When the first signature of the served version ends, epoch seconds; null: it has none. */
  readonly signaturesEnd: number | null;
  /** When the served version was loaded, epoch seconds; 0 when broken. */
  readonly loadedAt: number;
  readonly image: SharedArrayBuffer | null;
  /** Of what is served, where several vantages agree upon contents. */
  readonly standing?: Standing | undefined;
};

/** What one load or reload did, in zones. */
export type LoadSummary = {
  readonly loaded: number;
  readonly unchanged: number;
  readonly failed: number;
  readonly removed: number;
  readonly seconds: number;
};
