import { wireFromName } from '../../dns/name.ts';
import { RecordStore } from '../records/record-store.ts';
import type { Included } from '../scan/include.ts';
import { contentHash } from './content-hash.ts';
import type { FileCache, FileHash } from './file-cache.ts';
import { compileLoaded, type LoadedZone, loadZone } from './load-zone.ts';
import type { ZoneDns } from './network-zone.ts';
import type { StoreFault, ZoneTarget } from './types.ts';

/** A zone that may be served. */
export type GoodZone = {
  /** Makes its image, once its serial is known; to be called before another zone is loaded. */
  readonly compile: (serial: number) => SharedArrayBuffer;
  /** Of its content (`contentHash`). */
  readonly hash: string;
  /** Of the zone's own SOA; 0 for a network's zone. */
  readonly serial: number;
  /** Live ones not counted. */
  readonly records: number;
};

/** What came of one attempt to load a zone. */
export type LoadResult = {
  /** What the files held that it depends on, its own first; a change of any calls for another attempt. */
  readonly files: ReadonlyMap<string, FileHash>;
  readonly faults: readonly StoreFault[];
  /** Null: the faults hold an error. */
  readonly good: GoodZone | null;
};

/** Records a store that goes on to the next zone may have held; what a larger one took is given back. */
const KEEP_RECORDS = 4096;

/** For one zone at a time: loading never waits. */
let scratch = new RecordStore();

/** Reads, checks and compiles one zone. Its own file may lie anywhere, what it includes only below its folders for that. */
export function loadTarget(target: ZoneTarget, dns: ZoneDns, files: FileCache): LoadResult {
  const hashes = new Map<string, FileHash>();
  const { includeDirs, limits } = target.zoneFiles;
  const folders = [target.includeRoot, ...includeDirs];
  const readFile = (path: string): Included => {
    const found = files.read(path, path === target.file ? null : folders);
    hashes.set(path, found.hash);
    return found;
  };
  scratch.clear();
  const loaded = loadZone({
    origin: wireFromName(target.origin),
    file: target.file,
    source: target.network === null ? { kind: 'static' } : { kind: 'network', dns },
    includeRoot: target.includeRoot,
    includeDirs,
    limits,
    readFile,
    into: scratch,
  });
  const result = { files: hashes, faults: loaded.faults, good: loaded.ok ? goodZone(loaded) : null };
  if (scratch.size > KEEP_RECORDS) scratch = new RecordStore();
  return result;
}

/** `loadTarget`, for many: a zone at which we fail ourselves must not take the others along. */
export function loadSafely(target: ZoneTarget, dns: ZoneDns, files: FileCache): LoadResult {
  try {
    return loadTarget(target, dns, files);
  } catch (error) {
    return failedLoad(target, files, error);
  }
}

export function failedLoad({ file }: ZoneTarget, files: FileCache, error: unknown): LoadResult {
  const message = `cannot be loaded: ${error instanceof Error ? error.message : String(error)}`;
  const at = { file, line: 1, col: 1, text: '' };
  return {
    files: new Map([[file, files.look(file)]]),
    faults: [{ severity: 'error', code: 'zone-unreadable', at, message }],
    good: null,
  };
}

function goodZone(loaded: LoadedZone): GoodZone {
  return {
    compile: (serial) => compileLoaded(loaded, serial),
    hash: contentHash(loaded),
    serial: loaded.serial,
    records: loaded.store.size,
  };
}
