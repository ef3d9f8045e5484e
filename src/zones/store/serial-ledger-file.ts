/** The file of the zones' serials: how it is read and written. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { WireName } from '../../dns/name.ts';
import { nameKey, nameText } from '../../dns/name.ts';
import { systemCode } from '../../system/error-text.ts';
import { ioProblem } from '../../system/io-problem.ts';
import { isObject, parseObject } from '../../system/json-object.ts';
import { FILE_MAX, readFile } from '../../system/read-file.ts';
import { setAside } from '../../system/set-aside.ts';
import type { ContentInForce } from '../agreement/content.ts';
import type { StoreFault } from './types.ts';

/** `goneAt`: epoch seconds since when there is no such zone; null: there is one. */
export type LedgerEntry = {
  /** Null: a static zone. */
  readonly network: string | null;
  readonly hash: string;
  readonly serial: number;
  readonly goneAt: number | null;
  /** Of a static zone: the highest serial under which it also had other contents; null: there is none. */
  readonly reused: number | null;
  /** The serial is the one that all vantages agreed upon. */
  readonly agreed?: boolean;
  /** What was in force on the other vantages while we had this; null: just this. */
  readonly lacked?: ContentInForce | null;
  /** The entry as the file has it; null: not written yet. Of ten thousand entries few change between two writings. */
  text: string | null;
};

/** Tells a file from another one under its name, and from what it was; null: there is none. */
export async function identityOf(file: string): Promise<string | null> {
  try {
    const { ino, size, mtimeNs } = await stat(file, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch {
    return null;
  }
}

/** `isWhole` false: there was a file, and `entries` is what of it makes sense; `fault` says what was done. */
export type ReadEntries = {
  readonly entries: Map<WireName, LedgerEntry>;
  readonly isWhole: boolean;
  readonly fault: StoreFault | null;
};

export async function readEntries(file: string, now: number, readOnly: boolean): Promise<ReadEntries> {
  const read = await readFile(file, FILE_MAX.zones);
  if (!read.ok && read.code === 'ENOENT') return { entries: new Map(), isWhole: true, fault: null };
  const parsed = read.ok
    ? parseEntries(read.octets.toString('utf8'))
    : { entries: new Map<WireName, LedgerEntry>(), problem: read.message };
  const { entries, problem } = parsed;
  if (problem === null) return { entries, isWhole: true, fault: null };
  const aside = readOnly ? null : await setAside(file, now).catch(() => null);
  const where = aside === null ? '' : `; it is kept as ${aside}`;
  const left = entries.size === 0 ? 'Serials go on from the clock' : `Serials of ${entries.size} zones are known`;
  const message = `cannot read the zones' serials: ${problem}${where}. ${left}`;
  const at = { file, line: 1, col: 1, text: '' };
  return { entries, isWhole: false, fault: { severity: 'error', code: 'serials-unreadable', at, message } };
}

/** Said at the start, not only when the first change cannot be written. */
export async function folderFault(file: string): Promise<StoreFault | null> {
  try {
    await access(dirname(file), constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null; // nothing was ever written: the first write says why it cannot
    const message = `the zones' serials cannot be remembered in ${dirname(file)}: ${ioProblem(error)}`;
    return { severity: 'error', code: 'serials-unwritable', at: { file, line: 1, col: 1, text: '' }, message };
  }
}

export function entryText(origin: WireName, entry: LedgerEntry): string {
  const { network, hash, serial, goneAt, reused, agreed = false, lacked = null } = entry;
  const name = JSON.stringify(nameText(origin));
  const gone = goneAt === null ? '' : `,"gone_at":${goneAt}`;
  const twice = reused === null ? '' : `,"reused":${reused}`;
  const more = `${gone}${twice}${agreed ? ',"agreed":true' : ''}${lacked === null ? '' : `,"lacked":${JSON.stringify(lacked)}`}`;
  return `${name}:{"network":${JSON.stringify(network)},"hash":${JSON.stringify(hash)},"serial":${serial}${more}}`;
}

const SERIAL_MAX = 2 ** 32 - 1;
const SERIAL = z.int().min(0).max(SERIAL_MAX);
const ENTRY = z.object({
  network: z.string().nullable().default(null),
  hash: z.string(),
  serial: z.int().min(0).max(SERIAL_MAX),
  gone_at: z.number().nullable().default(null),
  reused: z.int().min(0).max(SERIAL_MAX).nullable().default(null),
  agreed: z.boolean().default(false),
  lacked: z.object({ hash: z.string(), serial: SERIAL, from: SERIAL, after: SERIAL }).nullable().default(null),
});

/** The entries that make sense; `problem`: the first thing that does not. */
function parseEntries(text: string): { readonly entries: Map<WireName, LedgerEntry>; readonly problem: string | null } {
  const entries = new Map<WireName, LedgerEntry>();
  const object = parseObject(text);
  if (!object.ok) return { entries, problem: object.problem };
  const { version, zones } = object.value;
  // By hand: a schema of a hundred thousand entries would be walked twice.
  if (version !== 1 || !isObject(zones)) return { entries, problem: 'not a file of version 1' };
  let problem: string | null = null;
  for (const [name, value] of Object.entries(zones)) {
    const origin = nameKey(name);
    const entry = ENTRY.safeParse(value);
    if (origin === null) problem ??= `"${name}" is not a zone's name`;
    else if (!entry.success) problem ??= `the entry of "${name}" does not make sense (${firstIssue(entry.error)})`;
    else {
      const { gone_at: goneAt, ...rest } = entry.data;
      entries.set(origin, { ...rest, goneAt, text: null });
    }
  }
  return { entries, problem };
}

function firstIssue({ issues: [{ path, message }] }: z.ZodError): string {
  return `${path.length === 0 ? '' : `${path.join('.')}: `}${message}`;
}
