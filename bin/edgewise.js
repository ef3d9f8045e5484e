#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../dist/cli/main.js', import.meta.url);
if (!existsSync(main)) {
  console.error('edgewise: not built yet; run `npm ci && npm run build` (or `npm start`) in its folder first');
  process.exit(1);
}
// A server may be told to stop from its first moment on, and loading takes a second on a busy machine. A reload this early
// is a matter of course: nothing has been read yet. `serve` listens for itself as soon as it runs.
if (process.argv[2] === 'serve') {
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
  process.on('SIGHUP', () => undefined);
}
try {
  const { runCli } = await import(main);
  await runCli(process.argv);
} catch (error) {
  explain(error);
}

/** Loading opens one file after the other: with a low limit it is the first thing that finds no descriptor. */
function explain(error) {
  if (error?.code !== 'EMFILE' && error?.code !== 'ENFILE') throw error;
  console.error(
    `edgewise: no descriptors are left to load the program (${error.code}); raise the limit (ulimit -n, LimitNOFILE=)`,
  );
  process.exit(1);
}
