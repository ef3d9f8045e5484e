/** Entry of the thread that loads large zones: a target in, its result and what is known of its files out. */
import { parentPort } from 'node:worker_threads';
import { FileCache, type KnownFile } from './file-cache.ts';
import { type GoodZone, type LoadResult, loadTarget } from './load-target.ts';
import type { ZoneDns } from './network-zone.ts';
import type { ZoneTarget } from './types.ts';

export type LoadOrder = {
  readonly id: number;
  readonly target: ZoneTarget;
  readonly dns: ZoneDns;
  /** Of the content that is served: a zone that still has it is not compiled. */
  readonly servedHash: string | null;
};

/** `image` null: the content is the one that is served. */
export type LoadedImage = Omit<GoodZone, 'compile'> & { readonly image: SharedArrayBuffer | null };

export type LoadReport = {
  readonly id: number;
  readonly result: Omit<LoadResult, 'good'> & { readonly good: LoadedImage | null };
  readonly known: ReadonlyMap<string, KnownFile>;
};

const port = parentPort;
if (port === null) throw new Error('this file is the entry of a worker');
port.on('message', ({ id, target, dns, servedHash }: LoadOrder) => {
  const files = new FileCache();
  const { good, ...result } = loadTarget(target, dns, files);
  const report: LoadReport = {
    id,
    result: { ...result, good: good === null ? null : withImage(good, servedHash) },
    known: files.known,
  };
  port.postMessage(report);
});

function withImage({ compile, ...zone }: GoodZone, servedHash: string | null): LoadedImage {
  return { ...zone, image: zone.hash === servedHash ? null : compile(zone.serial) };
}
