/**
 * The file that every edge's object is compared with. Without a whole one no edge can be judged, so there is no round.
 */
import { stat } from 'node:fs/promises';
import type { Fault, Span } from '../../system/fault.ts';
import { certificateFault } from '../../system/pem.ts';
import { FILE_MAX, readFile } from '../../system/read-file.ts';

/** `object`: its octets. `ca`: PEM of the authorities that `verify` names; null: it names none. `why`: a clause. */
export type Reference =
  | { readonly ok: true; readonly object: Buffer; readonly ca: string | null }
  | { readonly ok: false; readonly at: Span; readonly why: string };

export type ReferenceFiles = {
  readonly local: string;
  readonly ca: string | null;
  /** `probe.max_object_bytes`: of a larger one no edge's would be read to its end. */
  readonly maxBytes: number;
};

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
  private last: { readonly local: string; readonly object: Buffer } | null = null;

  constructor(clock: ReferenceClock = CLOCK) {
    this.clock = clock;
  }

  async read(files: ReferenceFiles): Promise<Reference> {
    const { local, ca } = files;
    const failed = (why: string): Reference => ({ ok: false, at: startOf(local), why });
    const last = this.last?.local === local ? this.last.object : null;
    const quietMs = last === null ? QUIET_FIRST_MS : QUIET_MS;
    const beganAt = this.clock.now();
    let object: Buffer;
    for (;;) {
      const most = Math.min(files.maxBytes, FILE_MAX.zone);
      const read = await readFile(local, most);
      if (!read.ok) return failed(`testobject.local cannot be used: it ${phrase(read.message)}`);
      const age = this.clock.now() - read.stats.mtimeMs;
      // What is the same as before needs no waiting; a time in the future says nothing.
      const isQuiet = age < 0 || age >= quietMs || last?.equals(read.octets) === true;
      if (isQuiet && (await isUnchanged(local, read.stats, read.octets.length))) {
        object = read.octets;
        break;
      }
      if (this.clock.now() - beganAt > PATIENCE_MS) return failed('testobject.local is still being written');
      await this.clock.pause(STEP_MS);
    }
    // Whatever answers with nothing would pass, and the good ones would not.
    if (object.length === 0) return failed('testobject.local is empty');
    this.last = { local, object };
    if (ca === null) return { ok: true, object, ca: null };
    const authorities = await readFile(ca, FILE_MAX.config);
    if (!authorities.ok) {
      return { ok: false, at: startOf(ca), why: `testobject.verify cannot be used: it ${phrase(authorities.message)}` };
    }
    const pem = authorities.octets.toString('utf8');
    const fault = certificateFault(pem);
    if (fault !== null) {
      const { line, col, message } = fault;
      return { ok: false, at: { ...startOf(ca), line, col }, why: `testobject.verify cannot be used: ${message}` };
    }
    return { ok: true, object, ca: pem };
  }
}

/** Why there can be no round, in words and with the place. */
export function referenceFault({ at, why }: Extract<Reference, { readonly ok: false }>): Fault<'test-object'> {
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
