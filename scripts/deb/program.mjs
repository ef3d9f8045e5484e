// /usr/lib/edgewise and the commands in /usr/bin.
import { chmodSync, cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from '../prepare.mjs';
import { copyProgram, filesBelow, put, putFile, removeEmpty } from './tree.mjs';

export const COMMANDS = ['edgewise', 'edge_manage', 'edge_query', 'edge_conf', 'goavail'];
const LIB = 'usr/lib/edgewise';

/** Where Node.js is: our own, or the one the package depends on. */
export function nodePath(node) {
  return node === null ? '/usr/bin/node' : '/usr/lib/edgewise/node';
}

export function program(stage, node) {
  for (const file of filesBelow(join(root, 'dist')).filter(isOfThisTree))
    putFile(stage, `${LIB}/dist/${file}`, join(root, 'dist', file));
  for (const file of filesBelow(join(root, 'bin')))
    putFile(stage, `${LIB}/bin/${file}`, join(root, 'bin', file), 0o755);
  putFile(stage, `${LIB}/package.json`, join(root, 'package.json'));
  if (node !== null) copyProgram(stage, `${LIB}/node`, join(node, 'bin', 'node'));
  if (node !== null) chmodSync(join(stage, LIB, 'node'), 0o755);
  for (const name of COMMANDS) {
    const text = `#!/bin/sh\nexec ${nodePath(node)} /usr/lib/edgewise/bin/${name}.js "$@"\n`;
    put(stage, `usr/bin/${name}`, text, 0o755);
  }
  // One file each, with nothing but Node.js.
  for (const name of filesBelow(join(root, 'nagios'))) {
    const text = readFileSync(join(root, 'nagios', name), 'utf8').replace(/^#!.*/, `#!${nodePath(node)}`);
    put(stage, `usr/lib/nagios/plugins/${name}`, text, 0o755);
  }
}

/** Nothing that earlier sources left in dist. */
function isOfThisTree(file) {
  const source = file.replace(/\.js(\.map)?$/, '.ts');
  return existsSync(join(root, 'src', source)) || existsSync(join(root, 'src', file));
}

/** What an installed dependency needs at no time: types, maps, sources of binaries, manuals. Licences stay. */
const NEEDLESS = [
  /\.d\.[cm]?ts$/,
  /\.(js|cjs|mjs|d\.ts)\.map$/,
  /\.tsbuildinfo$/,
  /(^|\/)(README|CHANGELOG|CHANGES|HISTORY|CONTRIBUTING|SECURITY|index\.umd)[^/]*\.(md|markdown|txt)$/i,
  /\.(html|css|sh)$/,
  /(^|\/)bin\.m?js$/,
  /^zod\/src\//,
  // Beside package.json only: further down a folder of such a name is code.
  /^(@[^/]+\/)?[^/]+\/(\.github|\.husky|\.vscode|test|tests|benchmarks?|docs?|examples?)\//,
  /(^|\/)\.(npmignore|eslintrc|eslintignore|prettierrc|editorconfig|gitattributes|gitignore|travis\.yml|nycrc|taprc|babelrc)[^/]*$/,
  /^koffi\/(vendor|lib|cnoke\.cjs)/, // its library is a package of its own
  /^koffi\/src\/.*(\.(cc|hh|c|h|S|asm|inc|def)|trampolines\.cjs)$/,
  /^@koromix\/[^/]+\/musl_/,
];

/**
 * Installs the production packages of package-lock.json, or copies them where they are installed already. Returns
 * `{folder, name, version, license, text}` of each.
 */
export function dependencies(stage, areInstalled) {
  const lib = join(stage, LIB);
  if (areInstalled) copyPackages(lib);
  else installPackages(stage, lib);
  const modules = join(lib, 'node_modules');
  for (const name of ['.package-lock.json', '.bin']) rmSync(join(modules, name), { recursive: true, force: true });
  const files = filesBelow(modules);
  for (const file of files) {
    if (NEEDLESS.some((pattern) => pattern.test(file))) rmSync(join(modules, file));
    else chmodSync(join(modules, file), 0o644);
  }
  removeEmpty(modules);
  return filesBelow(modules)
    .filter((file) => /^((@[^/]+\/)?[^/]+\/)(node_modules\/(@[^/]+\/)?[^/]+\/)*package\.json$/.test(file))
    .map((file) => described(modules, file));
}

function installPackages(stage, lib) {
  putFile(stage, `${LIB}/package-lock.json`, join(root, 'package-lock.json'));
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline'];
  run('npm', ['ci', '--omit=dev', ...quiet], { cwd: lib, stdio: ['ignore', 'ignore', 'inherit'] });
  rmSync(join(lib, 'package-lock.json'));
}

/** Packages for other systems are in the lockfile and not here. */
function copyPackages(lib) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const production = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true);
  for (const [path] of production.filter(([path]) => existsSync(join(root, path))))
    cpSync(join(root, path), join(lib, path), { recursive: true, filter: (from) => !from.endsWith('/.bin') });
}

function described(modules, file) {
  const { name, version, license } = JSON.parse(readFileSync(join(modules, file), 'utf8'));
  const folder = file.slice(0, -'/package.json'.length);
  const found = filesBelow(join(modules, folder)).find((one) => /^(licen[cs]e|copying)(\.[a-z]+)?$/i.test(one));
  const text = found === undefined ? null : readFileSync(join(modules, folder, found), 'utf8');
  return { folder, name, version, license: license ?? 'unknown', text };
}
