import { sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * URL of a worker's entry file beside the caller, e.g. `workerUrl(import.meta.url, './udp-worker.ts')`.
 * Node 20 cannot run TypeScript in a worker, so a caller under `src/` (the tests) gets the built file under `dist/`.
 */
export function workerUrl(from: string, relative: string): URL {
  const path = fileURLToPath(new URL(relative, from));
  const built = path.replace(`${sep}src${sep}`, `${sep}dist${sep}`).replace(/\.ts$/, '.js');
  return pathToFileURL(built);
}
