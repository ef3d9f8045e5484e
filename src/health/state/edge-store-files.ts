import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fsyncFolder, isUnreadable, setAside, writeAtomic } from '../../system/atomic-write.ts';
import { systemCode } from '../../system/error-text.ts';
import type { Fault } from '../../system/fault.ts';
import type { Locks } from '../../system/lock.ts';
import { FILE_MAX, fileError, readFile } from '../../system/read-file.ts';
import { Turns } from '../../system/turns.ts';
import { type EdgeRecord, NEW_EDGE, type ParsedRecord, parseEdgeRecord } from './edge-store.ts';
import { printEdgeRecord } from './edge-store-text.ts';

/** `stuck`: could neither be understood nor set aside. */
export type StoreCode = 'edge-store-invalid' | 'edge-store-stuck' | 'edge-store-busy' | 'edge-store-write';
export type StoreFault = Fault<StoreCode>;

/** How long to wait for another process that writes the same edge's record: it needs milliseconds. */
const BUSY_MS = 5000;
const BUSY_STEP_MS = 3;

/** What a file was when it was last read or written; another one under its name differs in at least one of these. */
type Identity = { readonly ino: bigint; readonly size: bigint; readonly mtimeNs: bigint };
/** `record` null: a file that could be neither read nor set aside. */
type Known = { readonly identity: Identity | null; readonly record: EdgeRecord | null };

export type Stored = { readonly record: EdgeRecord; readonly faults: readonly StoreFault[] };

/**
 * The health records of a folder, with what was last read or written of each kept in memory. Several processes may
 * change the same edge's file (rounds of two networks, `edge_conf`), so a change is a function that is applied to what
 * the file says at that moment, under the edge's lock: nobody's news is lost, and the file alone is the truth.
 */
export class EdgeStores {
  readonly folder: string;
  private readonly locks: Locks | null;
  private readonly known = new Map<string, Known>();
  private readonly turns = new Map<string, Turns>();

  /** `locks` null: nothing will be written (a dry run, a query). */
  constructor(folder: string, locks: Locks | null) {
    this.folder = folder;
    this.locks = locks;
  }

  path(edge: string): string {
    return join(this.folder, `${edge}.edgestore`);
  }

  /**
   * The edge's record as its file has it now; without a file, a new edge; with an empty one, too, which is reported. A
   * file that cannot be understood is set aside and reported (left where it is when nothing is to be written), and the
   * edge starts anew. Throws the system's error where the file may be read later.
   */
  async read(edge: string, now: number): Promise<Stored> {
    const path = this.path(edge);
    const identity = await identityOf(path);
    const known = this.known.get(edge);
    if (known !== undefined && sameFile(known.identity, identity))
      return { record: known.record ?? NEW_EDGE, faults: [] };
    if (identity === null) return this.remember(edge, null, NEW_EDGE);

    const parsed = await readRecord(path);
    if (parsed.ok) {
      // There is nothing to set aside, but what was there, an operator's mode perhaps, is gone.
      const lost =
        identity.size === 0n ? [fileFault('edge-store-invalid', path, 'is empty; the edge starts anew')] : [];
      return { ...this.remember(edge, identity, parsed.record), faults: lost };
    }

    const fault = (code: StoreCode, end: string) => [fileFault(code, path, `${parsed.problem}${end}`)];
    if (this.locks === null) return { record: NEW_EDGE, faults: fault('edge-store-invalid', '') };
    const aside = await setAside(path, now).catch(() => null);
    // As long as it lies there, it is remembered as what it is, and not written over.
    if (aside === null) {
      return { ...this.remember(edge, identity, null), faults: fault('edge-store-stuck', '; it cannot be set aside') };
    }
    const end = `; it is now ${aside}, and the edge starts anew`;
    return { ...this.remember(edge, null, NEW_EDGE), faults: fault('edge-store-invalid', end) };
  }

  /**
   * Applies `change` to the record and writes it, if it is another one then. Changes of one edge wait for each other.
   * What cannot be written is reported; the change then lives in memory only, until the file changes.
   */
  update(edge: string, now: number, change: (record: EdgeRecord) => EdgeRecord): Promise<Stored> {
    let turns = this.turns.get(edge);
    if (turns === undefined) {
      turns = new Turns();
      this.turns.set(edge, turns);
    }
    return turns.take(() => this.updateNow(edge, now, change));
  }

  /** `update` for a dry run: the change lives in memory only, until the file changes. */
  async suppose(edge: string, now: number, change: (record: EdgeRecord) => EdgeRecord): Promise<Stored> {
    const { record: old, faults } = await this.read(edge, now);
    const record = change(old);
    this.known.set(edge, { identity: this.known.get(edge)?.identity ?? null, record });
    return { record, faults };
  }

  /** Makes everything written so far survive a loss of power. */
  async sync(): Promise<void> {
    await fsyncFolder(this.folder);
  }

  private async updateNow(edge: string, now: number, change: (record: EdgeRecord) => EdgeRecord): Promise<Stored> {
    const path = this.path(edge);
    if (!(await this.lock(edge))) {
      const { record, faults } = await this.read(edge, now);
      const busy = fileFault('edge-store-busy', path, `locked by another process for ${BUSY_MS / 1000} s; not written`);
      return { record, faults: [...faults, busy] };
    }
    try {
      const { record: old, faults } = await this.read(edge, now);
      const record = change(old);
      if (record === old || this.known.get(edge)?.record === null) return { record, faults };
      const fault = await this.write(edge, record);
      return { record, faults: fault === null ? faults : [...faults, fault] };
    } finally {
      this.locks?.unlock('edge', edge);
    }
  }

  private async write(edge: string, record: EdgeRecord): Promise<StoreFault | null> {
    const path = this.path(edge);
    try {
      await writeAtomic(path, printEdgeRecord(record), { syncFolder: false });
      this.remember(edge, await identityOf(path), record);
      return null;
    } catch (error) {
      this.remember(edge, await identityOf(path), record);
      return fileFault('edge-store-write', path, `cannot be written (${systemCode(error)})`);
    }
  }

  private async lock(edge: string): Promise<boolean> {
    if (this.locks === null) return true;
    for (let waited = 0; waited < BUSY_MS; waited += BUSY_STEP_MS) {
      if (this.locks.tryLock('edge', edge)) return true;
      await new Promise((resolve) => setTimeout(resolve, BUSY_STEP_MS));
    }
    return false;
  }

  private remember(edge: string, identity: Identity | null, record: EdgeRecord | null): Stored {
    this.known.set(edge, { identity, record });
    return { record: record ?? NEW_EDGE, faults: [] };
  }
}

async function readRecord(path: string): Promise<ParsedRecord> {
  const read = await readFile(path, FILE_MAX.state);
  if (read.ok) return parseEdgeRecord(read.octets.toString('utf8'));
  if (!isUnreadable(read.code)) throw fileError(path, read);
  return { ok: false, problem: `cannot be read (${read.message})` };
}

async function identityOf(path: string): Promise<Identity | null> {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true });
    return { ino, size, mtimeNs };
  } catch {
    return null;
  }
}

function sameFile(a: Identity | null, b: Identity | null): boolean {
  if (a === null || b === null) return a === b;
  return a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs;
}

function fileFault(code: StoreCode, file: string, message: string): StoreFault {
  return { severity: 'error', code, at: { file, line: 1, col: 1, text: '' }, message };
}
