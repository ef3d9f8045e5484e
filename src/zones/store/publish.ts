import type { WireName } from '../../dns/name.ts';
import { nextSerial, serialCompare, serialMax } from '../../dns/serial.ts';
import { Turns } from '../../system/turns.ts';
import type { ContentInForce } from '../agreement/content.ts';
import type { Standing } from '../agreement/own-step.ts';
import type { GoodZone } from './load-target.ts';
import { withSerial } from './load-zone.ts';
import { type LedgerLock, SerialLedger } from './serial-ledger.ts';
import type { LedgerEntry } from './serial-ledger-file.ts';
import type { StoreFault, ZoneChange, ZoneTarget } from './types.ts';

/**
 * The version of a zone that is served, or is about to be. The image is never written; another serial is another image.
 */
export type ServedZone = {
  /** Of its content (`contentHash`). */
  readonly hash: string;
  readonly records: number;
  readonly signaturesEnd: number | null;
  readonly loadedAt: number;
  serial: number;
  image: SharedArrayBuffer;
  /** Where several vantages agree upon contents; unless given, it is ours alone. */
  standing?: Standing;
};

/** What came of a load, with the way to its image. */
export type NewVersion = Pick<GoodZone, 'hash' | 'serial' | 'records' | 'signaturesEnd' | 'compile'>;

type Queued = { readonly change: ZoneChange; readonly served: ServedZone | null };

export type PublisherOptions = {
  readonly serialFile: string | null;
  /** Keeps other processes from writing the file meanwhile; null: there are none. Asked when the file is opened. */
  readonly serialLock: () => LedgerLock | null;
  readonly liveSerial: (network: string, origin: WireName) => number;
  readonly now: () => number;
  readonly onChange: (changes: readonly ZoneChange[]) => void;
  /** The fault of the file of serials is another one than it was. */
  readonly onFault: () => void;
};

type Raised = Map<ServedZone, { readonly network: string; readonly origin: WireName }>;

/** Zones are published in batches: so many, … */
const BATCH_ZONES = 1000;
/** … or what was loaded in so long, … */
const BATCH_MS = 250;
/** … and never so often that publishing, which writes the whole file of serials, takes over a tenth of the time. */
const BATCH_SHARE = 10;

/**
 * Gives zones their serials and hands changes over in batches, after the serials in them are durable: a serial that was
 * seen outside must not be given to another version after a crash.
 */
export class Publisher {
  /** What is wrong with the file of serials. */
  fault: StoreFault | null = null;
  private readonly options: PublisherOptions;
  private ledger: SerialLedger | null = null;
  private batch: Queued[] = [];
  private batchDueAt = 0;
  /** Zones of the batch whose serial is new, with what they are of. */
  private raised: Raised = new Map();
  /** The batch before, while it is made durable and handed over. */
  private publishing: Promise<void> | null = null;
  private readonly turns = new Turns();

  constructor(options: PublisherOptions) {
    this.options = options;
  }

  async open(): Promise<void> {
    const { ledger, fault } = await SerialLedger.open(this.options.serialFile, {
      now: this.options.now(),
      lock: this.options.serialLock(),
    });
    this.ledger = ledger;
    this.setFault(fault);
  }

  /** Gives a loaded zone its serial. `wasNetwork`: of the version served so far, null if there is none. */
  assign(
    origin: WireName,
    target: ZoneTarget,
    wasNetwork: string | null,
    good: NewVersion,
  ): { readonly served: ServedZone; readonly warning: StoreFault | null } {
    const { network } = target;
    const { hash, records, signaturesEnd } = good;
    const now = this.options.now();
    if (network === null) {
      const reused = this.ledger?.noteStatic(origin, hash, good.serial) ?? null;
      const { serial } = good;
      const served = { hash, records, signaturesEnd, loadedAt: now, serial, image: good.compile(serial) };
      return { served, warning: reused === null ? null : reusedWarning(target, good.serial, reused) };
    }
    const liveBefore = wasNetwork === null ? 0 : this.options.liveSerial(wasNetwork, origin);
    const live = serialMax(liveBefore, this.options.liveSerial(network, origin));
    const found = this.ledger?.serialFor(origin, network, hash, { liveSerial: live, now });
    const serial = found?.serial ?? nextSerial(live, now);
    const served = { hash, records, signaturesEnd, loadedAt: now, serial, image: good.compile(serial) };
    if (found?.isNew === true) this.raised.set(served, { network, origin });
    return { served, warning: null };
  }

  /** As `SerialLedger.agree`. */
  agree(origin: WireName, network: string, hash: string, serial: number): void {
    this.ledger?.agree(origin, network, hash, serial);
  }

  /** As `SerialLedger.lack`. */
  lack(origin: WireName, lacked: ContentInForce): void {
    this.ledger?.lack(origin, lacked);
  }

  /** As `SerialLedger.agreed`. */
  agreed(origin: WireName): Readonly<LedgerEntry> | null {
    return this.ledger?.agreed(origin) ?? null;
  }

  /** The serial that the zone's content has; 0: none. */
  serialOf(origin: WireName): number {
    return this.ledger?.serialOf(origin) ?? 0;
  }

