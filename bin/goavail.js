#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../dist/cli/goavail.js', import.meta.url);
if (!existsSync(main)) {
  console.error('goavail: not built yet; run `npm ci && npm run build` (or `npm start`) in its folder first');
  process.exit(1);
}
// Loading takes a second on a busy machine. `monitor` listens for itself as soon as it runs; before that nothing has been
// read or begun.
if (process.argv[2] === 'monitor') {
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
  process.on('SIGHUP', () => undefined);
}
await (await import(main)).main(process.argv);
