// `npm start`: the demo, on a machine that has only Node.js.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildIfStale, installIfStale, requireNode, root } from './prepare.mjs';

requireNode();
installIfStale();
buildIfStale();

const demo = spawn(
  process.execPath,
  ['--enable-source-maps', join(root, 'bin', 'edgewise.js'), 'demo', ...process.argv.slice(2)],
  {
    stdio: 'inherit',
  },
);
// Ctrl-C reaches the demo by itself (same process group); a plain `kill` of npm must be passed on.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => demo.kill(signal));
demo.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 0));
