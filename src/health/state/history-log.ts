import { constants } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { FILE_MAX, fileError, refusalOf } from '../../system/read-file.ts';
import type { Decision } from '../choose/decision.ts';
import type { RoundFacts } from '../choose/round.ts';
import { decodeRecord, encodeRecord, type RoundRecord, recordTime } from './history-log-record.ts';

/** A log file of this size is put aside as `.1`; the one put aside before is dropped. So at most twice this is kept. */
const HISTORY_LOG_BYTES = 64 * 1024 * 1024;

/** Where a network's rounds are recorded, beside its state. */
export function historyLogPath(stateDir: string, network: string): string {
  return join(stateDir, `${network}.rounds.jsonl`);
}

/**
 * Appends one round. A line that a crash tore off is closed first, so that it spoils no other. Not synced to disk:
 * state files carry what must survive, the log what is nice to know. Rejects with the system's error (disk full, no
 * folder).
 */
export async function appendRound(
  path: string,
  facts: RoundFacts,
  decision: Decision,
  maxBytes = HISTORY_LOG_BYTES,
): Promise<void> {
  const line = Buffer.from(encodeRecord(facts, decision));
  let file = await openLog(path);
  try {
    const { size } = await file.stat();
    if (size > 0 && size + line.length > maxBytes) {
      await file.close();
      await rename(path, `${path}.1`);
      file = await openLog(path);
      await file.writeFile(line);
    } else {
      const torn = size > 0 && (await lastByte(file, size)) !== NEWLINE;
      await file.writeFile(torn ? Buffer.concat([Buffer.from('\n'), line]) : line);
    }
  } finally {
    await file.close();
  }
}

/** Opened without blocking: a pipe in its place would hold up every round. */
const APPEND = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

async function openLog(path: string): Promise<FileHandle> {
  return regular(path, await open(path, APPEND, 0o644));
}

/** Of a log that is turned over at `HISTORY_LOG_BYTES`; a longer one is not ours. */
async function regular(path: string, file: FileHandle): Promise<FileHandle> {
  const refused = refusalOf(await file.stat(), FILE_MAX.log);
  if (refused === null) return file;
  await file.close();
  throw fileError(path, refused);
}

const NEWLINE = 10;

async function lastByte(file: FileHandle, size: number): Promise<number> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0];
}

/** Recorded moments, both ends included; epoch seconds. */
export type Span = { readonly since: number; readonly until: number };
const EVER: Span = { since: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY };

/** A recorded round that is not decoded yet. */
export type RoundLine = { readonly at: number; readonly decode: () => RoundRecord | null };

/**
 * The recorded rounds of a span, oldest first; none where there is no log. Torn lines are left out; lines that begin
 * like a record and turn out not to be one decode to null.
 */
export async function readLines(path: string, span: Span = EVER): Promise<readonly RoundLine[]> {
  const lines: RoundLine[] = [];
  for (const bytes of await bothFiles(path)) {
    let start = 0;
    while (start < bytes.length) {
      const found = bytes.indexOf(NEWLINE, start);
      const end = found === -1 ? bytes.length : found;
      const from = start;
      start = end + 1;
      const at = recordTime(bytes.toString('latin1', from, Math.min(end, from + 40)));
      if (at === null || at < span.since || at > span.until) continue;
      lines.push({ at, decode: () => decodeRecord(bytes.toString('utf8', from, end)) });
    }
  }
  return lines;
}

/** The last `count` rounds at or before `at`, oldest first; undecodable lines are passed over. */
export async function lastRounds(path: string, at: number, count: number): Promise<readonly RoundRecord[]> {
  const lines = await readLines(path, { since: Number.NEGATIVE_INFINITY, until: at });
  const rounds: RoundRecord[] = [];
  for (let i = lines.length - 1; i >= 0 && rounds.length < count; i--) {
    const round = lines[i].decode();
    if (round !== null) rounds.unshift(round);
  }
  return rounds;
}

/** Old file, then current. The current one is opened first, so that a rotation in between hides nothing. */
async function bothFiles(path: string): Promise<readonly Buffer[]> {
  const current = await openIfThere(path);
  try {
    const old = await openIfThere(`${path}.1`);
    try {
      const files = [old, current].filter((file) => file !== null);
      const stats = await Promise.all(files.map((file) => file.stat()));
      // Rotated between the two openings: both are the same file.
      const distinct = stats.length === 2 && stats[0].ino === stats[1].ino ? files.slice(0, 1) : files;
      return await Promise.all(distinct.map((file) => file.readFile()));
    } finally {
      await old?.close();
    }
  } finally {
    await current?.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await regular(path, await open(path, constants.O_RDONLY | constants.O_NONBLOCK));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
