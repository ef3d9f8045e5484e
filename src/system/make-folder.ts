import { mkdirSync, statSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it, as `mkdir -p`. Node's own `recursive` tries without end where the system says "no
 * such file" of what it refuses to make (/proc). Throws the system's error.
 */
export function makeFolderNow(folder: string): void {
  try {
    makeOneNow(folder);
  } catch (error) {
    if (!lacksParent(folder, error)) throw error;
    makeFolderNow(dirname(folder));
    makeOneNow(folder);
  }
}

/** `makeFolderNow` without holding up the thread. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await makeOne(folder);
  } catch (error) {
    if (!lacksParent(folder, error)) throw error;
    await makeFolder(dirname(folder));
    await makeOne(folder);
  }
}

/** A folder that is there is good, whatever the system says of making it: there, read-only, forbidden. */
function makeOneNow(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}

async function makeOne(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const found = await stat(folder).catch(() => null);
    if (found?.isDirectory() !== true) throw error;
  }
}

function lacksParent(folder: string, error: unknown): boolean {
  const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
  return missing && dirname(folder) !== folder;
}
