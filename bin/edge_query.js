#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../dist/cli/edge-query.js', import.meta.url);
if (!existsSync(main)) {
  console.error('edge_query: not built yet; run `npm ci && npm run build` (or `npm start`) in its folder first');
  process.exit(1);
}
await (await import(main)).main(process.argv);
