import { compileLoaded, contentHash, type LoadedZone, loadZone, type ZoneSource } from './load-zone.ts';
import { wireFromName } from './name.ts';
import type { ZoneDns } from './network-zone.ts';
import type { Included } from './scan-include.ts';
import type { FileBook, FileHash } from './zone-store-files.ts';
import type { StoreFault, ZoneTarget } from './zone-store-types.ts';

/** What came of one attempt to load a zone. `image` has no serial yet (a network's zone) or its file's (a static one). */
export type LoadResult = {
  /** What the files held that it depends on, its own first; a change of any calls for another attempt. */
  readonly files: ReadonlyMap<string, FileHash>;
  readonly faults: readonly StoreFault[];
  readonly good: null | {
    readonly image: SharedArrayBuffer;
    readonly hash: string;
    /** Of the zone's own SOA; 0 for a network's zone. */
    readonly serial: number;
    readonly records: number;
  };
};

export function sourceOf(target: ZoneTarget, dns: ZoneDns): ZoneSource {
  return target.network === null ? { kind: 'static' } : { kind: 'network', dns };
}

/** Reads, checks and compiles one zone. Its own file may lie anywhere, what it includes only below its `includeRoot`. */
export function loadTarget(target: ZoneTarget, dns: ZoneDns, files: FileBook): LoadResult {
  const hashes = new Map<string, FileHash>();
  const readFile = (path: string): Included => {
    const found = files.read(path, path === target.file ? null : target.includeRoot);
    hashes.set(path, found.hash);
    return found;
  };
  const loaded = loadZone({
    origin: wireFromName(target.origin),
    file: target.file,
    source: sourceOf(target, dns),
    includeRoot: target.includeRoot,
    readFile,
  });
  // A file refused before it was read (outside the folder) is no dependency.
  return { files: hashes, faults: loaded.faults, good: loaded.ok ? compiled(loaded) : null };
}

function compiled(loaded: LoadedZone): LoadResult['good'] {
  return {
    image: compileLoaded(loaded, loaded.serial),
    hash: contentHash(loaded),
    serial: loaded.serial,
    records: loaded.store.size,
  };
}
