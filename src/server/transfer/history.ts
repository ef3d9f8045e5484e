import { serialCompare, serialMax } from '../../dns/serial.ts';
import { withoutRepeats } from '../../live/addresses.ts';
import { LiveHistory } from '../../live/history.ts';
import type { ZoneImage } from '../../zones/image/image.ts';
import { type LiveSet, liveSets } from '../../zones/image/live-sets.ts';
import type { LiveAddresses } from '../../zones/image/live-version.ts';
import { soaOf } from '../../zones/journal/diff.ts';
import {
  decodeStep,
  recordKey,
  type StepRecord,
  stepSerials,
  withSerial,
  type ZoneStep,
} from '../../zones/journal/step.ts';
import type { ThreadHistory } from './handler-types.ts';
import type { ZoneVersion } from './version.ts';

/** What leads from an older version of a zone to the one being transferred; the SOA is not among the records. */
export type Difference = {
  readonly oldSoa: StepRecord;
  readonly removed: readonly StepRecord[];
  readonly added: readonly StepRecord[];
};

const A = 1;
const LIVE_RECORD_OCTETS = 32;

/** What an answering thread knows of the versions before: the slots' live sets and the zones' contents. */
export class TransferHistory {
  private readonly live = new LiveHistory();
  /** By zone: encoded, oldest first. */
  private readonly steps = new Map<number, readonly Uint8Array[]>();

  note({ live, steps }: ThreadHistory): void {
    this.live.add(live);
    for (const { zone, steps: list } of steps) {
      if (list.length === 0) this.steps.delete(zone);
      else this.steps.set(zone, list);
    }
  }

  /**
   * The condensed difference (RFC 1995 §5) between the version with `serial` and this one; null: that version is not
   * known any more, or never was one, or more than `octetsMax` octets of changes would have to be condensed. A version
   * is one content and one live set, each the newest at that serial.
   */
  difference(
    { zone, live, serial: current }: ZoneVersion,
    serial: number,
    octetsMax: number = Number.POSITIVE_INFINITY,
  ): Difference | null {
    const { image, slots } = zone;
    if (image === null || serialCompare(serial, current) >= 0) return null;
    const steps = this.stepsFrom(zone.zone, image, serial, octetsMax);
    if (steps === null) return null;
    const liveThen = slots.length === 0 ? null : this.live.at(slots[0], serial);
    const contentSerial = steps.length === 0 ? image.serial : steps[0].from;
    if (serialMax(contentSerial, liveThen?.serial ?? 0) !== serial) return null;
    if (image.isLive && (live === null || liveThen === null)) return null;
    const setsThen = steps.length === 0 ? liveSets(image) : steps[0].live;
    const soa = steps.length === 0 ? soaOf(image) : steps[0].soa;
    if (soa === null) return null;
    const liveOctets = octetsOf(setsThen, liveThen) + octetsOf(liveSets(image), live);
    if (liveOctets > octetsMax) return null;
    const fold = new Fold();
    for (const { removed, added } of steps) fold.step(removed, added);
    fold.step(liveRecords(setsThen, liveThen), liveRecords(liveSets(image), live));
    return { oldSoa: withSerial(soa, serial), ...fold.result() };
  }

  /**
   * The steps from the content that was served at `serial` to the image's; null: they are not known, or are too large.
   */
  private stepsFrom(zone: number, image: ZoneImage, serial: number, octetsMax: number): readonly ZoneStep[] | null {
    if (serialCompare(image.serial, serial) <= 0) return [];
    const list = this.steps.get(zone) ?? [];
    // The journal may be ahead of our image or behind it for a moment.
    const end = list.findIndex((step) => stepSerials(step).to === image.serial);
    const known = list.slice(0, end + 1);
    const start = known.findLastIndex((step) => serialCompare(stepSerials(step).from, serial) <= 0);
    if (start < 0) return null;
    const wanted = known.slice(start);
    if (wanted.reduce((sum, { length }) => sum + length, 0) > octetsMax) return null;
    const steps = wanted.map(decodeStep);
    return steps.every((step) => step !== null) ? steps : null;
  }
}

/** Adds up steps: what goes and comes again, or comes and goes again, is no difference. */
class Fold {
  private readonly removed = new Map<string, StepRecord>();
  private readonly added = new Map<string, StepRecord>();

  step(removed: readonly StepRecord[], added: readonly StepRecord[]): void {
    for (const record of removed) {
      const key = recordKey(record);
      if (!this.added.delete(key)) this.removed.set(key, record);
    }
    for (const record of added) {
      const key = recordKey(record);
      if (!this.removed.delete(key)) this.added.set(key, record);
    }
  }

  result(): { readonly removed: readonly StepRecord[]; readonly added: readonly StepRecord[] } {
    return { removed: [...this.removed.values()], added: [...this.added.values()] };
  }
}

/** Octets, roughly, of the records that live RRsets have with these addresses. */
function octetsOf(sets: readonly LiveSet[], live: LiveAddresses | null): number {
  return live === null ? 0 : sets.length * Math.max(live.v4.length, live.v6.length) * LIVE_RECORD_OCTETS;
}

/** The records that live RRsets have with these addresses, each once. */
function liveRecords(sets: readonly LiveSet[], live: LiveAddresses | null): StepRecord[] {
  if (live === null) return [];
  const [v4, v6] = [withoutRepeats(live.v4), withoutRepeats(live.v6)];
  return sets.flatMap(({ owner, type, ttl }) => (type === A ? v4 : v6).map((rdata) => ({ owner, type, ttl, rdata })));
}
