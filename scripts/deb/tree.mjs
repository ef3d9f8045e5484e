// Files of the package's tree.
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

export function put(stage, path, text, mode = 0o644) {
  const file = join(stage, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode });
}

export function putFile(stage, path, from, mode = 0o644) {
  put(stage, path, readFileSync(from), mode);
}

/** For a large one. */
export function copyProgram(stage, path, from) {
  const file = join(stage, path);
  mkdirSync(dirname(file), { recursive: true });
  copyFileSync(from, file);
}

export function putGzipped(stage, path, text) {
  put(stage, path, gzipSync(text, { level: 9 }));
}

export function link(stage, path, target) {
  mkdirSync(dirname(join(stage, path)), { recursive: true });
  symlinkSync(target, join(stage, path));
}

export function folder(stage, path) {
  mkdirSync(join(stage, path), { recursive: true });
}

/** Paths below a folder, files and links, sorted. */
export function filesBelow(stage, below = '') {
  const entries = readdirSync(join(stage, below), { withFileTypes: true });
  return entries
    .flatMap((entry) => {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      return entry.isDirectory() ? filesBelow(stage, path) : [path];
    })
    .sort();
}

/** For DEBIAN/md5sums. */
export function md5sums(stage, files) {
  return files
    .filter((file) => lstatSync(join(stage, file)).isFile())
    .map(
      (file) =>
        `${createHash('md5')
          .update(readFileSync(join(stage, file)))
          .digest('hex')}  ${file}\n`,
    )
    .join('');
}

/** KiB, as dpkg counts them: files by size, everything else as one. */
export function installedSize(stage, files) {
  return files.reduce((sum, file) => {
    const stat = lstatSync(join(stage, file));
    return sum + (stat.isFile() ? Math.ceil(stat.size / 1024) : 1);
  }, 0);
}

/** Folders last: what is made in them changes them. */
export function setTimes(path, epoch) {
  if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) setTimes(join(path, name), epoch);
  lutimesSync(path, epoch, epoch);
}

/** Removes the folders that hold no file. Returns whether this one is gone. */
export function removeEmpty(path) {
  const entries = readdirSync(path, { withFileTypes: true });
  const left = entries.filter((entry) => !(entry.isDirectory() && removeEmpty(join(path, entry.name))));
  if (left.length > 0) return false;
  rmdirSync(path);
  return true;
}
