import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fsyncFolder, writeAtomic } from '../../system/atomic-write.ts';
import { systemCode } from '../../system/error-text.ts';
import type { Fault } from '../../system/fault.ts';
import { droppedText } from '../../system/json-parts.ts';
import type { Locks } from '../../system/lock.ts';
import { FILE_MAX, fileError, readFile } from '../../system/read-file.ts';
import { isUnreadable, keepCopy, setAside } from '../../system/set-aside.ts';
import { Turns } from '../../system/turns.ts';
import { Slice } from '../../system/yielding.ts';
import { type EdgeRecord, NEW_EDGE } from './edge-store.ts';
import { type ParsedRecord, parseEdgeRecord, printEdgeRecord } from './edge-store-text.ts';

/** `stuck`: could not be understood, at least not wholly, and not be kept elsewhere either. */
export type StoreCode = 'edge-store-invalid' | 'edge-store-stuck' | 'edge-store-busy' | 'edge-store-write';
export type StoreFault = Fault<StoreCode>;

/** How long to wait for another process that writes the same edge's record: it needs milliseconds. */
const BUSY_MS = 5000;
const BUSY_STEP_MS = 3;

/** Grows by a line after each change of a mode by `edge_conf` in any process (modes/mode-changes.ts). */
export function modeChangesFile(folder: string): string {
  return join(folder, '.mode-changes');
}

/** What a file was when it was last read or written; another one under its name differs in at least one of these. */
type Identity = { readonly ino: bigint; readonly size: bigint; readonly mtimeNs: bigint };
/** `isStuck`: writing it anew would lose what could not be read. */
type Known = { readonly identity: Identity | null; readonly record: EdgeRecord; readonly isStuck: boolean };
type Change = (record: EdgeRecord) => EdgeRecord;
/** Changes that the file does not have yet. `base`: the file's record, `record`: that one with all of them. */
type Unwritten = { readonly base: EdgeRecord; readonly record: EdgeRecord; readonly changes: readonly Noted[] };
/** One call of `note`: the same function may be noted twice. */
type Noted = { readonly apply: Change };

export type Stored = { readonly record: EdgeRecord; readonly faults: readonly StoreFault[] };

/** Unwritten changes kept of an edge whose file cannot be written; older ones are lost once another process writes it. */
const UNWRITTEN_MAX = 64;

/**
 * The health records of a folder. Several processes may change the same edge's file (rounds of two networks,
 * `edge_conf`), so a change is a function: it is applied at once to the record in memory (`note`), and once more,
 * under the edge's lock, to whatever the file says by the time it is written (`write`) if that is another record then.
 * So no change of another process is lost, and what is read is the file as it is, with our unwritten changes.
 */
export class EdgeStores {
  readonly folder: string;
  private readonly locks: Locks | null;
  private readonly known = new Map<string, Known>();
  private readonly unwritten = new Map<string, Unwritten>();
  private readonly turns = new Map<string, Turns>();
  /** When each edge's file was last seen to be the one known, by `performance.now()`; since `modeChanges` was that file. */
  private lookedAt = new Map<string, number>();
  private modeChanges: Identity | null = null;
  /** Edges whose file is being written, or waited for. */
  private readonly writing = new Set<string>();

  /** `locks` null: nothing will be written (a dry run, a query). */
  constructor(folder: string, locks: Locks | null) {
    this.folder = folder;
    this.locks = locks;
  }

  path(edge: string): string {
    return join(this.folder, `${edge}.edgestore`);
  }

  /**
   * The edge's record as its file has it now, with the changes that are not written yet; without a file, a new edge;
   * with an empty one, too, which is reported. A file that cannot be understood is set aside and reported (left where it
   * is when nothing is to be written), and the edge starts anew; of one with parts that make no sense those are left
   * out and reported, and a copy is kept. Waits for a write of the edge that is under way. Throws the system's error
   * where the file may be read later.
   */
  read(edge: string, now: number): Promise<Stored> {
    return this.turnsOf(edge).take(() => this.readNow(edge, now));
  }

