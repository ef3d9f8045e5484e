import type { WireName } from '../../dns/name.ts';
import { nextSerial, serialCompare, serialMax } from '../../dns/serial.ts';
import { writeAtomic } from '../../system/atomic-write.ts';
import { errorText } from '../../system/error-text.ts';
import type { Locks } from '../../system/lock.ts';
import type { ContentInForce } from '../agreement/content.ts';
import { entryText, folderFault, identityOf, type LedgerEntry, readEntries } from './serial-ledger-file.ts';
import type { StoreFault } from './types.ts';

/** What a serial is given for, beside the content. */
export type SerialOrder = {
  /** The serial of the zone's live set; 0: none was ever published. */
  readonly liveSerial: number;
  /** Epoch seconds. */
  readonly now: number;
  /** A serial that the zone is known to have had, whoever gave it. */
  readonly floor?: number;
  /** No version of the zone was shown under `liveSerial` yet, so a new content needs no other one. */
  readonly isNewLive?: boolean;
  /** A new serial even for the content that the zone has (a zone file is to be written anew, as edgemanage does it). */
  readonly renew?: boolean;
  /** A zone that was gone and has the content it had keeps its serial. */
  readonly returns?: boolean;
};

export type LedgerOptions = {
  /** Epoch seconds, at the opening. */
  readonly now: number;
  /** Keeps other processes from writing meanwhile; null: there are none. */
  readonly lock?: LedgerLock | null;
  /** Nothing is written or renamed (a dry run). */
  readonly readOnly?: boolean;
};

export type LedgerLock = { readonly tryLock: () => boolean; readonly unlock: () => void };

/** A zone that was away for longer than this and comes back gets a serial from the clock alone. */
const REMEMBER_GONE_SECONDS = 90 * 86400;
/** How long another process may have the file: it is read and written once, in tenths of a second at most. */
const BUSY_MS = 5000;
const BUSY_STEP_MS = 5;

export function serialLedgerPath(stateDir: string): string {
  return `${stateDir}/edgewise-zones.json`;
}

export function ledgerLock(locks: Locks, file: string): LedgerLock {
  return { tryLock: () => locks.tryLock('serials', file), unlock: () => locks.unlock('serials', file) };
}

/**
 * Remembers each zone's content and serial in one small JSON file, so that a zone keeps its serial over a restart, and
 * a changed one gets a higher serial even after the clock was set back. The server and single runs give serials by it
 * alike, and several may have it open: each writes what it changed to what the others wrote, under a lock.
 *
 * `{"version":1,"zones":{"example.test.":{"network":"a","hash":"…","serial":1763778000}}}`
 */
export class SerialLedger {
  private readonly file: string | null;
  private readonly lock: LedgerLock | null;
  private readonly readOnly: boolean;
  private readonly entries: Map<WireName, LedgerEntry>;
  /** As they were when the ledger was opened. */
  private readonly firstEntries: ReadonlyMap<WireName, LedgerEntry>;
  /** Origins whose entries the file does not have as they are, with those that were forgotten. */
  private unsaved = new Set<WireName>();
  /** What the file was when it was last read or written. */
  private identity: string | null;
  private damage: StoreFault | null = null;

