import { lstatSync, readlinkSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** Folders to watch, each with the names in it that matter; null: all. */
export type WatchedPaths = ReadonlyMap<string, ReadonlySet<string> | null>;

const HOPS_MAX = 40; // as in Linux: more is a loop

/**
 * Collects what to watch for folders and files that may be reached over links. Kubernetes and release scripts swap a
 * link anywhere on the way, so each link on it counts, and so does what it ends at.
 */
export class PathCollector {
  readonly paths = new Map<string, Set<string> | null>();
  /** Some link was met. */
  linked = false;
  /** Where folders really are; null: a loop, or it cannot be seen. */
  private readonly real = new Map<string, string | null>();

  /** A folder of which every entry matters. */
  folder(folder: string): void {
    if (this.paths.get(folder) === null) return;
    this.file(folder);
    this.paths.set(folder, null);
  }

  /** The links on the way to a path, and its end where there were any. */
  file(path: string): void {
    const end = this.follow(path, HOPS_MAX);
    if (end !== null && end !== path) this.name(end);
  }

  private follow(path: string, hops: number): string | null {
    const folder = this.realFolder(dirname(path), hops);
    if (folder === null || hops === 0) return null;
    const at = join(folder, basename(path));
    const target = linkTarget(at);
    if (target === null) return at;
    this.linked = true;
    this.name(at);
    return this.follow(resolve(folder, target), hops - 1);
  }

  private realFolder(folder: string, hops: number): string | null {
    if (folder === dirname(folder)) return folder;
    let real = this.real.get(folder);
    if (real === undefined) {
      real = this.follow(folder, hops);
      this.real.set(folder, real);
    }
    return real;
  }

  private name(path: string): void {
    const names = this.paths.get(dirname(path));
    if (names === undefined) this.paths.set(dirname(path), new Set([basename(path)]));
    else names?.add(basename(path));
  }
}

/** Null: no link, or it cannot be seen. */
function linkTarget(path: string): string | null {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true ? readlinkSync(path) : null;
  } catch {
    return null;
  }
}
