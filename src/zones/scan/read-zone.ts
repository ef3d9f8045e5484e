import type { ZoneLimits } from '../../config/limits.ts';
import type { RecordStore } from '../records/record-store.ts';
import type { ZoneFault } from './fault.ts';
import type { Included } from './include.ts';
import { scanFile } from './scan-zone.ts';
import { ScanState } from './state.ts';

export type ReadRequest = {
  /** Wire form. */
  readonly origin: Uint8Array;
  /** Name of the file, for faults. */
  readonly file: string;
  readonly text: Uint8Array;
  /** Seconds, for records without a TTL before any `$TTL` or written TTL; null: there is none. */
  readonly defaultTtl: number | null;
  /** Owner of a first record that begins with a blank, wire form; null: such a record is a fault. */
  readonly initialOwner: Uint8Array | null;
  /** Where the records are added; a new store otherwise. */
  readonly into?: RecordStore;
  /**
   * Absolute path of the folder that `$INCLUDE` is confined to and that relative paths start from, as BIND's do from
   * its `directory`; null: `$INCLUDE` is refused.
   */
  readonly includeRoot: string | null;
  /** Absolute paths of more folders that `$INCLUDE` may read from; none otherwise. */
  readonly includeDirs?: readonly string[];
  /** `ZONE_LIMITS` otherwise. */
  readonly limits?: ZoneLimits;
  /**
   * Reads a file by absolute path. It lies below one of those folders by its text; what links do is the callee's
   * concern.
   */
  readonly include: (path: string) => Included;
};

export type ReadResult = {
  readonly store: RecordStore;
  /** In the order found; at most 100 errors and 100 warnings, then how many more there were. */
  readonly faults: readonly ZoneFault[];
  /** Absolute paths of the files asked for, each once, those that could not be read too. */
  readonly includes: readonly string[];
};

/**
 * Reads a master file (RFC 1035 §5, `$TTL` of RFC 2308, generic forms of RFC 3597, BIND's `$GENERATE`) into a record
 * store. Goes on after a fault, so that one run reports all of them; no octets make it throw.
 */
export function readZone(request: ReadRequest): ReadResult {
  const state = new ScanState(request, request.file, request.text);
  scanFile(state, state.file);
  return { store: state.store, faults: state.log.list(), includes: [...state.includes.paths] };
}