  private constructor(
    file: string | null,
    { lock = null, readOnly = false }: Partial<LedgerOptions>,
    entries: Map<WireName, LedgerEntry>,
    identity: string | null,
  ) {
    this.file = file;
    this.lock = lock;
    this.readOnly = readOnly;
    this.entries = entries;
    this.firstEntries = new Map(entries);
    this.identity = identity;
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

  /**
   * `file` null: nothing is remembered. A file that does not make sense is renamed out of the way, with a fault; with
   * `readOnly` it stays where it is.
   */
  static async open(
    file: string | null,
    options: LedgerOptions,
  ): Promise<{ readonly ledger: SerialLedger; readonly fault: StoreFault | null }> {
    if (file === null) return { ledger: new SerialLedger(null, {}, new Map(), null), fault: null };
    const identity = await identityOf(file);
    const { entries, isWhole, fault } = await readEntries(file, options.now, options.readOnly === true);
    const ledger = new SerialLedger(file, options, entries, isWhole ? identity : null);
    // The file has gone: what made sense is written anew.
    if (!isWhole) for (const origin of entries.keys()) ledger.unsaved.add(origin);
    return { ledger, fault: fault ?? (options.readOnly === true ? null : await folderFault(file)) };
  }

  /** The serial that the zone's content has; 0: none. */
  serialOf(origin: WireName): number {
    return this.entries.get(origin)?.serial ?? 0;
  }

  /** The highest serial that contents of the network's zones have; 0: none has any. */
  highest(network: string): number {
    let highest = 0;
    for (const entry of this.entries.values()) {
      if (entry.network === network) highest = serialMax(highest, entry.serial);
    }
    return highest;
  }

  /** A file that another process, or a disk, has spoilt since it was read, and what was done about it: reported once. */
  takeDamage(): StoreFault | null {
    const { damage } = this;
    this.damage = null;
    return damage;
  }

  /**
   * The serial of a network's zone whose content has this hash: the one it had, or (`isNew`) one after all it may have
   * had, `liveSerial` among them. A zone that went to another network, with another live set, is new.
   */
  serialFor(
    origin: WireName,
    network: string,
    hash: string,
    { liveSerial, now, floor = 0, isNewLive = false, renew = false, returns = false }: SerialOrder,
  ): { readonly serial: number; readonly isNew: boolean } {
    const entry = this.entries.get(origin);
    const isThere = entry !== undefined && (entry.goneAt === null || returns);
    if (isThere && entry.hash === hash && entry.network === network && (!renew || isNewLive)) {
      if (entry.goneAt !== null) this.write(origin, { ...entry, goneAt: null, text: null });
      return { serial: entry.serial, isNew: false };
    }
    const before = serialMax(entry?.serial ?? 0, floor);
    const covers = isNewLive && liveSerial !== 0 && (before === 0 || serialCompare(liveSerial, before) > 0);
    const serial = covers ? liveSerial : nextSerial(serialMax(before, liveSerial), now);
    this.write(origin, { network, hash, serial, goneAt: null, reused: null, text: null });
    return { serial, isNew: true };
  }

  /**
   * Notes the serial that a static zone's file gives. Returns the serial that it must exceed, because secondaries may have
   * other contents under it; null: the serial is the content's own.
   */
  noteStatic(origin: WireName, hash: string, serial: number): number | null {
    const entry = this.entries.get(origin) ?? null;
    const isOther = entry !== null && entry.hash !== hash;
    let reused = entry?.reused ?? null;
    if (isOther) reused = reused === null ? entry.serial : serialMax(reused, entry.serial);
    if (reused !== null && serialCompare(serial, reused) > 0) reused = null;
    const same = entry?.hash === hash && entry.network === null && entry.goneAt === null && entry.reused === reused;
    if (!same || entry.serial !== serial)
      this.write(origin, { network: null, hash, serial, goneAt: null, reused, text: null });
    return reused;
  }

  /** Gives a zone a serial that was worked out elsewhere, for the content it has. */
  raise(origin: WireName, serial: number): void {
    const entry = this.entries.get(origin);
    if (entry !== undefined) this.write(origin, { ...entry, serial, text: null });
  }

  /** The content that is in force on all vantages, with their serial, is served from now on. */
  agree(origin: WireName, network: string, hash: string, serial: number): void {
    this.write(origin, { network, hash, serial, goneAt: null, reused: null, agreed: true, text: null });
  }

  /** Another content is in force than the zone has here. */
  lack(origin: WireName, lacked: ContentInForce): void {
    const entry = this.entries.get(origin);
    if (entry !== undefined) this.write(origin, { ...entry, lacked, text: null });
  }

  /** What was agreed upon last, as far as it is remembered; null: nothing was. */
  agreed(origin: WireName): Readonly<LedgerEntry> | null {
    const entry = this.entries.get(origin);
    return entry?.agreed === true ? entry : null;
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
        this.unsaved.add(origin);
      }
    }
  }

  /**
   * Makes what was noted durable. False at once when there is nothing new; throws the system's error, or one that says
   * that another process has the file. An entry that another process has raised meanwhile is one higher than it was
   * there: see `serialOf`.
   */
  async save(now: number): Promise<boolean> {
    if (this.unsaved.size === 0 || this.file === null || this.readOnly) return false;
    await this.takeLock();
    try {
      await this.refresh(now);
      await this.writeFile();
    } finally {
      this.lock?.unlock();
    }
    return true;
  }

  /**
   * Gives serials (`work`, which is synchronous) by what the file says now, and makes them durable, with no other
   * process between. Resolves with why they could not be made durable, where the work was done all the same.
   */
  async change(now: number, work: () => void): Promise<string | null> {
    if (this.file === null || this.readOnly) {
      work();
      return null;
    }
    try {
      await this.takeLock();
    } catch (error) {
      work();
      return errorText(error);
    }
    try {
      await this.refresh(now);
      work();
      if (this.unsaved.size > 0) await this.writeFile();
      return null;
    } catch (error) {
      return errorText(error);
    } finally {
      this.lock?.unlock();
    }
  }

  private async takeLock(): Promise<void> {
    for (let waited = 0; this.lock !== null && !this.lock.tryLock(); waited += BUSY_STEP_MS) {
      if (waited >= BUSY_MS) throw new Error(`another process has had the file for ${BUSY_MS / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, BUSY_STEP_MS));
    }
  }

  /** Takes over what other processes wrote. Ours goes before theirs, under a serial above theirs. */
  private async refresh(now: number): Promise<void> {
    if (this.file === null) return;
    const identity = await identityOf(this.file);
    if (identity === this.identity) return;
    const { entries, isWhole, fault } = await readEntries(this.file, now, false);
    this.damage = fault ?? this.damage;
    this.identity = isWhole ? identity : null;
    for (const [origin, theirs] of entries) {
      const ours = this.entries.get(origin);
      if (!this.unsaved.has(origin)) this.entries.set(origin, theirs);
      else if (
        ours !== undefined &&
        ours.network !== null &&
        ours.agreed !== true &&
        serialCompare(theirs.serial, ours.serial) >= 0
      ) {
        const isSame = theirs.hash === ours.hash && theirs.network === ours.network;
        const serial = isSame ? theirs.serial : nextSerial(theirs.serial, now);
        this.entries.set(origin, { ...ours, serial, text: null });
      }
    }
    // The file has gone: all that is known here goes into the new one.
    if (!isWhole) for (const origin of this.entries.keys()) this.unsaved.add(origin);
  }

  private async writeFile(): Promise<void> {
    if (this.file === null) return;
    const { unsaved } = this;
    this.unsaved = new Set();
    const zones: string[] = [];
    for (const [origin, entry] of this.entries) {
      entry.text ??= entryText(origin, entry);
      zones.push(entry.text);
    }
    try {
      await writeAtomic(this.file, `{"version":1,"zones":{${zones.join(',')}}}\n`);
      this.identity = await identityOf(this.file);
    } catch (error) {
      this.unsaved = new Set([...unsaved, ...this.unsaved]);
      throw error;
    }
  }

  private write(origin: WireName, entry: LedgerEntry): void {
    this.entries.set(origin, entry);
    this.unsaved.add(origin);
  }
}
