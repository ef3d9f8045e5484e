#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../dist/cli/main.js', import.meta.url);
if (!existsSync(main)) {
  console.error('edgewise: not built yet; run `npm install && npm run build` (or `npm start`) in its folder first');
  process.exit(1);
}
const { runCli } = await import(main);
await runCli(process.argv);
