// What both `npm start` and `npm test` need first: dependencies that match the lockfile and a build newer than the source.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs a program and ends this one with its status if it fails. Output goes straight to the terminal. */
export function run(program, args, options = {}) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit', ...options });
  if (error !== undefined) fail(`cannot run ${program}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

export function fail(message) {
  console.error(`edgewise: ${message}`);
  process.exit(1);
}

export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 18))
    fail(`Node.js 20.18 or newer is needed, this is ${process.versions.node}`);
}

/** npm writes a copy of the lockfile into node_modules; if it is older than ours, something is missing or outdated. */
export function installIfStale() {
  const mark = join(root, 'node_modules', '.package-lock.json');
  const lock = join(root, 'package-lock.json');
  const fresh = existsSync(mark) && statSync(mark).mtimeMs >= statSync(lock).mtimeMs;
  if (fresh) return;
  console.error('edgewise: installing dependencies (npm install)');
  // Not `npm ci`: it would fetch everything again where one package is new. The versions are the lockfile's either way.
  // Some tools ask for a later Node.js than Edgewise does, and work with this one all the same; `requireNode` has judged.
  // No package needs its install script.
  const flags = [
    '--no-save',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--engine-strict=false',
  ];
  run('npm', ['install', ...flags]);
  utimesSync(mark, new Date(), new Date());
}

export function buildIfStale() {
  const mark = join(root, 'dist', '.tsbuildinfo');
  const newest = Math.max(
    newestUnder(join(root, 'src')),
    ...['package.json', 'tsconfig.json', 'tsconfig.build.json'].map((file) => statSync(join(root, file)).mtimeMs),
  );
  if (existsSync(mark) && statSync(mark).mtimeMs >= newest && builtHere(mark)) return;
  console.error('edgewise: building');
  build();
}

/** Compiles `src` to `dist` and copies what the status page serves as it is. */
export function build() {
  copyStatic();
  run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json']);
  // Sources that were touched and not changed leave it as it was; without this each start would build again.
  const mark = join(root, 'dist', '.tsbuildinfo');
  utimesSync(mark, new Date(), new Date());
}

/** Style sheets, scripts and pictures of the status page; those that are gone from `src` go from `dist`, too. */
const STATIC = {
  from: join(root, 'src', 'server', 'control', 'page', 'static'),
  to: join(root, 'dist', 'server', 'control', 'page', 'static'),
};

function copyStatic() {
  const wanted = namesIn(STATIC.from);
  for (const file of namesIn(STATIC.to).filter((name) => !wanted.includes(name)))
    rmSync(join(STATIC.to, file), { recursive: true, force: true });
  if (wanted.length > 0) cpSync(STATIC.from, STATIC.to, { recursive: true });
}

function namesIn(folder) {
  return existsSync(folder) ? readdirSync(folder, { recursive: true }).map(String) : [];
}

// An interrupted build leaves no complete mark; tsc writes it last.
function builtHere(mark) {
  if (readFileSync(mark, 'utf8').length === 0 || !existsSync(join(root, 'dist', 'cli', 'main.js'))) return false;
  return namesIn(STATIC.from).every((file) => existsSync(join(STATIC.to, file)));
}

function newestUnder(folder) {
  return Math.max(
    statSync(folder).mtimeMs, // a removed file changes its folder
    ...readdirSync(folder, { withFileTypes: true }).map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? newestUnder(path) : statSync(path).mtimeMs;
    }),
  );
}
