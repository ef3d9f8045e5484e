/** Entry of the thread that loads large zones: a target in, its result and what is known of its files out. */
import { parentPort } from 'node:worker_threads';
import type { ZoneDns } from './network-zone.ts';
import { FileBook, type KnownFile } from './zone-store-files.ts';
import { type LoadResult, loadTarget } from './zone-store-load.ts';
import type { ZoneTarget } from './zone-store-types.ts';

export type LoadOrder = { readonly id: number; readonly target: ZoneTarget; readonly dns: ZoneDns };
export type LoadReport = {
  readonly id: number;
  readonly result: LoadResult;
  readonly known: ReadonlyMap<string, KnownFile>;
};

const port = parentPort;
if (port === null) throw new Error('this file is the entry of a worker');
port.on('message', ({ id, target, dns }: LoadOrder) => {
  const files = new FileBook();
  const result = loadTarget(target, dns, files);
  const report: LoadReport = { id, result, known: files.known };
  port.postMessage(report);
});
