/**
 * Who may write what. Every lock is one octet of the configuration's `lockfile`:
 *
 * ```
 * network   one round of a network at a time, held by its run or, as long as it lives, by its server
 * server    beside `network`: its holder is a server, which takes up an operator's change by itself
 * edge      one edge's health record while it is read, changed and written (an edge may serve several networks)
 * serials   the file of the zones' serials while it is read, changed and written (it is of all networks)
 * ```
 *
 * edgemanage itself locks the whole file, so it and Edgewise keep out of each other's way. Where the kernel's locks are
 * not to be had, files beside the lock file stand in (`lock-pid-file.ts`).
 */

import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { LockFile } from './lock-fcntl.ts';
import { PidLocks } from './lock-pid-file.ts';
import { makeFolderNow } from './make-folder.ts';

export type LockKind = 'network' | 'server' | 'edge' | 'serials';
export type HeldLock = { readonly kind: LockKind; readonly name: string };

const KIND: { readonly [kind in LockKind]: number } = { network: 1, server: 2, edge: 3, serials: 4 };
const HASH_BITS = 40;

/** The octet that stands for a name. Two names meet in one octet by chance of one in 2^40: they then merely wait. */
export function lockOffset(kind: LockKind, name: string): number {
  const hash = createHash('sha256')
    .update(name)
    .digest()
    .readUIntBE(0, HASH_BITS / 8);
  return KIND[kind] * 2 ** HASH_BITS + hash;
}

/** Locks of one process on one lock file. Two objects exclude each other even inside one process. */
export class Locks {
  private readonly path: string;
  private file: LockFile | PidLocks;
  private readonly held = new Map<number, HeldLock>();

  private constructor(path: string, file: LockFile | PidLocks) {
    this.path = path;
    this.file = file;
  }

  /**
   * Makes the file, and folders on the way, where they are missing. Throws the system's error if that is not to be
   * done.
   */
  static open(file: string): Locks {
    makeFolderNow(dirname(file));
    return new Locks(file, LockFile.open(file) ?? new PidLocks(file));
  }

  /** False: somebody else has it. Does not wait. */
  tryLock(kind: LockKind, name: string): boolean {
    const offset = lockOffset(kind, name);
    if (this.held.has(offset)) return false;
    if (!this.file.tryLock(offset)) return false;
    this.held.set(offset, { kind, name });
    return true;
  }

  unlock(kind: LockKind, name: string): void {
    const offset = lockOffset(kind, name);
    if (this.held.delete(offset)) this.file.unlock(offset);
  }

  /** Whether somebody, this object included, has it. Asking keeps nobody out. */
  isLocked(kind: LockKind, name: string): boolean {
    const offset = lockOffset(kind, name);
    return this.held.has(offset) || this.file.isHeldElsewhere(offset);
  }

  /**
   * Whether a program that knows of no networks, edgemanage that is, has the whole file: an octet that nobody uses is
   * taken.
   */
  isWholeLocked(): boolean {
    return this.isLocked('edge', '');
  }

  /**
   * Looks whether the lock file still has its name; a file that was removed or replaced keeps nobody out. Then it is
   * made anew and every lock taken there. `lost`: those that another process has by now, which are not held any more.
   * Throws the system's error where the file cannot be made.
   */
  retake(): { readonly retaken: boolean; readonly lost: readonly HeldLock[] } {
    if (!(this.file instanceof LockFile) || this.file.isAt(this.path)) return { retaken: false, lost: [] };
    makeFolderNow(dirname(this.path));
    const file = LockFile.open(this.path);
    if (file === null) return { retaken: false, lost: [] };
    const lost: HeldLock[] = [];
    for (const [offset, lock] of this.held) {
      if (file.tryLock(offset)) continue;
      this.held.delete(offset);
      lost.push(lock);
    }
    this.file.close();
    this.file = file;
    return { retaken: true, lost };
  }

  /** Gives up all of them. */
  close(): void {
    for (const offset of this.held.keys()) this.file.unlock(offset);
    this.held.clear();
    this.file.close();
  }
}
