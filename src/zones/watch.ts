import { type FSWatcher, watch } from 'node:fs';
import { stampOf } from './zone-store-files.ts';

export type FolderWatchOptions = {
  /** The folders to watch, as of now; missing ones are waited for. */
  readonly folders: () => ReadonlySet<string>;
  /** Looks for changes. Called again only when the promise it returned is settled. */
  readonly onNews: () => Promise<unknown>;
};

/** Changes are waited out this long, so that a file is not read while it is being written, … */
const QUIET_MS = 100;
/** … but at most this long. */
const WAIT_MAX_MS = 600;
/** The safety net's pace: between these, and so that looking costs at most a twentieth of the time. */
const RESCAN_MIN_MS = 1500;
const RESCAN_MAX_MS = 10_000;
const RESCAN_SHARE = 20;

/**
 * Calls `onNews` soon after something changes in any of the folders, and every few seconds besides: notification misses
 * links to elsewhere, network file systems, and whatever happens where the system's limit of watches is reached.
 */
export class FolderWatch {
  private readonly options: FolderWatchOptions;
  private readonly watchers = new Map<string, { readonly watcher: FSWatcher; readonly inode: number }>();
  private timer: NodeJS.Timeout | null = null;
  private dueAt = 0;
  private newsSince: number | null = null;
  private looking = false;
  private closed = false;

  constructor(options: FolderWatchOptions) {
    this.options = options;
    this.refresh();
    this.at(RESCAN_MIN_MS);
  }

  /** Watches the folders there are now, and no others. */
  refresh(): void {
    if (this.closed) return;
    const wanted = this.options.folders();
    for (const folder of this.watchers.keys()) if (!wanted.has(folder)) this.drop(folder);
    for (const folder of wanted) {
      const inode = stampOf(folder)?.ino ?? null;
      // A folder that was replaced is another one under the same name; its watcher hears nothing more.
      if (this.watchers.get(folder)?.inode === inode) continue;
      this.drop(folder);
      if (inode !== null) this.add(folder, inode);
    }
  }

  /** Looks again after so many milliseconds, if nothing makes it look sooner. */
  again(ms: number): void {
    this.at(ms);
  }

  close(): void {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    for (const folder of this.watchers.keys()) this.drop(folder);
  }

  private add(folder: string, inode: number): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.news());
      watcher.on('error', () => this.drop(folder));
      this.watchers.set(folder, { watcher, inode });
    } catch {
      // Gone again, or no watches left: the safety net finds its changes.
    }
  }

  private drop(folder: string): void {
    this.watchers.get(folder)?.watcher.close();
    this.watchers.delete(folder);
  }

  private news(): void {
    const now = performance.now();
    this.newsSince ??= now;
    this.at(Math.min(QUIET_MS, Math.max(0, this.newsSince + WAIT_MAX_MS - now)), true);
  }

  /** Sets the timer; `later` may also move it away, as more news does while things are not quiet. */
  private at(ms: number, later = false): void {
    const due = performance.now() + ms;
    if (this.closed || (this.timer !== null && this.dueAt <= due && !later)) return;
    if (this.timer !== null) clearTimeout(this.timer);
    this.dueAt = due;
    this.timer = setTimeout(() => void this.look(), ms);
    this.timer.unref();
  }

  private async look(): Promise<void> {
    this.timer = null;
    if (this.looking) return;
    this.looking = true;
    this.newsSince = null;
    const start = performance.now();
    try {
      await this.options.onNews();
    } finally {
      this.looking = false;
      const took = performance.now() - start;
      if (this.newsSince !== null) this.at(QUIET_MS);
      this.at(Math.min(RESCAN_MAX_MS, Math.max(RESCAN_MIN_MS, RESCAN_SHARE * took)));
    }
  }
}
