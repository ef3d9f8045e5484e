#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs';

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
  await import(new URL('../dist/system/load-sparingly.js', import.meta.url));
  const { runCli } = await import(main);
  await runCli(process.argv);
} catch (error) {
  explain(error);
}

/** With a low limit of open files the loading is the first thing that finds no descriptor. */
function explain(error) {
  if (error?.code !== 'EMFILE' && error?.code !== 'ENFILE' && error?.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  if (error.code === 'ERR_MODULE_NOT_FOUND' && !fewDescriptors()) throw error;
  console.error(
    'edgewise: the limit of open files is too low to load the program; raise the limit (LimitNOFILE of systemd, ' +
      'ulimit -n) to 1024',
  );
  process.exit(1);
}

/** Without descriptors Node.js may say that a package is not there. */
function fewDescriptors() {
  try {
    return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]) < 256;
  } catch (error) {
    return error.code === 'EMFILE' || error.code === 'ENFILE';
  }
}
