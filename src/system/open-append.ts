/** Opens what is only ever appended to: logs and lock files. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { ioProblem } from './io-problem.ts';
import { makeFolderNow } from './make-folder.ts';

export type Opened =
  | { readonly ok: true; readonly fd: number }
  /** `code`: the system's. `message`: in words, without the file's name. */
  | { readonly ok: false; readonly code: string; readonly message: string };

const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * Opens a file for appending, and makes it where it is not there; never waits and never throws. A pipe that nobody
 * reads is refused. What is no regular file (a terminal, `/dev/stdout`, a pipe with a reader) stays non-blocking: a
 * write to it can fail with `EAGAIN`, and what it was to write is best dropped.
 */
export function openForAppend(
  path: string,
  { mode = 0o644, folder = false }: { readonly mode?: number; readonly folder?: boolean } = {},
): Opened {
  try {
    if (folder) makeFolderNow(dirname(path));
    return { ok: true, fd: openSync(path, FLAGS, mode) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const message = code === 'ENXIO' ? 'is a pipe that nobody reads, a socket or a device' : ioProblem(error);
    return { ok: false, code, message };
  }
}

/** `openForAppend` for files that must be regular ones: nothing else keeps what was written. */
export function openFileForAppend(path: string, options: { readonly mode?: number } = {}): Opened {
  const opened = openForAppend(path, options);
  if (!opened.ok || fstatSync(opened.fd).isFile()) return opened;
  closeSync(opened.fd);
  return { ok: false, code: 'not-a-file', message: 'is a pipe or a device, not a regular file' };
}
