import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fsyncFolder, replaceFile, sweepTemporaries, writeAtomic } from '../system/atomic-write.ts';
import { errorText } from '../system/error-text.ts';
import { readFileNow } from '../system/read-file.ts';

/** One zone to be written. `name` as in `ZoneEntry`; `text` is called once, when its turn has come. */
export type ExportItem = { readonly name: string; readonly text: () => string };

export type ExportSummary = {
  /** Paths that hold a new text now. */
  readonly written: readonly string[];
  readonly unchanged: number;
  /** What could not be written, with the system's reason; tried again with the next call. */
  readonly failed: readonly { readonly file: string; readonly message: string }[];
};

/** What we know a file to hold: the hash of the text, and what the file looked like after it was written. */
type Written = { readonly hash: string; readonly mtimeMs: number; readonly size: number; readonly ino: number };

export type ExportOptions = {
  /**
   * True: a file's octets are on disk before it gets its name, for who remembers what was written and does not look
   * again. False: the system writes them when it likes. Of ten thousand files, waiting for each takes a hundred times
   * as long and holds up the process's other files meanwhile. After a loss of power some may be empty: `export` finds
   * and rewrites them, since a new exporter compares every file with its text.
   */
  readonly durable: boolean;
};

/** Durable files written at a time: enough to overlap their fsyncs, few enough to leave the disk to others. */
const PARALLEL = 8;
/** The event loop is given back after this long. */
const SLICE_MS = 5;

/**
 * Writes zone files for a name server beside us, `<folder>/<name>.zone`: only those whose text is not there yet, each
 * whole or not at all. Files of zones that are gone stay; calls are worked off one after another.
 */
export class ZoneExporter {
  readonly folder: string;
  private readonly options: ExportOptions;
  private readonly written = new Map<string, Written>();
  private readonly retry = new Map<string, ExportItem>();
  /** What writers that were killed left in the folder was removed. */
  private swept = false;
  private running: Promise<unknown> = Promise.resolve();

  constructor(folder: string, options: ExportOptions = { durable: true }) {
    this.folder = folder;
    this.options = options;
  }

  /** Whether something could not be written and waits for the next call. */
  get behind(): boolean {
    return this.retry.size > 0;
  }

  /** Never rejects: what fails is in the summary. Of two items with one name the later one is written. */
  export(items: Iterable<ExportItem>): Promise<ExportSummary> {
    const result = this.running.then(() => this.run(items));
    this.running = result;
    return result;
  }

  /** Where a zone is written. A slash, legal in a name (RFC 2317), is escaped as in master files. */
  pathOf(name: string): string {
    return join(this.folder, `${name.replaceAll('/', '\\047')}.zone`);
  }

  private async run(items: Iterable<ExportItem>): Promise<ExportSummary> {
    if (!this.swept) await sweepTemporaries(this.folder);
    this.swept = true;
    const queue = new Map(this.retry);
    for (const item of items) queue.set(item.name, item);
    this.retry.clear();
    const summary = { written: [] as string[], unchanged: 0, failed: [] as { file: string; message: string }[] };
    const waiting = queue.values();
    let sliceSince = performance.now();
    const lane = async (): Promise<void> => {
      for (const item of waiting) {
        if (performance.now() - sliceSince > SLICE_MS) {
          await nextTurn();
          sliceSince = performance.now();
        }
        const file = this.pathOf(item.name);
        try {
          if (await this.write(file, item.text())) summary.written.push(file);
          else summary.unchanged++;
        } catch (error) {
          this.written.delete(file);
          this.retry.set(item.name, item);
          summary.failed.push({ file, message: errorText(error).replace(`${file}: `, '') }); // whoever prints it names it
        }
      }
    };
    await Promise.all(Array.from({ length: this.options.durable ? PARALLEL : 1 }, lane));
    // The files' names are safe with this; on file systems that write data before names (ext4), so are their contents.
    if (summary.written.length > 0) await fsyncFolder(this.folder).catch(() => {});
    return summary;
  }

  private async write(file: string, text: string): Promise<boolean> {
    const hash = createHash('sha1').update(text).digest('base64');
    if (this.holds(file, hash, text)) return false;
    if (this.options.durable) await writeAtomic(file, text, { syncFolder: false });
    else replaceFile(file, text);
    this.remember(file, hash);
    return true;
  }

  /** Whether the file holds the text already. Someone else may have changed or removed it since we wrote it. */
  private holds(file: string, hash: string, text: string): boolean {
    const known = this.written.get(file);
    if (known !== undefined && known.hash !== hash) return false;
    const now = statSync(file, { throwIfNoEntry: false });
    if (now === undefined) return false;
    const same = now.mtimeMs === known?.mtimeMs && now.size === known.size && now.ino === known.ino;
    if (same) return true;
    if (now.size !== Buffer.byteLength(text)) return false;
    const read = readFileNow(file, now.size);
    if (!read.ok || read.octets.toString('utf8') !== text) return false;
    this.remember(file, hash);
    return true;
  }

  private remember(file: string, hash: string): void {
    const { mtimeMs, size, ino } = statSync(file);
    this.written.set(file, { hash, mtimeMs, size, ino });
  }
}
