import { setImmediate as nextTurn } from 'node:timers/promises';
import { ZoneImage } from './image.ts';
import { diffImages, imageDigest } from './journal-diff.ts';
import { type JournalFiles, NO_JOURNAL } from './journal-files.ts';
import { decodeStep, encodeStep, stepSerials } from './journal-step.ts';
import type { WireName } from './name.ts';
import { serialCompare } from './serial.ts';

/** Kept of one zone: so many steps, … */
const STEPS_MAX = 64;
/** … so many octets. */
const ZONE_OCTETS_MAX = 1 << 20;
/** Kept of all zones, octets; the zone that changed longest ago goes first. */
const TOTAL_OCTETS_MAX = 64 << 20;
/** The event loop is given back after this long. */
const SLICE_MS = 5;

export type JournalZone = {
  readonly origin: WireName;
  readonly network: string | null;
  /** Null: there is no such zone, or nothing of it to serve. */
  readonly image: SharedArrayBuffer | null;
};

type Kept = {
  readonly network: string | null;
  readonly image: SharedArrayBuffer;
  /** Encoded, oldest first, each beginning with the serial that the one before ends with. */
  readonly steps: readonly Uint8Array[];
  readonly octets: number;
};

/**
 * What changed in the zones' contents lately, for incremental transfers: bounded, remembered over restarts. A zone's
 * first image begins an empty journal, unless what is on disk leads to exactly that image.
 */
export class ContentJournal {
  private readonly files: JournalFiles;
  /** In the order of the last change. */
  private readonly zones = new Map<WireName, Kept>();
  private octets = 0;
  private running: Promise<unknown> = Promise.resolve();
  private sliceSince = 0;

  constructor(files: JournalFiles = NO_JOURNAL) {
    this.files = files;
  }

  /** Encoded steps, oldest first; the last one leads to the zone's image. */
  stepsOf(origin: WireName): readonly Uint8Array[] {
    return this.zones.get(origin)?.steps ?? [];
  }

  /** Origins with steps. */
  journalled(): readonly WireName[] {
    return [...this.zones].filter(([, { steps }]) => steps.length > 0).map(([origin]) => origin);
  }

  /** The zones as they are at the start. */
  async open(zones: readonly JournalZone[]): Promise<void> {
    const saved = await this.files.list();
    for (const { origin, network, image } of zones) {
      if (image === null) continue;
      const steps = saved.has(origin) ? await this.restore(origin, network, image) : [];
      this.keep(origin, { network, image, steps, octets: octetsOf(steps) });
      saved.delete(origin);
    }
    for (const origin of saved) this.files.remove(origin);
  }

  /** These zones changed. Resolves when the journal knows; changes are worked off in order. */
  changed(zones: readonly JournalZone[]): Promise<void> {
    const work = this.running.then(async () => {
      this.sliceSince = performance.now();
      for (const zone of zones) await this.note(zone);
    });
    this.running = work.catch(() => {});
    return work;
  }

  /** What is still to be written is written. */
  async close(): Promise<void> {
    await this.running;
    await this.files.close();
  }

  private async note({ origin, network, image }: JournalZone): Promise<void> {
    const was = this.zones.get(origin);
    if (image === null) {
      this.forget(origin);
      return;
    }
    if (was?.image === image && was.network === network) return;
    // Another network means another history of live sets, so nothing can be told from before.
    const step = was === undefined || was.network !== network ? null : await this.stepOf(was, image);
    let steps = was === undefined || step === null ? [] : [...was.steps, step];
    if (steps.length > STEPS_MAX) steps = steps.slice(-STEPS_MAX);
    while (steps.length > 0 && octetsOf(steps) > ZONE_OCTETS_MAX) steps = steps.slice(1);
    this.keep(origin, { network, image, steps, octets: octetsOf(steps) });
    if (steps.length === 0) this.files.remove(origin);
    else {
      const digest = await imageDigest(ZoneImage.attach(image), () => this.pause());
      this.files.save(origin, { network, digest, steps });
    }
  }

  private async stepOf(was: Kept, image: SharedArrayBuffer): Promise<Uint8Array | null> {
    const before = ZoneImage.attach(was.image);
    const after = ZoneImage.attach(image);
    // A static zone whose serial was not raised: secondaries would take a difference for one they have.
    if (serialCompare(after.serial, before.serial) <= 0) return null;
    const most = Math.max(100, Math.floor(after.recordCount / 2));
    const step = await diffImages(before, after, most, () => this.pause());
    return step === null ? null : encodeStep(step);
  }

  private async restore(
    origin: WireName,
    network: string | null,
    image: SharedArrayBuffer,
  ): Promise<readonly Uint8Array[]> {
    const saved = await this.files.read(origin);
    const { serial } = ZoneImage.attach(image);
    const leads = saved?.steps.every((step, i, all) => {
      const next = i + 1 < all.length ? stepSerials(all[i + 1]).from : serial;
      return decodeStep(step) !== null && stepSerials(step).to === next;
    });
    if (saved !== null && leads === true && saved.network === network) {
      this.sliceSince = performance.now();
      if ((await imageDigest(ZoneImage.attach(image), () => this.pause())) === saved.digest) return saved.steps;
    }
    this.files.remove(origin);
    return [];
  }

  private keep(origin: WireName, kept: Kept): void {
    this.octets += kept.octets - (this.zones.get(origin)?.octets ?? 0);
    this.zones.delete(origin); // to the end: it changed last
    this.zones.set(origin, kept);
    for (const [other, { octets, ...rest }] of this.zones) {
      if (this.octets <= TOTAL_OCTETS_MAX || other === origin) break;
      if (octets === 0) continue;
      this.octets -= octets;
      this.zones.set(other, { ...rest, steps: [], octets: 0 });
      this.files.remove(other);
    }
  }

  private forget(origin: WireName): void {
    this.octets -= this.zones.get(origin)?.octets ?? 0;
    if (this.zones.delete(origin)) this.files.remove(origin);
  }

  private async pause(): Promise<void> {
    if (performance.now() - this.sliceSince < SLICE_MS) return;
    await nextTurn();
    this.sliceSince = performance.now();
  }
}

function octetsOf(steps: readonly Uint8Array[]): number {
  return steps.reduce((sum, { length }) => sum + length, 0);
}
