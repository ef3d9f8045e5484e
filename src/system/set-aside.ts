/** Keeping a file that cannot be used, or not wholly, from being written over. */
import { constants } from 'node:fs';
import { access, copyFile, rename } from 'node:fs/promises';
import { systemCode } from './error-text.ts';
import { NOT_A_FILE, TOO_LARGE } from './read-file.ts';

/** Whether a file cannot be read for what it is, as against a moment's trouble (no descriptors or memory left). */
export function isUnreadable(code: string): boolean {
  return ['EACCES', 'EPERM', 'EISDIR', 'ELOOP', NOT_A_FILE, TOO_LARGE].includes(code);
}

/**
 * Renames an unusable file out of the way, so that it is neither read again nor overwritten, and returns its new name,
 * `<file>.bad-<epoch seconds>`. An earlier one of the same second is kept.
 */
export async function setAside(file: string, now: number): Promise<string> {
  for (const aside of namesFor(file, now)) {
    if (await exists(aside)) continue;
    await rename(file, aside);
    return aside;
  }
  throw new Error('unreachable');
}

/**
 * Copies a file that is usable in part, which goes on being used until it is written anew; the copy is named as by
 * `setAside`. Throws the system's error.
 */
export async function keepCopy(file: string, now: number): Promise<string> {
  for (const copy of namesFor(file, now)) {
    try {
      await copyFile(file, copy, constants.COPYFILE_EXCL);
      return copy;
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
  }
  throw new Error('unreachable');
}

/** Without end. */
function* namesFor(file: string, now: number): Generator<string, never> {
  const first = `${file}.bad-${Math.floor(now)}`;
  yield first;
  for (let count = 2; ; count++) yield `${first}-${count}`;
}

export async function exists(file: string): Promise<boolean> {
  return access(file, constants.F_OK).then(
    () => true,
    () => false,
  );
}
