/**
 * How a running server learns of an operator's change at once: from a file in `healthdata_store` that grows by one line
 * a change, and so is the audit log of who changed what as well. The change itself is in the edge's health record by
 * then, so a line that goes unseen loses nothing: the next round reads the records anyway.
 */
import { closeSync, unwatchFile, watchFile, writeSync } from 'node:fs';
import { rename, stat } from 'node:fs/promises';
import { z } from 'zod';
import { systemCode } from '../../system/error-text.ts';
import { jsonOf } from '../../system/json-object.ts';
import { openFileForAppend } from '../../system/open-append.ts';
import { FILE_MAX, fileError, readFile } from '../../system/read-file.ts';
import type { Mode } from '../judge/edge.ts';
import { MODES } from '../state/edge-store.ts';
import { modeChangesFile } from '../state/edge-store-files.ts';

const FILE_MAX_OCTETS = 1_000_000; // octets; then it is renamed to `.mode-changes.old`
/** A stat each quarter of a second works on every file system, mounted and overlaid ones included. */
const LOOK_MS = 250;

export type ModeChangeLine = {
  readonly at: number;
  readonly network: string;
  readonly edge: string;
  readonly mode: Mode;
  readonly until: number | null;
  readonly comment: string;
  /** Who set it; null: not known, as in lines of before 2026-11-29. */
  readonly by: string | null;
};

const LINE: z.ZodType<ModeChangeLine> = z.object({
  at: z.number(),
  network: z.string(),
  edge: z.string(),
  mode: z.enum(MODES),
  until: z.number().nullable(),
  comment: z.string(),
  by: z.string().nullable().default(null),
});

/** Appends the change to the file of a `healthdata_store`. Throws the system's error. */
export async function appendModeChange(folder: string, change: ModeChangeLine): Promise<void> {
  const file = modeChangesFile(folder);
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size > FILE_MAX_OCTETS) {
    await rename(file, `${file}.old`).catch((error: unknown) => {
      if (systemCode(error) !== 'ENOENT') throw error; // another change put it aside just now
    });
  }
  const opened = openFileForAppend(file);
  if (!opened.ok) throw fileError(file, opened);
  try {
    writeSync(opened.fd, `${JSON.stringify(change)}\n`);
  } finally {
    closeSync(opened.fd);
  }
}

/**
 * The changes of one edge's mode that the files of a `healthdata_store` remember, oldest first, `most` at most. None
 * where there are no such files; lines that are torn are left out. Rejects with the system's error.
 */
export async function readModeChanges(folder: string, edge: string, most: number): Promise<readonly ModeChangeLine[]> {
  const file = modeChangesFile(folder);
  const found: ModeChangeLine[] = [];
  const mark = JSON.stringify(edge);
  for (const path of [`${file}.old`, file]) {
    const read = await readFile(path, FILE_MAX.state);
    if (!read.ok) {
      if (read.code === 'ENOENT') continue;
      throw fileError(path, read);
    }
    for (const line of read.octets.toString('utf8').split('\n')) {
      if (!line.includes(mark)) continue;
      const change = LINE.safeParse(jsonOf(line));
      if (change.success && change.data.edge === edge) found.push(change.data);
    }
  }
  return found.slice(-most);
}

/** Calls `onChange` within half a second of each change in the folder until the returned function is called. */
export function watchModeChanges(folder: string, onChange: () => void): () => void {
  const file = modeChangesFile(folder);
  const listener = (now: { size: number; ino: number; mtimeMs: number }, before: typeof now) => {
    const changed = now.size !== before.size || now.ino !== before.ino || now.mtimeMs !== before.mtimeMs;
    if (changed) onChange();
  };
  watchFile(file, { interval: LOOK_MS, persistent: false }, listener);
  return () => unwatchFile(file, listener);
}