  /** As `SerialLedger.servedBefore`. */
  servedBefore(origin: WireName, network: string | null): number | null {
    return this.ledger?.servedBefore(origin, network) ?? null;
  }

  /** The content that earlier runs served last under the zone's name, as a hash; null: not known. */
  rememberedHash(origin: WireName): string | null {
    return this.ledger?.rememberedHash(origin) ?? null;
  }

  /** Whether an earlier run knew such a zone until its end. */
  isRemembered(origin: WireName): boolean {
    return this.ledger?.isRemembered(origin) ?? false;
  }

  /** `served`: the version that an `image` is of, whose serial may still rise before it is handed over. */
  push(change: ZoneChange, served: ServedZone | null = null): void {
    if (this.batch.length === 0) this.batchDueAt = Math.max(this.batchDueAt, performance.now() + BATCH_MS);
    this.batch.push({ change, served });
  }

  gone(origin: WireName): void {
    this.ledger?.gone(origin, this.options.now());
  }

  /** `known`: every zone there is, served or not. */
  retain(known: ReadonlySet<WireName>): void {
    this.ledger?.retain(known, this.options.now());
  }

  /** Begins to publish if the batch is large or old enough. While the disk takes the serials, loading goes on. */
  publishDue(): void {
    const due = this.batch.length >= BATCH_ZONES || performance.now() > this.batchDueAt;
    if (!due || this.batch.length === 0 || this.publishing !== null) return;
    const publishing = this.turns
      .take(() => this.publishBatch())
      .then(() => {
        this.publishing = null;
      });
    publishing.catch(() => undefined); // `publish` throws it
    this.publishing = publishing;
  }

  /** Makes new serials durable, then hands over what was pushed so far. One at a time. */
  async publish(): Promise<void> {
    const { publishing } = this;
    this.publishing = null;
    await publishing;
    await this.turns.take(() => this.publishBatch());
  }

  private async publishBatch(): Promise<void> {
    const start = performance.now();
    const { batch, raised } = this;
    this.batch = [];
    this.raised = new Map();
    await this.save();
    while (this.raiseOverLive(raised)) await this.save();
    if (batch.length > 0) this.options.onChange(batch.map(finalChange));
    const end = performance.now();
    this.batchDueAt = end + BATCH_SHARE * (end - start);
  }

  /**
   * The live set may have flipped while the ledger was written, to a serial that a zone of this batch was to get for
   * its new content; or another process has given the zone such a serial. Each version of a zone needs a serial of its
   * own, so such a zone goes one further. True: some did, and the ledger must be written again.
   */
  private raiseOverLive(raised: Raised): boolean {
    let any = false;
    for (const [served, { network, origin }] of raised) {
      const live = this.options.liveSerial(network, origin);
      const noted = this.ledger?.serialOf(origin) ?? 0;
      const own = noted !== 0 && serialCompare(noted, served.serial) > 0 ? noted : served.serial;
      const serial = live === 0 || serialCompare(own, live) > 0 ? own : nextSerial(live, this.options.now());
      if (serial === served.serial) continue;
      served.serial = serial;
      served.image = withSerial(served.image, serial);
      if (serial === noted) continue; // and written so
      this.ledger?.raise(origin, serial);
      any = true;
    }
    return any;
  }

  /**
   * A disk that takes no serials does not keep zones from being served: the clock will give higher ones after a
   * restart.
   */
  private async save(): Promise<void> {
    if (this.ledger === null) return;
    try {
      // Whatever was wrong with the file before: it is whole and up to date now.
      const saved = await this.ledger.save(this.options.now());
      const damage = this.ledger.takeDamage();
      if (damage !== null) this.setFault(damage);
      if (saved) this.setFault(null);
    } catch (error) {
      const file = this.options.serialFile ?? '';
      const reason = error instanceof Error ? error.message : String(error);
      const message = `cannot remember the zones' serials: ${reason}. They are served all the same`;
      const at = { file, line: 1, col: 1, text: '' };
      this.setFault({ severity: 'error', code: 'serials-unwritable', at, message });
    }
  }

  private setFault(fault: StoreFault | null): void {
    const same = this.fault?.message === fault?.message;
    this.fault = fault;
    if (!same) this.options.onFault();
  }
}

function finalChange({ change, served }: Queued): ZoneChange {
  return change.kind === 'image' && served !== null ? { ...change, image: served.image } : change;
}

/** `reused`: see `SerialLedger.noteStatic`. */
function reusedWarning({ name, file }: ZoneTarget, serial: number, reused: number): StoreFault {
  const message =
    `zone ${name} changed, but its serial ${serial} is not higher than the ${reused} it had: ` +
    'secondaries will not see the change (RFC 1982), and one that took the other content under this serial keeps it. ' +
    `Write a serial above ${reused} and reload, or have each secondary transfer the zone anew ` +
    '(rndc retransfer, nsd-control force_transfer, knotc zone-retransfer)';
  return { severity: 'warning', code: 'serial-not-raised', at: { file, line: 1, col: 1, text: '' }, message };
}
