import type { WireName } from '../../dns/name.ts';
import { serialCompare } from '../../dns/serial.ts';
import { Turns } from '../../system/turns.ts';
import { Slice } from '../../system/yielding.ts';
import { serialOf, ZoneImage } from '../image/image.ts';
import { decodeContent, encodeContent } from './content.ts';
import { contentDigest, diffContent, diffImages, imageDigest } from './diff.ts';
import { type JournalFiles, NO_JOURNAL } from './files.ts';
import { decodeStep, encodeStep, stepSerials, type ZoneContent } from './step.ts';

/** Kept of one zone: so many steps, … */
const STEPS_MAX = 64;
/** … so many octets. */
const ZONE_OCTETS_MAX = 1 << 20;
/** Kept of all zones, octets; the zone that changed longest ago goes first. */
const TOTAL_OCTETS_MAX = 64 << 20;
/** At the start so much time goes into what is remembered; what remains then costs whole transfers. */
const OPEN_MS = 3000;

export type JournalZone = {
  readonly origin: WireName;
  readonly network: string | null;
  /** Null: there is no such zone, or nothing of it to serve. */
  readonly image: SharedArrayBuffer | null;
  /** Contents that are not known here were served elsewhere since the one before: no difference leads from that. */
  readonly isGap?: boolean | undefined;
};

type Kept = {
  readonly network: string | null;
  readonly image: SharedArrayBuffer;
  /** Encoded, oldest first, each beginning with the serial that the one before ends with. */
  readonly steps: readonly Uint8Array[];
  readonly octets: number;
  /** Its serial named another content before: no difference starts from it. */
  readonly ambiguous: boolean;
};

export type ContentJournalOptions = {
  readonly files?: JournalFiles;
  /**
   * The serial of the content that earlier runs served last, in this network; null: none, or it is not known. A content
   * that is remembered is of use only with that serial: otherwise another one was served between it and now.
   */
  readonly servedBefore?: (origin: WireName, network: string | null) => number | null;
};

/**
 * What changed in the zones' contents lately, for incremental transfers: bounded, remembered over restarts, together
 * with each zone's content, so that what changes while the server is down is a step too.
 */
export class ContentJournal {
  private readonly files: JournalFiles;
  private readonly servedBefore: NonNullable<ContentJournalOptions['servedBefore']>;
  /** In the order of the last change. */
  private readonly zones = new Map<WireName, Kept>();
  private octets = 0;
  private readonly turns = new Turns();
  private slice = new Slice();
  private keepsContents = false;

  constructor({ files = NO_JOURNAL, servedBefore = () => null }: ContentJournalOptions = {}) {
    this.files = files;
    this.servedBefore = servedBefore;
  }

  /** Whether contents and what changes in them are worth remembering: somebody may transfer zones. */
  keepContents(keep: boolean): void {
    const begins = keep && !this.keepsContents;
    this.keepsContents = keep;
    if (begins) for (const [origin, kept] of this.zones) this.saveContent(origin, kept);
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
    const end = performance.now() + OPEN_MS;
    this.slice = new Slice();
    for (const { origin, network, image } of zones) {
      if (this.slice.isSpent()) await this.slice.rest();
      const kinds = saved.get(origin);
      saved.delete(origin);
      if (image === null) continue; // what is remembered of it waits until it loads
      const none = kinds === undefined || performance.now() > end;
      const found = none
        ? nothingOf(network, this.servedBefore(origin, network))
        : await this.restore(origin, network, image, kinds.journal);
      const kept = { network, image, ...found, octets: octetsOf(found.steps) };
      this.keep(origin, kept);
      if (none && kinds?.journal === true) this.files.remove(origin);
      const current = network !== null && this.servedBefore(origin, network) === serialOf(image);
      if (kinds?.content !== true || !current) this.saveContent(origin, kept);
    }
    for (const origin of saved.keys()) this.removeFiles(origin);
  }

  /** These zones changed. Resolves when the journal knows; changes are worked off in order. */
  changed(zones: readonly JournalZone[]): Promise<void> {
    return this.turns.take(async () => {
      this.slice = new Slice();
      for (const zone of zones) await this.note(zone);
    });
  }

  /** What cannot be written at present, in a sentence. */
  faults(): readonly string[] {
    return this.files.faults();
  }

  /** What is still to be written is written. */
  async close(): Promise<void> {
    await this.turns.idle();
    await this.files.close();
  }

