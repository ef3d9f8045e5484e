/**
 * Imported before everything else, here and in worker threads: where descriptors are few, modules are read one after
 * the other. Node.js opens all the imports of a module at once, which takes some hundred descriptors for a moment,
 * several times what the server needs afterwards.
 */
import fs from 'node:fs';
import { descriptorLimit } from './descriptors.ts';
import { workerUrl } from './worker-url.ts';

/** Below this the loader alone may use up the descriptors, several threads loading at once. */
const FEW = 512;

const isScarce = descriptorLimit() < FEW;

if (isScarce) {
  const { readFile } = fs.promises;
  // The loader passes a URL and no options. Its modules are regular files of ours, read in a moment.
  const readModule = async (...args: Parameters<typeof readFile>): ReturnType<typeof readFile> =>
    args[0] instanceof URL && args[1] === undefined ? fs.readFileSync(args[0]) : readFile(...args);
  Object.assign(fs.promises, { readFile: readModule });
}

/** `execArgv` of a worker thread, so that it loads as sparingly as this one; undefined: as usual. */
export function workerArguments(): string[] | undefined {
  if (!isScarce) return undefined;
  return [...process.execArgv, '--import', workerUrl(import.meta.url, './load-sparingly.ts').href];
}
