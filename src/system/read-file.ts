/**
 * The only way to read a file that an operator named or can replace. A pipe, a socket or a device in a file's place
 * could keep the reader waiting, or read on without end, so only regular files are read; they are opened without
 * blocking, and no more of them is read than the caller allows.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { ioProblem } from './io-problem.ts';

/** Why a file was not read. `code`: the system's (`ENOENT`), or one of ours. */
export type ReadFailure = {
  readonly ok: false;
  readonly code: string;
  /** In words: "no such file". Does not name the file. */
  readonly message: string;
};

/** `stats`: of the open file, taken before its first octet was read. */
export type FileRead = { readonly ok: true; readonly octets: Buffer; readonly stats: Stats } | ReadFailure;

/** Something that is neither a regular file nor a folder. */
export const NOT_A_FILE = 'not-a-file';
/** Longer than the caller allows. */
export const TOO_LARGE = 'too-large';

const MIB = 2 ** 20;

/** Octets that files of each kind may have: far above what is sensible, far below what would hurt. */
export const FILE_MAX = {
  /** YAML, edge lists, canary files: ten thousand zones make one. */
  config: 16 * MIB,
  /** Keys and certificates. */
  secret: MIB,
  /** State of one edge or network, and short lists. */
  state: 64 * MIB,
  /** One line for each of a million zones. */
  zones: 256 * MIB,
  /** Recorded rounds; the log is turned over at a quarter of it. */
  log: 256 * MIB,
  /** A zone's text, or its content. */
  zone: 2048 * MIB - 1,
} as const;

const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * All of a regular file of at most `maxOctets`; for small files, where nothing else may happen meanwhile. Never throws.
 */
