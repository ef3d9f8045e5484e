/** Entry of the thread that loads large zones: a target in, its result and what is known of its files out. */
import { parentPort } from 'node:worker_threads';
import { FileCache, type KnownFile } from './file-cache.ts';
import { type LoadResult, loadTarget } from './load-target.ts';
import type { ZoneDns } from './network-zone.ts';
import type { ZoneTarget } from './types.ts';

export type LoadOrder = { readonly id: number; readonly target: ZoneTarget; readonly dns: ZoneDns };
export type LoadReport = {
  readonly id: number;
  readonly result: LoadResult;
  readonly known: ReadonlyMap<string, KnownFile>;
};

const port = parentPort;
if (port === null) throw new Error('this file is the entry of a worker');
port.on('message', ({ id, target, dns }: LoadOrder) => {
  const files = new FileCache();
  const result = loadTarget(target, dns, files);
  const report: LoadReport = { id, result, known: files.known };
  port.postMessage(report);
});