  /**
   * Those of these edges whose record must be read: `present` is what the others' files have. Edges that are being
   * written are no part of it, as nobody should wait for that. A file that was looked at within `maxAgeMs` is taken to be
   * the same, unless an operator has changed a mode since. Looks at files synchronously, at thousands in some
   * milliseconds, once the folder has answered: a disk that hangs must not hold the thread.
   */
  async outdated(edges: readonly string[], maxAgeMs = 0): Promise<readonly string[]> {
    const modeChanges = await identityOf(modeChangesFile(this.folder));
    if (!sameFile(modeChanges, this.modeChanges)) this.lookedAt = new Map();
    this.modeChanges = modeChanges;
    const slice = new Slice();
    const outdated: string[] = [];
    for (const edge of edges) {
      const known = this.known.get(edge);
      const now = performance.now();
      if (known !== undefined && now - (this.lookedAt.get(edge) ?? -Infinity) < maxAgeMs) continue;
      await slice.rest();
      if (this.writing.has(edge)) continue;
      if (known === undefined || !sameFile(known.identity, identityNow(this.path(edge)))) outdated.push(edge);
      else this.lookedAt.set(edge, now);
    }
    return outdated;
  }

  /** The record as it was when its file was last looked at, with the changes since; a new edge's before the first time. */
  present(edge: string): EdgeRecord {
    return this.unwritten.get(edge)?.record ?? this.known.get(edge)?.record ?? NEW_EDGE;
  }

  /**
   * Applies a change in memory; `write` makes it durable. `quick`: what the change is known to make of one record.
   * Returns the record after it.
   */
  note(
    edge: string,
    change: Change,
    quick: { readonly from: EdgeRecord; readonly to: EdgeRecord } | null = null,
  ): EdgeRecord {
    const old = this.present(edge);
    const record = quick !== null && quick.from === old ? quick.to : change(old);
    const known = this.known.get(edge);
    // A file that could not be kept elsewhere is not written over, and the edge stays as it was read.
    if (record === old || known?.isStuck === true) return record;
    const { base, changes } = this.unwritten.get(edge) ?? { base: old, changes: [] };
    this.unwritten.set(edge, { base, record, changes: [...changes.slice(1 - UNWRITTEN_MAX), { apply: change }] });
    return record;
  }

  /** Writes the edge's unwritten changes, if there are any. What cannot be written stays, and is a fault. */
  write(edge: string, now: number): Promise<readonly StoreFault[]> {
    return this.turnsOf(edge).take(async () => {
      if (!this.unwritten.has(edge)) return [];
      this.writing.add(edge);
      try {
        return (await this.locked(edge, () => this.writeNow(edge, now))) ?? [this.busy(edge)];
      } finally {
        this.writing.delete(edge);
      }
    });
  }

  /** Applies `change` to the record as the file has it and writes it at once, if it is another one then. */
  update(edge: string, now: number, change: Change): Promise<Stored> {
    return this.turnsOf(edge).take(async () => {
      const done = await this.locked(edge, async () => {
        const { faults } = await this.readNow(edge, now);
        const record = this.note(edge, change);
        return { record, faults: [...faults, ...(await this.writeNow(edge, now))] };
      });
      if (done !== null) return done;
      const { record, faults } = await this.readNow(edge, now);
      return { record, faults: [...faults, this.busy(edge)] };
    });
  }

  /** Makes everything written so far survive a loss of power. */
  async sync(): Promise<void> {
    await fsyncFolder(this.folder);
  }

