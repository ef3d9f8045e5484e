#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../dist/cli/goavail.js', import.meta.url);
if (!existsSync(main)) {
  console.error('goavail: not built yet; run `npm ci && npm run build` (or `npm start`) in its folder first');
  process.exit(1);
}
await (await import(main)).main(process.argv);
