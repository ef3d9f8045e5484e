import { type FSWatcher, lstatSync, statfsSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { Guard } from '../../system/guard.ts';
import type { Arrival } from '../../system/settling.ts';
import { stampOf } from './file-cache.ts';
import type { WatchedPaths } from './watch-links.ts';

export type FolderWatchOptions = {
  /** What to watch, as of now; missing folders are waited for. */
  readonly paths: () => WatchedPaths;
  /** Looks for changes, in these files first. Called again only when the promise it returned is settled. */
  readonly onChange: (changed: ReadonlySet<string>) => Promise<unknown>;
  /** Around what the event loop calls. */
  readonly guard: Guard;
};

/** Changes are waited out this long, so that a file is not read while it is being written, … */
const QUIET_MS = 100;
/** … but at most this long. */
const WAIT_MAX_MS = 600;
/** Folders and links are looked at this often, … */
const GLANCE_MS = 1000;
/** … every file as often as this at most, … */
const RESCAN_MIN_MS = 1500;
/** … and both so that looking costs a twentieth of the time; but files at least this often, … */
const SHARE = 20;
const RESCAN_MAX_MS = 10_000;
/** … or this, where the system does not notify us. */
const UNWATCHED_MAX_MS = 1800;
/**
 * Where every folder is on a disk of this machine, the system's notifications tell of every change, and looking at
 * files that did not change is a precaution: it takes less than a hundredth of the time.
 */
const LOCAL_SHARE = 150;
const LOCAL_RESCAN_MAX_MS = 600_000;

/** ext2 to 4, XFS, Btrfs, tmpfs, ramfs, F2FS, ZFS, bcachefs, overlayfs: `f_type` of statfs(2). */
const LOCAL_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x858458f6, 0xf2f52010, 0x2fc12fc1, 0xca451a4e, 0x794c7630,
]);

/** Names whose last event is remembered. */
const ARRIVALS_MAX = 10_000;

/**
 * Calls `onChange` soon after something changes in any of the paths. The system's notification is not all: it follows a
 * folder, not its name, so a link or a folder that is swapped is found by a glance at each second; what happens on
 * network file systems, or where the limit of watches is reached, by a look at all files every few seconds.
 */
export class FolderWatch {
  private readonly options: FolderWatchOptions;
  private readonly watchers = new Map<string, { readonly watcher: FSWatcher; readonly inode: number }>();
  private paths: WatchedPaths = new Map();
  /** A folder there is and that we are not notified of. */
  private unwatched = false;
  /** Some folder is on a file system that others may change unseen. */
  private remote = false;
  /** What the last glance saw, by path. */
  private seen = new Map<string, string>();
  private readonly arrivals = new Map<string, Arrival>();
  /** Since the last look. */
  private changedFiles = new Set<string>();
  private timer: NodeJS.Timeout | null = null;
  private glanceTimer: NodeJS.Timeout | null = null;
  private dueAt = 0;
  private changedAt: number | null = null;
  private looking = false;
  /** Another look was due while one lasted. */
  private isDue = false;
  private closed = false;

  constructor(options: FolderWatchOptions) {
    this.options = options;
    this.refresh();
    this.at(RESCAN_MIN_MS);
    this.glance();
  }

  /** Watches the paths there are now, and no others. */
  refresh(): void {
    if (this.closed) return;
    this.paths = this.options.paths();
    this.unwatched = false;
    this.remote = false;
    for (const folder of this.watchers.keys()) if (!this.paths.has(folder)) this.drop(folder);
    for (const folder of this.paths.keys()) {
      const inode = stampOf(folder)?.ino ?? null;
      this.remote ||= inode !== null && !isLocal(folder);
      // A folder that was replaced is another one under the same name; its watcher gets no more events.
      if (inode !== null && this.watchers.get(folder)?.inode === inode) continue;
      this.drop(folder);
      if (inode !== null) this.add(folder, inode);
    }
  }

  /** Looks again after so many milliseconds, if nothing makes it look sooner. */
  again(ms: number): void {
    this.at(ms);
  }

  /** How a file came under its name, as far as the system said; null: it said nothing since it was watched. */
  arrival(path: string): Arrival {
    return this.arrivals.get(path) ?? null;
  }

  /** Every change so far was taken over: what happened to a name before says nothing of what comes. */
  forgetArrivals(): void {
    this.arrivals.clear();
  }