  private async readNow(edge: string, now: number): Promise<Stored> {
    const path = this.path(edge);
    // Looks that a change of a mode makes void while this one is under way include it.
    const { lookedAt } = this;
    const startedAt = performance.now();
    const identity = await identityOf(path);
    const known = this.known.get(edge);
    const isSame = known !== undefined && sameFile(known.identity, identity);
    const parsed = isSame || identity === null ? null : await readRecord(path);
    lookedAt.set(edge, startedAt);
    if (isSame) return { record: this.present(edge), faults: [] };
    if (identity === null || parsed === null) return this.remember(edge, null, NEW_EDGE);

    const fault = (code: StoreCode, message: string) => [fileFault(code, path, message)];
    if (parsed.ok) {
      const dropped = droppedText(parsed.dropped);
      if (dropped !== null) {
        const problem = `what makes no sense is left out (${dropped})`;
        if (this.locks === null) {
          return { ...this.remember(edge, identity, parsed.record), faults: fault('edge-store-invalid', problem) };
        }
        const copy = await keepCopy(path, now).catch(() => null);
        const stuck = fault('edge-store-stuck', `${problem}; no copy can be kept, so it is not written any more`);
        if (copy === null) return { ...this.remember(edge, identity, parsed.record, true), faults: stuck };
        const faults = fault('edge-store-invalid', `${problem}; the file as it was is kept as ${copy}`);
        return { ...this.remember(edge, identity, parsed.record), faults };
      }
      // There is nothing to set aside, but what was there, an operator's mode perhaps, is gone.
      const lost = identity.size === 0n ? fault('edge-store-invalid', 'is empty; the edge starts anew') : [];
      return { ...this.remember(edge, identity, parsed.record), faults: lost };
    }

    const { problem } = parsed;
    if (this.locks === null) {
      return { ...this.remember(edge, identity, NEW_EDGE), faults: fault('edge-store-invalid', problem) };
    }
    const aside = await setAside(path, now).catch(() => null);
    // As long as it lies there, it is remembered as what it is, and not written over.
    if (aside === null) {
      const faults = fault('edge-store-stuck', `${problem}; it cannot be set aside`);
      return { ...this.remember(edge, identity, NEW_EDGE, true), faults };
    }
    const faults = fault('edge-store-invalid', `${problem}; it is now ${aside}, and the edge starts anew`);
    return { ...this.remember(edge, null, NEW_EDGE), faults };
  }

  /** Under the edge's lock: what the file has by now, with all changes that are not in it. */
  private async writeNow(edge: string, now: number): Promise<readonly StoreFault[]> {
    const { faults } = await this.readNow(edge, now);
    const writing = this.unwritten.get(edge);
    if (writing === undefined) return faults;
    const path = this.path(edge);
    try {
      if (writing.record !== writing.base) {
        await writeAtomic(path, printEdgeRecord(writing.record), { syncFolder: false });
      }
    } catch (error) {
      return [...faults, fileFault('edge-store-write', path, `cannot be written (${systemCode(error)})`)];
    }
    const { lookedAt } = this;
    const writtenAt = performance.now();
    this.known.set(edge, { identity: await identityOf(path), record: writing.record, isStuck: false });
    lookedAt.set(edge, writtenAt);
    const newest = this.unwritten.get(edge);
    // Noted while the file was written.
    const changes = newest?.changes.filter((noted) => !writing.changes.includes(noted)) ?? [];
    if (newest === undefined || changes.length === 0) this.unwritten.delete(edge);
    else this.unwritten.set(edge, { base: writing.record, record: newest.record, changes });
    return faults;
  }

  /** The file has another record than before: ours is that one with the changes that are not written. */
  private remember(edge: string, identity: Identity | null, record: EdgeRecord, isStuck = false): Stored {
    this.known.set(edge, { identity, record, isStuck });
    const waiting = this.unwritten.get(edge);
    if (isStuck) this.unwritten.delete(edge);
    else if (waiting !== undefined && waiting.base !== record) {
      const changed = waiting.changes.reduce((old, { apply }) => apply(old), record);
      this.unwritten.set(edge, { ...waiting, base: record, record: changed });
    }
    return { record: this.present(edge), faults: [] };
  }

  private turnsOf(edge: string): Turns {
    const turns = this.turns.get(edge) ?? new Turns();
    this.turns.set(edge, turns);
    return turns;
  }

  /** Does the work under the edge's lock; null: another process has it for longer than it may need. */
  private async locked<T>(edge: string, work: () => Promise<T>): Promise<T | null> {
    if (!(await this.lock(edge))) return null;
    try {
      return await work();
    } finally {
      this.locks?.unlock('edge', edge);
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

  private busy(edge: string): StoreFault {
    const message = `locked by another process for ${BUSY_MS / 1000} s; not written`;
    return fileFault('edge-store-busy', this.path(edge), message);
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

function identityNow(path: string): Identity | null {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false }) ?? null;
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
