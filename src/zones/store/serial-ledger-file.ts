/** The file of the zones' serials: how it is read and written. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { WireName } from '../../dns/name.ts';
import { nameKey, nameText } from '../../dns/name.ts';
import { setAside } from '../../system/atomic-write.ts';
import { systemCode } from '../../system/error-text.ts';
import { ioProblem } from '../../system/io-problem.ts';
import { isObject } from '../../system/json-object.ts';
import { FILE_MAX, readFile } from '../../system/read-file.ts';
import type { StoreFault } from './types.ts';

/** `goneAt`: epoch seconds since when there is no such zone; null: there is one. */
export type LedgerEntry = {
  /** Null: a static zone. */
  readonly network: string | null;
  readonly hash: string;
  readonly serial: number;
  readonly goneAt: number | null;
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

/** `entries` null: there is a file, and it makes no sense. */
export async function readEntries(
  file: string,
  now: number,
  readOnly: boolean,
): Promise<{ readonly entries: Map<WireName, LedgerEntry> | null; readonly fault: StoreFault | null }> {
  const read = await readFile(file, FILE_MAX.zones);
  let problem: string;
  if (read.ok) {
    const entries = parseEntries(read.octets.toString('utf8'));
    if (typeof entries !== 'string') return { entries, fault: null };
    problem = entries;
  } else {
    if (read.code === 'ENOENT') return { entries: new Map(), fault: null };
    problem = read.message;
  }
  const aside = readOnly ? null : await setAside(file, now).catch(() => null);
  const where = aside === null ? '' : `; it is kept as ${aside}`;
  const message = `cannot read the zones' serials: ${problem}${where}. Serials go on from the clock`;
  const at = { file, line: 1, col: 1, text: '' };
  return { entries: null, fault: { severity: 'error', code: 'serials-unreadable', at, message } };
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

export function entryText(origin: WireName, { network, hash, serial, goneAt }: LedgerEntry): string {
  const name = JSON.stringify(nameText(origin));
  const gone = goneAt === null ? '' : `,"gone_at":${goneAt}`;
  return `${name}:{"network":${JSON.stringify(network)},"hash":${JSON.stringify(hash)},"serial":${serial}${gone}}`;
}

/** The entries, or what is wrong with the text. */
function parseEntries(text: string): Map<WireName, LedgerEntry> | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const { version, zones } = isObject(value) ? value : {};
  if (version !== 1 || !isObject(zones)) return 'not a file of version 1';
  const entries = new Map<WireName, LedgerEntry>();
  for (const [name, entry] of Object.entries(zones)) {
    const origin = nameKey(name);
    if (origin === null || !isObject(entry)) return `"${name}" is not a zone's entry`;
    const { network = null, hash, serial, gone_at: goneAt = null } = entry;
    const isSerial = typeof serial === 'number' && Number.isInteger(serial) && serial >= 0 && serial < 2 ** 32;
    if (typeof hash !== 'string' || !isSerial) return `the entry of "${name}" has no hash and serial`;
    if (goneAt !== null && typeof goneAt !== 'number') return `the entry of "${name}" has a gone_at that is no number`;
    if (network !== null && typeof network !== 'string') return `the entry of "${name}" has a network that is no name`;
    entries.set(origin, { network, hash, serial, goneAt, text: null });
  }
  return entries;
}