  private async note({ origin, network, image, isGap = false }: JournalZone): Promise<void> {
    const was = this.zones.get(origin);
    if (image === null) {
      this.forget(origin);
      return;
    }
    if (was?.image === image && was.network === network) return;
    if (was === undefined) {
      // It comes late: it did not load so far, or is new.
      const found = isGap ? { steps: [], ambiguous: false } : await this.restore(origin, network, image, true);
      const kept = { network, image, ...found, octets: octetsOf(found.steps) };
      this.keep(origin, kept);
      if (isGap) await this.saveSteps(origin, kept);
      this.saveContent(origin, kept);
      return;
    }
    const [before, after] = [ZoneImage.attach(was.image), ZoneImage.attach(image)];
    const raised = serialCompare(after.serial, before.serial) > 0;
    // Another network means another history of live sets, so no difference leads from one to the other. A static zone
    // whose serial was not raised: secondaries would take a difference for one they have, and who has its serial has
    // either content.
    const known = this.keepsContents && raised && was.network === network && !was.ambiguous;
    const step = known && !isGap ? await diffImages(before, after, mostOf(after), () => this.slice.rest()) : null;
    const steps = step === null ? [] : bounded([...was.steps, encodeStep(step)]);
    const kept = { network, image, steps, octets: octetsOf(steps), ambiguous: !raised && was.network === network };
    this.keep(origin, kept);
    await this.saveSteps(origin, kept);
    this.saveContent(origin, kept);
  }

  /** What leads to the image: the journal as it was, or with one more step from the content that was served before. */
  private async restore(
    origin: WireName,
    network: string | null,
    shared: SharedArrayBuffer,
    hasJournal: boolean,
  ): Promise<Pick<Kept, 'steps' | 'ambiguous'>> {
    const image = ZoneImage.attach(shared);
    const served = this.servedBefore(origin, network);
    // The usual case: nothing changed, and nothing needs to be read.
    if (!hasJournal && network !== null && served === image.serial) return { steps: [], ambiguous: false };
    this.slice = new Slice();
    const pause = (): Promise<void> => this.slice.rest();
    const found = hasJournal ? await this.files.read(origin) : null;
    const saved = found !== null && found.network === network && isChain(found.steps) ? found : null;
    const end = saved?.steps.length ? stepSerials(saved.steps[saved.steps.length - 1]).to : null;
    if (saved !== null && end === image.serial && (await imageDigest(image, pause)) === saved.digest) {
      return { steps: saved.steps, ambiguous: false };
    }
    const content = served === null ? null : await this.contentOf(origin, network, served);
    if (content !== null && served === image.serial) {
      if (hasJournal) this.files.remove(origin);
      return { steps: [], ambiguous: (await contentDigest(content, pause)) !== (await imageDigest(image, pause)) };
    }
    const raised = content !== null && serialCompare(image.serial, content.serial) > 0;
    const step = raised ? await diffContent(content, image, mostOf(image), pause) : null;
    if (content === null || step === null) {
      if (hasJournal) this.files.remove(origin);
      return nothingOf(network, served);
    }
    const leads = saved !== null && end === step.from && saved.digest === (await contentDigest(content, pause));
    const steps = bounded([...(leads ? saved.steps : []), encodeStep(step)]);
    await this.saveSteps(origin, { network, image: shared, steps });
    return { steps, ambiguous: false };
  }

  /** The content that was served with this serial; null: it is not known. */
  private async contentOf(origin: WireName, network: string | null, serial: number): Promise<ZoneContent | null> {
    const octets = await this.files.readContent(origin);
    const content = octets === null ? null : decodeContent(octets);
    return content !== null && content.serial === serial && content.network === network ? content : null;
  }

  private async saveSteps(
    origin: WireName,
    { network, image, steps }: Pick<Kept, 'network' | 'image' | 'steps'>,
  ): Promise<void> {
    if (steps.length === 0) this.files.remove(origin);
    else {
      const digest = await imageDigest(ZoneImage.attach(image), () => this.slice.rest());
      this.files.save(origin, { network, digest, steps });
    }
  }

  private saveContent(origin: WireName, { network, image, ambiguous }: Kept): void {
    if (!this.keepsContents || ambiguous) this.files.removeContent(origin);
    else {
      this.files.saveContent(origin, () => {
        const slice = new Slice();
        return encodeContent(ZoneImage.attach(image), network, () => slice.rest());
      });
    }
  }

  private removeFiles(origin: WireName): void {
    this.files.remove(origin);
    this.files.removeContent(origin);
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
    this.zones.delete(origin);
    this.removeFiles(origin);
  }
}

/**
 * A static zone's serial is its operator's: without its content it is unknown whether the serial named another one
 * before.
 */
function nothingOf(network: string | null, served: number | null): Pick<Kept, 'steps' | 'ambiguous'> {
  return { steps: [], ambiguous: network === null && served !== null };
}

/** Records that may differ: beyond that, a secondary is better off with the whole zone. */
function mostOf(image: ZoneImage): number {
  return Math.max(100, Math.floor(image.recordCount / 2));
}

function bounded(all: readonly Uint8Array[]): readonly Uint8Array[] {
  let steps = all.slice(-STEPS_MAX);
  while (steps.length > 0 && octetsOf(steps) > ZONE_OCTETS_MAX) steps = steps.slice(1);
  return steps;
}

/** Whether each step begins with the serial that the one before ends with. */
function isChain(steps: readonly Uint8Array[]): boolean {
  return steps.every((step, i) => {
    if (decodeStep(step) === null) return false;
    return i + 1 === steps.length || stepSerials(step).to === stepSerials(steps[i + 1]).from;
  });
}

function octetsOf(steps: readonly Uint8Array[]): number {
  return steps.reduce((sum, { length }) => sum + length, 0);
}
