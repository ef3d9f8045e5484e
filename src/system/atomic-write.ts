/**
 * Replaces files whole or not at all: temporary file in the same folder, fsync, rename, fsync of the folder. A reader,
 * and a machine that loses power, sees the old file or the new one.
 */

import { chmodSync, chownSync, closeSync, openSync, renameSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { type FileHandle, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemCode } from './error-text.ts';
import { ioProblem } from './io-problem.ts';
import { fileError } from './read-file.ts';
import { writeTarget } from './write-target.ts';

let written = 0;

/**
 * Writes `text` to `file` with the given permissions, whatever the umask is. A symbolic link stays one: its target is
 * replaced, or made where it leads to nothing yet (`writeTarget`). `syncFolder` false leaves the folder's fsync to the
 * caller, who writes many files into it; `sync` false leaves all of it to the system, for what may be lost. `newOwner`: of
 * a file that root makes where there is none, or one of root's. Throws an
 * error with the system's code that names `file`; the old file is then untouched and nothing is left behind.
 */
export async function writeAtomic(
  file: string,
  text: string | Uint8Array,
  options: {
    readonly mode?: number;
    readonly syncFolder?: boolean;
    readonly sync?: boolean;
    readonly newOwner?: { readonly uid: number; readonly gid: number };
  } = {},
): Promise<void> {
  try {
    await write(file, text, options);
  } catch (error) {
    throw writeError(file, error);
  }
}

async function write(
  file: string,
  text: string | Uint8Array,
  options: Parameters<typeof writeAtomic>[2] = {},
): Promise<void> {
  const { mode = 0o644, sync = true, syncFolder = sync, newOwner = null } = options;
  const target = writeTarget(file);
  const temporary = temporaryName(target);
  const handle = await open(temporary, 'wx', mode);
  try {
    try {
      await handle.chmod(mode);
      if (process.getuid?.() === 0) await keepOwner(handle, target, newOwner);
      await handle.writeFile(text);
      if (sync) await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
  if (syncFolder) await fsyncFolder(dirname(target));
}

/** What root replaces stays its owner's: a command run by hand must not lock out the server that wrote the file. */
async function keepOwner(
  handle: FileHandle,
  target: string,
  newOwner: { readonly uid: number; readonly gid: number } | null,
): Promise<void> {
  const old = await stat(target).catch(() => null);
  const owner = old !== null && old.uid !== 0 ? old : newOwner;
  if (owner !== null && owner.uid !== 0) await handle.chown(owner.uid, owner.gid);
}

/**
 * `writeAtomic` with `sync` false, at once: of thousands of small files a tenth of the work. A reader sees the old file
 * or the new one; after a loss of power the new one may be empty.
 */
export function replaceFile(file: string, text: string, mode = 0o644): void {
  try {
    replace(file, text, mode);
  } catch (error) {
    throw writeError(file, error);
  }
}

/** Without the temporary file's name: it differs each time, and a fault that goes on would be a new one each time. */
function writeError(file: string, error: unknown): Error {
  const code = systemCode(error);
  if (error instanceof Error && !code.startsWith('E')) return error; // ours, in words
  return fileError(file, { code, message: ioProblem(error) });
}

function replace(file: string, text: string, mode: number): void {
  const target = writeTarget(file);
  const temporary = temporaryName(target);
  const octets = Buffer.from(text);
  const handle = openSync(temporary, 'wx', mode);
  try {
    try {
      for (let at = 0; at < octets.length; ) at += writeSync(handle, octets, at);
    } finally {
      closeSync(handle);
    }
    chmodSync(temporary, mode);
    const old = process.getuid?.() === 0 ? statSync(target, { throwIfNoEntry: false }) : undefined;
    if (old !== undefined && old.uid !== 0) chownSync(temporary, old.uid, old.gid);
    renameSync(temporary, target);
  } catch (error) {
    try {
      unlinkSync(temporary);
    } catch {
      // The first error is the one to report; a temporary file does no harm (`sweepTemporaries`).
    }
    throw error;
  }
}

/** Makes renames and new names in a folder durable. */
export async function fsyncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The name carries its writer's process id, so that a later run can see that it is gone (`sweepTemporaries`). */
function temporaryName(target: string): string {
  written += 1;
  return join(dirname(target), `.${basename(target)}.${process.pid}-${written}.tmp`);
}

/** Removes the temporary files of writers that were killed half-way. Never throws: such files do no harm. */
export async function sweepTemporaries(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const pid = /^\..*\.(\d+)-\d+\.tmp$/.exec(name)?.[1];
    if (pid === undefined) continue;
    const file = join(folder, name);
    if (Number(pid) === process.pid ? await isOurs(file) : isAlive(Number(pid))) continue;
    await unlink(file).catch(() => {});
  }
}

/** In a container every run has the same process id: what is older than this process is of one before. */
async function isOurs(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => null);
  return found === null || found.mtimeMs >= performance.timeOrigin - 1000;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}
