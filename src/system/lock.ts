/**
 * Who may write what. Every lock is one octet of the configuration's `lockfile`:
 *
 * ```
 * network   one round of a network at a time, held by its run or, as long as it lives, by its server
 * server    beside `network`: its holder is a server, which takes up an operator's change by itself
 * edge      one edge's health record while it is read, changed and written (an edge may serve several networks)
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

export type LockKind = 'network' | 'server' | 'edge';

const KIND: { readonly [kind in LockKind]: number } = { network: 1, server: 2, edge: 3 };
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
  readonly #file: LockFile | PidLocks;
  readonly #held = new Set<number>();

  private constructor(file: LockFile | PidLocks) {
    this.#file = file;
  }

  /** Makes the file, and folders on the way, where they are missing. Throws the system's error if that is not to be done. */
  static open(file: string): Locks {
    makeFolderNow(dirname(file));
    return new Locks(LockFile.open(file) ?? new PidLocks(file));
  }

  /** False: somebody else has it. Does not wait. */
  tryLock(kind: LockKind, name: string): boolean {
    const offset = lockOffset(kind, name);
    if (this.#held.has(offset)) return false;
    if (!this.#file.tryLock(offset)) return false;
    this.#held.add(offset);
    return true;
  }

  unlock(kind: LockKind, name: string): void {
    const offset = lockOffset(kind, name);
    if (this.#held.delete(offset)) this.#file.unlock(offset);
  }

  /** Whether somebody, this object included, has it. Asking keeps nobody out. */
  isLocked(kind: LockKind, name: string): boolean {
    const offset = lockOffset(kind, name);
    return this.#held.has(offset) || this.#file.isHeldElsewhere(offset);
  }

  /** Whether a program that knows of no networks, edgemanage that is, has the whole file: an octet that nobody uses is taken. */
  isWholeLocked(): boolean {
    return this.isLocked('edge', '');
  }

  /** Gives up all of them. */
  close(): void {
    for (const offset of this.#held) this.#file.unlock(offset);
    this.#held.clear();
    this.#file.close();
  }
}
