/**
 * An operator's way out: while the override is in force, this vantage decides alone from its own view. It is a file in the
 * state folder, so that it needs neither etcd nor a running server, and outlives a restart.
 */
import { unwatchFile, watchFile } from 'node:fs';
import { stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { fsyncFolder, writeAtomic } from '../system/atomic-write.ts';
import { errorText, systemCode } from '../system/error-text.ts';
import { readFileNow } from '../system/read-file.ts';

/** `by`: the user who did it. `at`, `until`: epoch seconds by this machine's clock; `until` null: until it is ended. */
export type Override = {
  readonly reason: string;
  readonly by: string;
  readonly at: number;
  readonly until: number | null;
};

export const OVERRIDE_REASON_MAX = 500; // characters
const NAME_MAX = 255; // characters
const FILE_MAX_OCTETS = 16_384;
/** A stat each quarter of a second works on every file system, mounted and overlaid ones included. */
const LOOK_MS = 250;

const MOMENT = z.number().min(0).max(1e12);
const FILE = z.object({
  v: z.literal(1),
  reason: z.string().min(1).max(OVERRIDE_REASON_MAX),
  by: z.string().max(NAME_MAX),
  at: MOMENT,
  until: MOMENT.nullable(),
});

export function overrideFile(stateDir: string): string {
  return join(stateDir, 'edgewise-override.json');
}

/** `problem`: why the file that is there is not obeyed, a sentence. Both null: there is none. */
export type OverrideRead = { readonly override: Override | null; readonly problem: string | null };

/** Whether it is over is for the caller to see (`isInForce`). Never throws. */
export function readOverride(stateDir: string): OverrideRead {
  const file = overrideFile(stateDir);
  const ignored = (why: string): OverrideRead => ({
    override: null,
    problem: `${file}: ${why}; no override is in force`,
  });
  const read = readFileNow(file, FILE_MAX_OCTETS);
  if (!read.ok) return read.code === 'ENOENT' ? { override: null, problem: null } : ignored(read.message);
  try {
    const { reason, by, at, until } = FILE.parse(JSON.parse(read.octets.toString('utf8')));
    return { override: { reason, by, at, until }, problem: null };
  } catch {
    return ignored('is not what "edgewise cluster override" writes');
  }
}

export function isInForce({ until }: Override, now: number): boolean {
  return until === null || now < until;
}

/** Throws the system's error, naming the file. */
export async function writeOverride(stateDir: string, { reason, by, at, until }: Override): Promise<void> {
  const file = overrideFile(stateDir);
  const text = `${JSON.stringify({ v: 1, reason, by, at, until })}\n`;
  // Set by root, read by the user that the server runs as: the folder is that user's.
  const { uid, gid } = await stat(stateDir);
  await writeAtomic(file, text, { mode: 0o600, newOwner: { uid, gid } });
}

/** Whether there was one. Throws the system's error. */
export async function removeOverride(stateDir: string): Promise<boolean> {
  const file = overrideFile(stateDir);
  try {
    await unlink(file);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw new Error(`${file}: cannot be removed: ${errorText(error)}`);
  }
  await fsyncFolder(dirname(file));
  return true;
}

/** Calls `onChange` within half a second of each change of the file until the returned function is called. */
export function watchOverride(stateDir: string, onChange: () => void): () => void {
  const file = overrideFile(stateDir);
  const listener = (now: { size: number; ino: number; ctimeMs: number }, before: typeof now): void => {
    if (now.size !== before.size || now.ino !== before.ino || now.ctimeMs !== before.ctimeMs) onChange();
  };
  watchFile(file, { interval: LOOK_MS, persistent: false }, listener);
  return () => unwatchFile(file, listener);
}
