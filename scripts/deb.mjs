// `npm run deb`: a Debian package of this tree, in the current folder. Needs dpkg-deb, npm and its registry; not root.
//
//   --system-node        depend on Debian's nodejs instead of bringing Node.js along
//   --installed          take the npm packages from node_modules instead of the registry (for tests)
//   --destination DIR    where the package goes
//   --compress NAME      xz (default), zstd, gzip or none
//
// The same tree gives the same octets: SOURCE_DATE_EPOCH, or else the last commit, is the time of every file.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { controlFiles } from './deb/control.mjs';
import { dependencies, program } from './deb/program.mjs';
import { documentation, systemFiles } from './deb/system.mjs';
import { setTimes } from './deb/tree.mjs';
import { nodeFolder } from './node-binary.mjs';
import { buildIfStale, fail, requireNode, root, run } from './prepare.mjs';

const { values } = parseArgs({
  options: {
    'system-node': { type: 'boolean', default: false },
    installed: { type: 'boolean', default: false },
    destination: { type: 'string', default: '.' },
    compress: { type: 'string', default: 'xz' },
  },
});

requireNode();
if (process.platform !== 'linux') fail('a Debian package is made on Linux');
buildIfStale();
const epoch = Number(process.env.SOURCE_DATE_EPOCH ?? git('log', '-1', '--format=%ct') ?? Date.now() / 1000);
const architecture = output('dpkg', '--print-architecture');
const node = values['system-node'] ? null : nodeFolder();
const stage = mkdtempSync(join(tmpdir(), 'edgewise-deb-'));
try {
  process.umask(0o022);
  chmodSync(stage, 0o755);
  program(stage, node);
  const packages = dependencies(stage, values.installed);
  systemFiles(stage, node);
  const { version } = documentation(stage, { epoch, packages, node });
  controlFiles(stage, { version, architecture, hasNode: node !== null });
  setTimes(stage, epoch);
  const destination = resolve(values.destination);
  mkdirSync(destination, { recursive: true });
  const file = join(destination, `edgewise_${version}_${architecture}.deb`);
  run('dpkg-deb', ['--root-owner-group', `-Z${values.compress}`, '--build', stage, file], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  console.log(file);
} finally {
  rmSync(stage, { recursive: true, force: true });
}

function output(command, ...args) {
  const { status, stdout } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) fail(`cannot run ${command} ${args.join(' ')}`);
  return stdout.trim();
}

/** Undefined outside a checkout. */
function git(...args) {
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