  /** A name appears (or goes) by renaming and by creating; writing follows only the latter. */
  private noteArrival(path: string, event: 'rename' | 'change'): void {
    if (this.arrivals.size > ARRIVALS_MAX) this.arrivals.clear();
    this.arrivals.set(path, event === 'rename' ? 'renamed' : 'written');
    if (this.changedFiles.size < ARRIVALS_MAX) this.changedFiles.add(path);
  }

  close(): void {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    if (this.glanceTimer !== null) clearTimeout(this.glanceTimer);
    for (const folder of this.watchers.keys()) this.drop(folder);
  }

  private add(folder: string, inode: number): void {
    try {
      const heard = (event: 'rename' | 'change', name: string | null): void => {
        const names = this.paths.get(folder) ?? null;
        if (names !== null && name !== null && !names.has(name)) return;
        if (name !== null) this.noteArrival(join(folder, name), event);
        this.changed();
      };
      const watcher = watch(folder, { persistent: false }, this.options.guard.protect('zone watch', heard));
      watcher.on(
        'error',
        this.options.guard.protect('zone watch', () => this.drop(folder)),
      );
      this.watchers.set(folder, { watcher, inode });
    } catch {
      this.unwatched = true; // gone again, or no watches left
    }
  }

  private drop(folder: string): void {
    this.watchers.get(folder)?.watcher.close();
    this.watchers.delete(folder);
  }

  private glance(): void {
    if (this.closed) return;
    const start = performance.now();
    try {
      this.compare();
    } finally {
      const took = performance.now() - start;
      this.glanceTimer = setTimeout(
        this.options.guard.protect('zone watch', () => this.glance()),
        Math.max(GLANCE_MS, SHARE * took),
      );
      this.glanceTimer.unref();
    }
  }

  /** Compares folders and links with what they were a moment ago. */
  private compare(): void {
    const seen = new Map<string, string>();
    let changed = false;
    for (const [folder, names] of this.paths) {
      const paths = names === null ? [folder] : Array.from(names, (name) => join(folder, name));
      for (const path of paths) {
        const mark = names === null ? folderMark(path) : entryMark(path);
        const before = this.seen.get(path);
        if (before !== undefined && before !== mark) changed = true;
        seen.set(path, mark);
      }
    }
    this.seen = seen;
    if (changed) this.changed();
  }

  private changed(): void {
    const now = performance.now();
    this.changedAt ??= now;
    this.at(Math.min(QUIET_MS, Math.max(0, this.changedAt + WAIT_MAX_MS - now)), true);
  }

  /** Sets the timer; `later` may also move it away, as more changes do while things are not quiet. */
  private at(ms: number, later = false): void {
    const due = performance.now() + ms;
    if (this.closed || (this.timer !== null && this.dueAt <= due && !later)) return;
    if (this.timer !== null) clearTimeout(this.timer);
    this.dueAt = due;
    this.timer = setTimeout(() => this.options.guard.run('zone watch', this.look()), ms);
    this.timer.unref();
  }

  private async look(): Promise<void> {
    this.timer = null;
    if (this.looking) {
      this.isDue = true; // when the present look has ended
      return;
    }
    this.looking = true;
    this.isDue = false;
    this.changedAt = null;
    const start = performance.now();
    try {
      const { changedFiles } = this;
      this.changedFiles = new Set();
      await this.options.onChange(changedFiles);
    } finally {
      this.looking = false;
      const took = performance.now() - start;
      if (this.isDue) this.at(0);
      if (this.changedAt !== null) this.at(QUIET_MS);
      const trusts = !this.unwatched && !this.remote;
      const most = this.unwatched ? UNWATCHED_MAX_MS : trusts ? LOCAL_RESCAN_MAX_MS : RESCAN_MAX_MS;
      this.at(Math.min(most, Math.max(RESCAN_MIN_MS, (trusts ? LOCAL_SHARE : SHARE) * took)));
    }
  }
}

function isLocal(folder: string): boolean {
  try {
    return LOCAL_FILE_SYSTEMS.has(statfsSync(folder).type >>> 0);
  } catch {
    return false;
  }
}

/** What changes when a folder is another one, or an entry comes or goes. */
function folderMark(path: string): string {
  const stamp = stampOf(path);
  return stamp === null ? '' : `${stamp.ino} ${stamp.mtimeMs}`;
}

/** What changes when a link, or the file at its end, is another one or written anew. */
function entryMark(path: string): string {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats === undefined ? '' : `${stats.ino} ${stats.mtimeMs} ${stats.ctimeMs} ${stats.size}`;
  } catch {
    return '';
  }
}
