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
// Ctrl-C reaches the demo by itself (same process group); a plain `kill` of this process must be passed on.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => demo.kill(signal));
// A kill of npm is not: npm ends without a word to what it started. The same goes for a terminal that is closed.
const { ppid } = process;
setInterval(() => {
  if (process.ppid !== ppid) demo.kill('SIGTERM');
}, 500).unref();
demo.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 0));
