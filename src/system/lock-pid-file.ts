/**
 * Locks as files that name their holder, for systems without the kernel's record locks: `<lockfile>.<offset>`, created
 * exclusively, holding the process id and its start time. A file whose process is gone (or is another one that got the
 * same number) is stale and is taken over. edgemanage's own lock is not seen by these.
 */

import { linkSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { systemCode } from './error-text.ts';
import { FILE_MAX, readFileNow } from './read-file.ts';

export class PidLocks {
  readonly #file: string;
  readonly #own = new Set<number>();

  constructor(file: string) {
    this.#file = file;
    writeFileSync(file, '', { flag: 'a', mode: 0o644 }); // the same failure as opening it, should it be forbidden
  }

  tryLock(offset: number): boolean {
    const path = this.#path(offset);
    const taken = this.#create(path) || (removeIfStale(path) && this.#create(path));
    if (taken) this.#own.add(offset);
    return taken;
  }

  unlock(offset: number): void {
    this.#own.delete(offset);
    try {
      unlinkSync(this.#path(offset));
    } catch {
      // Somebody removed it by hand: it is free either way.
    }
  }

  /** Whether another process, one that lives, has it. Takes nothing. */
  isHeldElsewhere(offset: number): boolean {
    return !this.#own.has(offset) && holderLives(this.#path(offset));
  }

  close(): void {}

  #path(offset: number): string {
    return `${this.#file}.${offset.toString(36)}`;
  }

  /** A complete file appears under its final name in one step, so nobody reads a holder that is half written. */
  #create(path: string): boolean {
    const draft = `${path}.${process.pid}`;
    writeFileSync(draft, holderText(process.pid));
    try {
      linkSync(draft, path);
      return true;
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return false;
      throw error;
    } finally {
      unlinkSync(draft);
    }
  }
}

/**
 * Renaming first decides who removes it: of two that found it stale, one rename succeeds. The content is looked at
 * again under the new name, because between look and rename a living process may have put its own there.
 */
function removeIfStale(path: string): boolean {
  if (holderLives(path)) return false;
  const grave = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, grave);
    if (holderLives(grave)) {
      linkSync(grave, path);
      unlinkSync(grave);
      return false;
    }
    unlinkSync(grave);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return true;
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function holderLives(path: string): boolean {
  const read = readFileNow(path, FILE_MAX.secret);
  if (!read.ok) return false;
  const text = read.octets.toString('latin1');
  const pid = Number.parseInt(text, 10);
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (systemCode(error) !== 'EPERM') return false;
  }
  return text === holderText(pid);
}

/** Process id and, where /proc tells it, start time in clock ticks since boot (proc(5), field 22 of `stat`). */
function holderText(pid: number): string {
  const read = readFileNow(`/proc/${pid}/stat`, FILE_MAX.secret);
  if (!read.ok) return `${pid} 0\n`;
  const stat = read.octets.toString('latin1');
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return `${pid} ${started}\n`;
}