export function readFileNow(path: string, maxOctets: number): FileRead {
  try {
    // Looked at by name first: opening a device can do something.
    const refused = refusalOf(statSync(path), maxOctets);
    if (refused !== null) return refused;
    const fd = openSync(path, FLAGS);
    try {
      const stats = fstatSync(fd);
      const octets = refusalOf(stats, maxOctets) ?? readOpen(fd, stats.size, maxOctets);
      return 'ok' in octets ? octets : { ok: true, octets, stats };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    return failureOf(error);
  }
}

/** `readFileNow` without holding up the thread. */
export async function readFile(path: string, maxOctets: number): Promise<FileRead> {
  try {
    const refused = refusalOf(await stat(path), maxOctets);
    if (refused !== null) return refused;
    const file = await open(path, FLAGS);
    try {
      const stats = await file.stat();
      const octets = refusalOf(stats, maxOctets) ?? (await readHandle(file, stats.size, maxOctets));
      return 'ok' in octets ? octets : { ok: true, octets, stats };
    } finally {
      await file.close();
    }
  } catch (error) {
    return failureOf(error);
  }
}

/** A descriptor that the shell gave this process, as `<(command)` and `-f /dev/stdin` name it. */
const OWN_DESCRIPTOR = /^\/(?:dev\/(?:stdin|fd\/\d+)|proc\/self\/fd\/\d+)$/;
/** How long such a pipe may stay silent. */
const PIPE_WAIT_MS = 5000;
const PIPE_STEP_MS = 5;

/**
 * As `readFileNow`, for what a command's arguments name: a pipe that the shell handed over is read to its end, unless
 * it is silent for five seconds. A named pipe in the file system is refused like anywhere.
 */
export function readInput(path: string, maxOctets: number): FileRead {
  if (!OWN_DESCRIPTOR.test(path)) return readFileNow(path, maxOctets);
  try {
    const fd = openSync(path, FLAGS);
    try {
      const stats = fstatSync(fd);
      if (!stats.isFIFO()) return readFileNow(path, maxOctets);
      const octets = readPipe(fd, maxOctets);
      return 'ok' in octets ? octets : { ok: true, octets, stats };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    return failureOf(error);
  }
}

/** Null: it may be read. */
export function refusalOf(stats: Stats, maxOctets: number): ReadFailure | null {
  if (stats.isDirectory()) return { ok: false, code: 'EISDIR', message: 'is a folder, not a file' };
  if (!stats.isFile()) return { ok: false, code: NOT_A_FILE, message: `is ${kindOf(stats)}, not a regular file` };
  return stats.size > maxOctets ? tooLarge(maxOctets) : null;
}

/**
 * All of an open regular file that is about `size` octets long (files of /proc say 0), or that it is too large. Its
 * size is not asked for again, as `readFileSync` would: of ten thousand small files that is a tenth of the time.
 */
export function readOpen(fd: number, size: number, maxOctets: number): Buffer | ReadFailure {
  let octets = Buffer.allocUnsafe(size + 1); // one more than there should be: a short read then means the end
  let used = 0;
  for (;;) {
    const count = readSync(fd, octets, used, octets.length - used, null);
    used += count;
    if (used > maxOctets) return tooLarge(maxOctets);
    if (count === 0 || (used === size && size > 0)) return octets.subarray(0, used);
    if (used === octets.length) octets = grown(octets, maxOctets);
  }
}

async function readHandle(file: FileHandle, size: number, maxOctets: number): Promise<Buffer | ReadFailure> {
  let octets = Buffer.allocUnsafe(size + 1);
  let used = 0;
  for (;;) {
    const { bytesRead } = await file.read(octets, used, octets.length - used, null);
    used += bytesRead;
    if (used > maxOctets) return tooLarge(maxOctets);
    if (bytesRead === 0) return octets.subarray(0, used);
    if (used === octets.length) octets = grown(octets, maxOctets);
  }
}

function readPipe(fd: number, maxOctets: number): Buffer | ReadFailure {
  let octets = Buffer.allocUnsafe(65536);
  let used = 0;
  let silentMs = 0;
  for (;;) {
    let count: number;
    try {
      count = readSync(fd, octets, used, octets.length - used, null);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      if (silentMs >= PIPE_WAIT_MS) {
        const message = `is a pipe that nothing was written to for ${PIPE_WAIT_MS / 1000} seconds`;
        return { ok: false, code: NOT_A_FILE, message };
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PIPE_STEP_MS);
      silentMs += PIPE_STEP_MS;
      continue;
    }
    silentMs = 0;
    used += count;
    if (used > maxOctets) return tooLarge(maxOctets);
    if (count === 0) return octets.subarray(0, used);
    if (used === octets.length) octets = grown(octets, maxOctets);
  }
}

/** One octet more than is allowed is enough to see that there is too much. */
function grown(octets: Buffer, maxOctets: number): Buffer<ArrayBuffer> {
  const length = Math.min(maxOctets + 1, Math.max(65536, 2 * octets.length));
  return Buffer.concat([octets, Buffer.allocUnsafe(length - octets.length)]);
}

function tooLarge(maxOctets: number): ReadFailure {
  const most = maxOctets >= MIB ? `${Math.round(maxOctets / MIB)} MiB` : `${maxOctets} octets`;
  return { ok: false, code: TOO_LARGE, message: `is longer than ${most}` };
}

function kindOf(stats: Stats): string {
  if (stats.isFIFO()) return 'a pipe';
  return stats.isSocket() ? 'a socket' : 'a device';
}

function failureOf(error: unknown): ReadFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  // A socket, or a device without a driver.
  const message = code === 'ENXIO' ? 'is a socket or a device, not a regular file' : ioProblem(error);
  return { ok: false, code: code === 'ENXIO' ? NOT_A_FILE : code, message };
}

/** A failure for callers whose own callers handle errors: what is thrown then has the code and says the same. */
export function fileError(
  path: string,
  { code, message }: Pick<ReadFailure, 'code' | 'message'>,
): Error & { readonly code: string } {
  const shown = code.startsWith('E') && !message.includes(code) ? ` (${code})` : '';
  return Object.assign(new Error(`${path}: ${message}${shown}`), { code });
}
