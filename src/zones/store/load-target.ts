import type { ZoneLimits } from '../../config/limits.ts';
import { wireFromName } from '../../dns/name.ts';
import { RecordStore } from '../records/record-store.ts';
import { signaturesEnd } from '../records/signatures.ts';
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
  /** Of a zone that was signed elsewhere: when its first signature ends, epoch seconds; null: it has none. */
  readonly signaturesEnd: number | null;
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

/**
 * Reads, checks and compiles one zone. Its own file may lie anywhere, what it includes only below its folders for that.
 */
export function loadTarget(target: ZoneTarget, dns: ZoneDns, files: FileCache): LoadResult {
  return load(target, dns, files, target.zoneFiles.limits, null);
}

/** `mayRead`: asked before each included file; null: any. */
function load(
  target: ZoneTarget,
  dns: ZoneDns,
  files: FileCache,
  limits: ZoneLimits,
  mayRead: ((path: string) => boolean) | null,
): LoadResult {
  const hashes = new Map<string, FileHash>();
  const { includeDirs } = target.zoneFiles;
  const folders = [target.includeRoot, ...includeDirs];
  const readFile = (path: string): Included => {
    if (mayRead !== null && path !== target.file && !mayRead(path)) return { ok: false, message: 'it is too large' };
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

/** More than a file of `LARGE_OCTETS` can hold without `$GENERATE` and `$INCLUDE`. */
const SMALL: ZoneLimits = { records: 32_768, generated: 32_768, octets: 8 << 20 };

/**
 * `loadTarget` for small zones, one of many: a bug met in one must not stop the others. Null: the zone has a small
 * file, but is large by its `$GENERATE` lines or included files (more than `largeOctets` of them), so it is for another
 * thread.
 */
export function loadSmall(target: ZoneTarget, dns: ZoneDns, files: FileCache, largeOctets: number): LoadResult | null {
  const { limits } = target.zoneFiles;
  const least: ZoneLimits = {
    records: Math.min(limits.records, SMALL.records),
    generated: Math.min(limits.generated, SMALL.generated),
    octets: Math.min(limits.octets, SMALL.octets),
  };
  let included = 0;
  const mayRead = (path: string): boolean => {
    included += files.stampOf(path)?.size ?? 0;
    return included <= largeOctets;
  };
  try {
    const result = load(target, dns, files, least, mayRead);
    const isLarge = included > largeOctets || result.faults.some(({ code }) => LIMIT_FAULTS.has(code));
    return isLarge ? null : result;
  } catch (error) {
    return failedLoad(target, files, error);
  }
}

/** What a zone over `ZoneLimits` has. */
const LIMIT_FAULTS: ReadonlySet<string> = new Set<StoreFault['code']>(['too-large', 'too-many-generated']);

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
    signaturesEnd: signaturesEnd(loaded.store),
  };
}
