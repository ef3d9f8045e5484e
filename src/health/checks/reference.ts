/**
 * The file that every edge's object is compared with. Without a whole one no edge can be judged, so there is no round.
 */
import { stat } from 'node:fs/promises';
import type { Fault, Span } from '../../system/fault.ts';
import { certificateFault } from '../../system/pem.ts';
import { FILE_MAX, readFile } from '../../system/read-file.ts';

/** Files that the checks of a network need, each with the key that names it. Octets. */
export type NeededFiles = {
  readonly objects: ReadonlyMap<string, string>;
  readonly authorities: ReadonlyMap<string, string>;
  /** `probe.max_object_bytes`: of a larger object no edge's would be read to its end. */
  readonly maxBytes: number;
};

/** What they hold, by path: octets, and certificates in PEM. */
export type PlanFiles = {
  readonly objects: ReadonlyMap<string, Uint8Array>;
  readonly authorities: ReadonlyMap<string, string>;
};

/** `why`: a clause. */
export type Unreadable = { readonly ok: false; readonly at: Span; readonly why: string };

export type ReadFiles = { readonly ok: true; readonly files: PlanFiles } | Unreadable;

export type ReferenceClock = {
  /** Epoch milliseconds, as files have them. */
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
};

/**
 * A file that was written to this recently may be half of one. Of the first there is, less is waited, or starts are
 * late.
 */
const QUIET_MS = 2000;
const QUIET_FIRST_MS = 1000;
/** A file that is written to for longer is none. */
const PATIENCE_MS = 6000;
const STEP_MS = 200;

const CLOCK: ReferenceClock = { now: Date.now, pause: (ms) => new Promise((done) => setTimeout(done, ms)) };

/** Reads the reference anew for each round, and waits while somebody writes it. */
export class ReferenceReader {
  private readonly clock: ReferenceClock;
  /** By path; of the last reading alone. */
  private last: ReadonlyMap<string, Buffer> = new Map();

  constructor(clock: ReferenceClock = CLOCK) {
    this.clock = clock;
  }

  /** Reads everything, or says why the first that cannot be read cannot. */
  async readAll(needed: NeededFiles): Promise<ReadFiles> {
    const objects = new Map<string, Buffer>();
    for (const [file, key] of needed.objects) {
      const object = await this.readObject(file, key, needed.maxBytes);
      if (!Buffer.isBuffer(object)) return object;
      objects.set(file, object);
    }
    this.last = objects;
    const authorities = new Map<string, string>();
    for (const [file, key] of needed.authorities) {
      const pem = await readAuthorities(file, key);
      if (typeof pem !== 'string') return pem;
      authorities.set(file, pem);
    }
    return { ok: true, files: { objects, authorities } };
  }

  private async readObject(file: string, key: string, maxBytes: number): Promise<Buffer | Unreadable> {
    const failed = (why: string): Unreadable => ({ ok: false, at: startOf(file), why });
    const last = this.last.get(file);
    const quietMs = last === undefined ? QUIET_FIRST_MS : QUIET_MS;
    const beganAt = this.clock.now();
    for (;;) {
      const read = await readFile(file, Math.min(maxBytes, FILE_MAX.zone));
      if (!read.ok) return failed(`${key} cannot be used: it ${phrase(read.message)}`);
      const age = this.clock.now() - read.stats.mtimeMs;
      // What is the same as before needs no waiting; a time in the future says nothing.
      const isQuiet = age < 0 || age >= quietMs || last?.equals(read.octets) === true;
      if (isQuiet && (await isUnchanged(file, read.stats, read.octets.length))) {
        // Whatever answers with nothing would pass, and the good ones would not.
        return read.octets.length === 0 ? failed(`${key} is empty`) : read.octets;
      }
      if (this.clock.now() - beganAt > PATIENCE_MS) return failed(`${key} is still being written`);
      await this.clock.pause(STEP_MS);
    }
  }
}

async function readAuthorities(file: string, key: string): Promise<string | Unreadable> {
  const read = await readFile(file, FILE_MAX.config);
  if (!read.ok) return { ok: false, at: startOf(file), why: `${key} cannot be used: it ${phrase(read.message)}` };
  const pem = read.octets.toString('utf8');
  const fault = certificateFault(pem);
  if (fault === null) return pem;
  const { line, col, message } = fault;
  return { ok: false, at: { ...startOf(file), line, col }, why: `${key} cannot be used: ${message}` };
}

/** Why there can be no round, in words and with the place. */
export function referenceFault({ at, why }: Unreadable): Fault<'test-object'> {
  return { severity: 'error', code: 'test-object', at, message: `${why}, so no edge can be judged` };
}

function startOf(file: string): Span {
  return { file, line: 1, col: 1, text: '' };
}

type Stamp = { readonly ino: number; readonly size: number; readonly mtimeMs: number };

/** Whether the file is the one that was read, and nobody wrote to it meanwhile. */
async function isUnchanged(file: string, before: Stamp, octets: number): Promise<boolean> {
  try {
    const now = await stat(file);
    const isSame = now.ino === before.ino && now.size === before.size && now.mtimeMs === before.mtimeMs;
    return isSame && (now.size === octets || now.size === 0); // files of /proc have no size
  } catch {
    return false;
  }
}

function phrase(message: string): string {
  return message.startsWith('is ') ? message : `cannot be read (${message})`;
}
