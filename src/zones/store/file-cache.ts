import { hash as hashAtOnce } from 'node:crypto';
import { closeSync, constants, fstatSync, lstatSync, openSync, realpathSync, type Stats, statSync } from 'node:fs';
import { sep } from 'node:path';
import { FILE_MAX, readFileNow, readOpen } from '../../system/read-file.ts';
import { type FileStamp, sameFileStamp } from '../../system/settling.ts';
import type { Included } from '../scan/include.ts';

/** Contents of a file as a hash, `absent` for one that cannot be read. */
export type FileHash = string;
export const ABSENT: FileHash = 'absent';

/** `isFile`: not a folder, a pipe or a device. */
export type Stamp = FileStamp & { readonly isFile: boolean };

/** What is remembered of one file. */
export type KnownFile = {
  readonly stamp: Stamp | null;
  readonly hash: FileHash;
  /** A change of its contents would have changed its stamp. */
  readonly trusted: boolean;
  /** Its last line has an end. */
  readonly ended: boolean;
};

/**
 * A file written this recently may be written again without its time moving on: some file systems count in 2 s steps.
 */
const RACY_MS = 2000;
const LINE_FEED = 0x0a;

/**
 * What the files that zones depend on held when last looked at. `look` costs one `stat` a file and round while nothing
 * changes; a file whose time, size or inode moved is read and compared by content.
 */
export class FileCache {
  readonly known = new Map<string, KnownFile>();
  private round = new Map<string, FileHash>();
  private stamps = new Map<string, Stamp | null>();
  private sure = false;
  /** What `sizeOf` read last, for `read`. */
  private ahead: { readonly path: string; readonly text: Uint8Array } | null = null;

  /**
   * Starts a pass: each file is looked at once in it. `sure`: contents are compared even where nothing seems to move.
   */
  begin(sure: boolean): void {
    this.round = new Map();
    this.stamps = new Map();
    this.ahead = null;
    this.sure = sure;
  }

  /**
   * Octets of the file as this round first saw it; 0: there is none. One of fewer than `few` octets is read as well, if
   * it was not looked at before in this pass: asking for a size by the open file is cheaper than by its path.
   */
  sizeOf(path: string, few: number): number {
    if (!this.stamps.has(path)) this.readAhead(path, few);
    return this.stampOf(path)?.size ?? 0;
  }

  /** Whether there is nothing of this name any more; a link that leads nowhere is something. */
  isGone(path: string): boolean {
    if (this.stampOf(path) !== null) return false;
    try {
      return lstatSync(path, { throwIfNoEntry: false }) === undefined;
    } catch {
      return false; // it may not be looked at
    }
  }

  /** Whether the file looks as it did when it was last read, and looking is enough. */
  isUntouched(path: string): boolean {
    const known = this.known.get(path);
    if (known === undefined || !known.trusted || this.sure) return false;
    return sameFileStamp(known.stamp, this.stampOf(path));
  }

  /** The hash of the file's contents now. */
  look(path: string): FileHash {
    const seen = this.round.get(path);
    if (seen !== undefined) return seen;
    const stamp = this.stampOf(path);
    const known = this.known.get(path);
    if (known?.trusted && !this.sure && sameFileStamp(known.stamp, stamp)) {
      this.round.set(path, known.hash);
      return known.hash;
    }
    return this.note(path, stamp, contents(path, stamp));
  }

  /** Reads a file and remembers what it held. `folders`: its real path must lie below that of one of them. */
  read(path: string, folders: readonly string[] | null): Included & { readonly hash: FileHash } {
    const stamp = this.stampOf(path); // of before reading: a later change is then seen as one
    const outside = folders === null ? null : outsideOf(path, folders);
    if (outside !== null) return { ok: false, message: outside, hash: this.note(path, stamp, contents(path, stamp)) };
    const ahead = this.ahead?.path === path ? this.ahead.text : null;
    this.ahead = null;
    if (ahead !== null) return { ok: true, text: ahead, hash: this.note(path, stamp, ahead) };
    const read = readFileNow(path, FILE_MAX.zone);
    if (!read.ok) return { ok: false, message: read.message, hash: this.note(path, null, null) };
    return { ok: true, text: read.octets, hash: this.note(path, stamp, read.octets) };
  }

