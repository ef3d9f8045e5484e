/**
 * The kernel's record locks on one octet of a file, through libc. They belong to the open file, so they vanish with the
 * process however it ends, and they exclude the locks that Python's `fcntl.lockf` takes on the whole file (fcntl(2),
 * "open file description locks").
 */
import { closeSync, fstatSync, statSync } from 'node:fs';
import koffi from 'koffi';
import { openForAppend } from './open-append.ts';
import { fileError } from './read-file.ts';

const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;
const F_WRLCK = 1;
const F_UNLCK = 2;
/** EBADF, EINVAL (no such locks), ENOLCK, ENOSYS. */
const BROKEN: readonly number[] = [9, 22, 37, 38];

/** glibc's and musl's `struct flock` where `off_t` and pointers have 64 bits. */
const FLOCK_SIZE = 32;
const FLOCK = { type: 0, start: 8, length: 16 } as const;

type Fcntl = (fd: number, command: number, type: string, argument: Uint8Array) => number;

/** A lock file held open; each octet offset in it is a lock of its own. */
export class LockFile {
  private readonly fcntl: Fcntl;
  private fd: number;

  private constructor(fcntl: Fcntl, fd: number) {
    this.fcntl = fcntl;
    this.fd = fd;
  }

  /**
   * Null where these locks do not exist (not Linux, a 32-bit machine, no libc to load). Throws if the file cannot be
   * opened.
   */
  static open(file: string): LockFile | null {
    const fcntl = loadFcntl();
    // Created, never truncated: several processes keep it open.
    if (fcntl === null) return null;
    const opened = openForAppend(file);
    if (!opened.ok) throw fileError(file, opened);
    return new LockFile(fcntl, opened.fd);
  }

  /** Takes the octet at `offset`; false if somebody else has it. Does not wait. */
  tryLock(offset: number): boolean {
    return this.set(F_WRLCK, offset);
  }

  unlock(offset: number): void {
    this.set(F_UNLCK, offset);
  }

  /**
   * Whether the octet at `offset` is locked through another opening of the file. Takes nothing, not even for a moment.
   */
  isHeldElsewhere(offset: number): boolean {
    const flock = flockOf(F_WRLCK, offset);
    // The kernel writes the lock that is in the way over ours, or that there is none.
    if (this.fcntl(this.fd, F_OFD_GETLK, 'void *', flock) === 0) return flock.readInt16LE(FLOCK.type) !== F_UNLCK;
    throw new Error(`cannot look for a lock: error ${koffi.errno()} of fcntl`);
  }

  /** Whether this is the file that has the path now. */
  isAt(path: string): boolean {
    const now = statSync(path, { throwIfNoEntry: false });
    if (now === undefined) return false;
    const ours = fstatSync(this.fd);
    return now.ino === ours.ino && now.dev === ours.dev;
  }

  /**
   * Gives up every lock taken through this object. A second time does nothing: the number may be another file's by
   * then.
   */
  close(): void {
    if (this.fd < 0) return;
    closeSync(this.fd);
    this.fd = -1;
  }

  private set(type: number, offset: number): boolean {
    if (this.fcntl(this.fd, F_OFD_SETLK, 'void *', flockOf(type, offset)) === 0) return true;
    const errno = koffi.errno();
    // Anything else is taken as "held": the engine may have made calls of its own since, and changed the number.
    if (!BROKEN.includes(errno)) return false;
    throw new Error(`cannot lock: error ${errno} of fcntl`);
  }
}

function flockOf(type: number, offset: number): Buffer {
  const flock = Buffer.alloc(FLOCK_SIZE);
  flock.writeInt16LE(type, FLOCK.type);
  flock.writeBigInt64LE(BigInt(offset), FLOCK.start);
  flock.writeBigInt64LE(1n, FLOCK.length);
  return flock;
}

let loaded: Fcntl | null | undefined;

function loadFcntl(): Fcntl | null {
  loaded ??= findFcntl();
  return loaded;
}

function findFcntl(): Fcntl | null {
  const known = process.platform === 'linux' && ['x64', 'arm64', 'riscv64', 'loong64'].includes(process.arch);
  if (!known) return null;
  try {
    // The process's own symbols: whichever libc Node itself runs on.
    return koffi.load(null).func('int fcntl(int fd, int cmd, ...)') as unknown as Fcntl;
  } catch {
    return null;
  }
}
