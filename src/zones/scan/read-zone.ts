import type { RecordStore } from '../records/record-store.ts';
import type { ZoneFault } from './fault.ts';
import { scanFile } from './scan-zone.ts';
import { type ScanStart, ScanState } from './state.ts';

/** `file`: its name, for faults. `text`: its octets. */
export type ReadRequest = ScanStart & { readonly file: string; readonly text: Uint8Array };

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
