import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { WireName } from '../../dns/name.ts';
import { nameKey, nameText } from '../../dns/name.ts';
import { nextSerial, serialMax } from '../../dns/serial.ts';
import { setAside, writeAtomic } from '../../system/atomic-write.ts';
import { systemCode } from '../../system/error-text.ts';
import { ioProblem } from '../../system/io-problem.ts';
import { isObject } from '../../system/json-object.ts';
import { FILE_MAX, readFile } from '../../system/read-file.ts';
import type { StoreFault } from './types.ts';

/** `goneAt`: epoch seconds since when there is no such zone; null: there is one. */
type Entry = {
  /** Null: a static zone. */
  readonly network: string | null;
  readonly hash: string;
  readonly serial: number;
  readonly goneAt: number | null;
  /** The entry as the file has it; null: not written yet. Of ten thousand entries few change between two writings. */
  text: string | null;
};

/** A zone that was away for longer than this and comes back gets a serial from the clock alone. */
const REMEMBER_GONE_SECONDS = 90 * 86400;

/**
 * Remembers each zone's content and serial in one small JSON file, so that a zone keeps its serial over a restart, and
 * a changed one gets a higher serial even after the clock was set back.
 *
 * `{"version":1,"zones":{"example.test.":{"network":"a","hash":"…","serial":1763778000}}}`
 */
export class SerialLedger {
  private readonly file: string | null;
  private readonly entries: Map<WireName, Entry>;
  /** As they were when the ledger was opened. */
  private readonly firstEntries: ReadonlyMap<WireName, Entry>;
  private changed = false;

  private constructor(file: string | null, entries: Map<WireName, Entry>) {
    this.file = file;
    this.entries = entries;
    this.firstEntries = new Map(entries);
  }

  /** The serial of the content that earlier runs served last, of a zone that was in this network; null: none. */
  servedBefore(origin: WireName, network: string | null): number | null {
    const entry = this.firstEntries.get(origin);
    return entry !== undefined && entry.network === network && entry.goneAt === null ? entry.serial : null;
  }

  /** Of the content that earlier runs served last, in whatever network; null: none. */
  rememberedHash(origin: WireName): string | null {
    return this.firstEntries.get(origin)?.hash ?? null;
  }

  /** Whether there was such a zone when an earlier run ended. */
  isRemembered(origin: WireName): boolean {
    return this.firstEntries.get(origin)?.goneAt === null;
  }

  /** `file` null: nothing is remembered. A file that does not make sense is renamed out of the way, with a fault. */
  static async open(
    file: string | null,
    now: number,
  ): Promise<{ readonly ledger: SerialLedger; readonly fault: StoreFault | null }> {
    if (file === null) return { ledger: new SerialLedger(null, new Map()), fault: null };
    let problem: string;
    const read = await readFile(file, FILE_MAX.zones);
    if (read.ok) {
      const entries = parseEntries(read.octets.toString('utf8'));
      if (typeof entries !== 'string')
        return { ledger: new SerialLedger(file, entries), fault: await folderFault(file) };
      problem = entries;
    } else {
      if (read.code === 'ENOENT') return { ledger: new SerialLedger(file, new Map()), fault: await folderFault(file) };
      problem = read.message;
    }
    const aside = await setAside(file, now).catch(() => null);
    const where = aside === null ? '' : `; it is kept as ${aside}`;
    const message = `cannot read the zones' serials: ${problem}${where}. Serials go on from the clock`;
    const at = { file, line: 1, col: 1, text: '' };
    return {
      ledger: new SerialLedger(file, new Map()),
      fault: { severity: 'error', code: 'serials-unreadable', at, message },
    };
  }

  /**
   * The serial of a network's zone whose content has this hash: the one it had, or (`isNew`) one after all it may have
   * had, `liveSerial` among them. A zone that went to another network, with another live set, is new.
   */
  serialFor(
    origin: WireName,
    network: string,
    hash: string,
    liveSerial: number,
    now: number,
  ): { readonly serial: number; readonly isNew: boolean } {
    const entry = this.entries.get(origin);
    if (entry !== undefined && entry.hash === hash && entry.network === network && entry.goneAt === null) {
      return { serial: entry.serial, isNew: false };
    }
    const serial = nextSerial(serialMax(entry?.serial ?? 0, liveSerial), now);
    this.write(origin, { network, hash, serial, goneAt: null, text: null });
    return { serial, isNew: true };
  }

  /** Notes the serial that a static zone's file gives. Returns what was noted before, if anything. */
  noteStatic(
    origin: WireName,
    hash: string,
    serial: number,
  ): { readonly hash: string; readonly serial: number } | null {
    const entry = this.entries.get(origin) ?? null;
    const same = entry !== null && entry.hash === hash && entry.network === null && entry.goneAt === null;
    if (!same) this.write(origin, { network: null, hash, serial, goneAt: null, text: null });
    return entry;
  }

  /** Gives a zone a serial that was worked out elsewhere, for the content it has. */
  raise(origin: WireName, serial: number): void {
    const entry = this.entries.get(origin);
    if (entry !== undefined) this.write(origin, { ...entry, serial, text: null });
  }

  /** The zone is no more; its serial is kept for a while, in case it comes back. */
  gone(origin: WireName, now: number): void {
    const entry = this.entries.get(origin);
    if (entry !== undefined && entry.goneAt === null)
      this.write(origin, { ...entry, goneAt: Math.floor(now), text: null });
  }

  /** Marks as gone what was remembered from an earlier run and is not served any more. */
  retain(served: ReadonlySet<WireName>, now: number): void {
    for (const [origin, entry] of this.entries) {
      if (served.has(origin)) continue;
      if (entry.goneAt === null) this.gone(origin, now);
      else if (now - entry.goneAt > REMEMBER_GONE_SECONDS) {
        this.entries.delete(origin);
        this.changed = true;
      }
    }
  }

  /** Makes what was noted durable. False at once when there is nothing new; throws the system's error. */
  async save(): Promise<boolean> {
    if (!this.changed || this.file === null) return false;
    this.changed = false;
    const zones: string[] = [];
    for (const [origin, entry] of this.entries) {
      entry.text ??= entryText(origin, entry);
      zones.push(entry.text);
    }
    try {
      await writeAtomic(this.file, `{"version":1,"zones":{${zones.join(',')}}}\n`);
    } catch (error) {
      this.changed = true;
      throw error;
    }
    return true;
  }

  private write(origin: WireName, entry: Entry): void {
    this.entries.set(origin, entry);
    this.changed = true;
  }
}

/** Said at the start, not only when the first change cannot be written. */
async function folderFault(file: string): Promise<StoreFault | null> {
  try {
    await access(dirname(file), constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null; // nothing was ever written: the first write says why it cannot
    const message = `the zones' serials cannot be remembered in ${dirname(file)}: ${ioProblem(error)}`;
    return { severity: 'error', code: 'serials-unwritable', at: { file, line: 1, col: 1, text: '' }, message };
  }
}

function entryText(origin: WireName, { network, hash, serial, goneAt }: Entry): string {
  const name = JSON.stringify(nameText(origin));
  const gone = goneAt === null ? '' : `,"gone_at":${goneAt}`;
  return `${name}:{"network":${JSON.stringify(network)},"hash":${JSON.stringify(hash)},"serial":${serial}${gone}}`;
}

/** The entries, or what is wrong with the text. */
function parseEntries(text: string): Map<WireName, Entry> | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const { version, zones } = isObject(value) ? value : {};
  if (version !== 1 || !isObject(zones)) return 'not a file of version 1';
  const entries = new Map<WireName, Entry>();
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