  /** Takes over what another cache learned by reading. */
  adopt(known: ReadonlyMap<string, KnownFile>): void {
    for (const [path, file] of known) this.known.set(path, file);
  }

  /** Drops what is known of files that no zone depends on any more. */
  forget(keep: ReadonlySet<string>): void {
    for (const path of this.known.keys()) if (!keep.has(path)) this.known.delete(path);
  }

  private readAhead(path: string, few: number): void {
    try {
      // A pipe must not make us wait for its other end.
      const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        const stamp = toStamp(fstatSync(file));
        this.stamps.set(path, stamp);
        if (!stamp.isFile || stamp.size >= few) return;
        const text = readOpen(file, stamp.size, FILE_MAX.zone);
        if (!('ok' in text)) this.ahead = { path, text };
      } finally {
        closeSync(file);
      }
    } catch {
      // `read` says what is wrong.
    }
  }

  /** What the file looks like, as this pass first saw it; null: it is not there, or may not be looked at. */
  stampOf(path: string): Stamp | null {
    let stamp = this.stamps.get(path);
    if (stamp === undefined) {
      stamp = stampOf(path);
      this.stamps.set(path, stamp);
    }
    return stamp;
  }

  private note(path: string, stamp: Stamp | null, text: Uint8Array | null): FileHash {
    const hash = text === null ? ABSENT : hashAtOnce('sha1', text, 'base64');
    const trusted = stamp === null || isSettled(stamp);
    const ended = text === null || text.length === 0 || text[text.length - 1] === LINE_FEED;
    this.known.set(path, { stamp, hash, trusted, ended });
    this.round.set(path, hash);
    return hash;
  }
}

/** Null for what is not there or may not be looked at. */
export function stampOf(path: string): Stamp | null {
  let stats: Stats | undefined;
  try {
    stats = statSync(path, { throwIfNoEntry: false });
  } catch {
    return null; // not allowed, a loop of links: as if it were not there
  }
  if (stats === undefined) return null;
  return toStamp(stats);
}

function toStamp(stats: Stats): Stamp {
  const { mtimeMs, ctimeMs, size, ino } = stats;
  return { mtimeMs, ctimeMs, size, ino, isFile: stats.isFile() };
}

/** Whether a change from now on would move the stamp. */
export function isSettled(stamp: Stamp): boolean {
  const now = Date.now();
  // A time of writing that lies ahead was set by somebody; the system's own time of change cannot be.
  const written = stamp.mtimeMs > now ? stamp.ctimeMs : Math.max(stamp.mtimeMs, stamp.ctimeMs);
  return now - written > RACY_MS;
}

function contents(path: string, stamp: Stamp | null): Uint8Array | null {
  if (stamp === null || !stamp.isFile) return null;
  const read = readFileNow(path, FILE_MAX.zone);
  return read.ok ? read.octets : null;
}

/** Why an included file may not be read, where a link leads it out of the folders; null: it may. */
function outsideOf(path: string, folders: readonly string[]): string | null {
  try {
    const real = realpathSync(path);
    if (folders.some((folder) => isBelowReal(real, folder))) return null;
    return `${real} is outside ${folders.join(', ')}; include_dirs can name its folder`;
  } catch (error) {
    return reason(error);
  }
}

function isBelowReal(real: string, folder: string): boolean {
  let start: string;
  try {
    start = realpathSync(folder);
  } catch {
    return false; // a folder that is not there holds nothing
  }
  return real.startsWith(start.endsWith(sep) ? start : start + sep);
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
