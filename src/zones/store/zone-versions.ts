import type { WireName } from '../../dns/name.ts';
import type { AgreedVersions, Applied } from './agreed-versions.ts';
import { type Hold, unsettledFault } from './hold.ts';
import type { LoadResult } from './load-target.ts';
import type { NewVersion, Publisher, ServedZone } from './publish.ts';
import type { StoreFault, ZoneEntry } from './types.ts';
import { sameSource, Zone, type ZoneSource } from './zone-entry.ts';

/** What one look at everything did, in zones. */
export type Counts = { loaded: number; unchanged: number; failed: number; removed: number };

/** What came of loading a zone here or in the other thread. */
export type Outcome = Omit<LoadResult, 'good'> & { readonly good: NewVersion | null };

type VersionsOptions = {
  readonly publisher: Publisher;
  /** Null: this process alone gives serials. */
  readonly agreed?: AgreedVersions | null;
  readonly onFaults: (entry: ZoneEntry, faults: readonly StoreFault[]) => void;
  /** Wants another pass after so many milliseconds. */
  readonly again: (ms: number) => void;
};

/**
 * What is known of every zone, and what becomes of it when a version was loaded, has to wait, or its file is gone:
 * each change is handed to the publisher.
 */
export class ZoneVersions {
  readonly zones = new Map<WireName, Zone>();
  /** Zones by their own file. */
  readonly byFile = new Map<string, WireName>();
  /** Zones whose files were not settled in the last pass. */
  waiting: Set<WireName> = new Set();
  /** A zone was loaded or went, or the settings are others, since a pass cleared it. */
  dirty = true;
  counts: Counts = { loaded: 0, unchanged: 0, failed: 0, removed: 0 };
  private readonly hold: Hold;
  private readonly options: VersionsOptions;
  private readonly numbers = new Map<WireName, number>();

  constructor(hold: Hold, options: VersionsOptions) {
    this.hold = hold;
    this.options = options;
  }

  /** What was loaded is published, unless it equals what is served or looks cut off. */
  settle(origin: WireName, source: ZoneSource, result: Outcome): void {
    const { target } = source;
    const { network } = target;
    const { files, good } = result;
    const was = this.zones.get(origin) ?? null;
    const before = was?.served ?? null;
    const why = good === null ? null : this.doubt(origin, source, was, files, good);
    if (why !== null) {
      this.doubted(origin, source, was, files, why);
      return;
    }
    if (was !== null && !was.failed && sameSource(was.source, source) && sameFiles(was.files, files)) {
      this.counts.unchanged++; // the other thread read it to find that out
      if (was.unsettled) this.settled(was);
      return;
    }
    const moved = was !== null && was.network !== network;
    const zone = this.numberOf(origin);
    const { publisher } = this.options;
    let served: ServedZone | null = before;
    let warning: StoreFault | null = null;
    const { agreed = null } = this.options;
    if (agreed !== null && network !== null) {
      served = this.agreeUpon(agreed, origin, network, zone, moved ? null : before, good);
      if (served === null && before !== null && good === null) {
        served = agreed.moved(origin, before);
        publisher.push({ kind: 'image', zone, origin, network, image: served.image, standing: 'unagreed' });
      }
    } else if (good !== null && (before === null || moved || before.hash !== good.hash)) {
      ({ served, warning } = publisher.assign(origin, target, was?.network ?? null, good));
      agreed?.offerStatic(origin, served);
      publisher.push({ kind: 'image', zone, origin, network, image: served.image }, served);
    } else if (good === null && before === null) {
      publisher.push({ kind: 'broken', zone, origin, network });
    } else if (good === null && before !== null && moved) {
      // What is left of it goes on, with the live set of the network it belongs to now.
      publisher.push({ kind: 'image', zone, origin, network, image: before.image }, before);
    }
    this.hold.release(origin, files.keys());
    const faults = warning === null ? result.faults : [...result.faults, warning];
    this.counts[good === null ? 'failed' : 'loaded']++;
    this.note(new Zone({ zone, source, files, faults, failed: good === null, served }));
  }

  /** What is served of a zone of which several vantages agree upon the content; null: `before`, of another network. */
  private agreeUpon(
    agreed: AgreedVersions,
    origin: WireName,
    network: string,
    zone: number,
    before: ServedZone | null,
    good: NewVersion | null,
  ): ServedZone | null {
    if (good === null) {
      if (before === null && !this.zones.get(origin)?.served)
        this.options.publisher.push({ kind: 'broken', zone, origin, network });
      return before;
    }
    const newest = agreed.newestHash(origin) ?? before?.hash;
    if (newest === good.hash) return before;
    return this.handOver(origin, network, zone, agreed.offer(origin, network, before, good));
  }

  /**
   * Another content of the zone may be in force on the vantages, or its live set is another. Nothing is changed where
   * this says nothing new.
   */
  agree(origin: WireName): void {
    const { agreed = null } = this.options;
    const was = this.zones.get(origin);
    if (agreed === null || was === undefined || was.network === null) return;
    const applied = agreed.look(origin, was.network, was.served);
    if (!applied.changed) return;
    const served = this.handOver(origin, was.network, was.zone, applied);
    this.note(was.with({ served, faults: was.faults.filter(({ code }) => code !== 'zone-not-agreed') }));
  }

  /** Says of a zone that it has waited for too long. */
  overdue(origin: WireName): void {
    const { agreed = null } = this.options;
    const was = this.zones.get(origin);
    if (agreed === null || was === undefined || was.failed) return;
    if (was.faults.some(({ code }) => code === 'zone-not-agreed')) return;
    const at = { file: was.file, line: 1, col: 1, text: '' };
    const message = agreed.problem(origin, was.served);
    this.note(was.with({ faults: [...was.faults, { severity: 'warning', code: 'zone-not-agreed', at, message }] }));
  }

  private handOver(origin: WireName, network: string, zone: number, applied: Applied): ServedZone | null {
    const { served, changed, isGap } = applied;
    if (!changed || served === null) return served;
    const { image, standing = 'unagreed' } = served;
    this.options.publisher.push({ kind: 'image', zone, origin, network, image, standing, isGap }, served);
    return served;
  }

  /** Why a version that could be served should wait; null: it need not. */
  private doubt(
    origin: WireName,
    source: ZoneSource,
    was: Zone | null,
    files: LoadResult['files'],
    good: NewVersion,
  ): string | null {
    const { hold } = this;
    if (was?.served === null || was === null) {
      const remembered = this.options.publisher.rememberedHash(origin);
      return remembered === null || remembered === good.hash ? null : hold.firstDoubt(origin, files);
    }
    if (was.served.hash === good.hash || !sameSource(was.source, source)) return null;
    return hold.doubt(origin, was.files, files, { before: was.served.records, after: good.records });
  }

  /** A version looks cut off: the one in use stays until the files were quiet for longer. */
  private doubted(
    origin: WireName,
    source: ZoneSource,
    was: Zone | null,
    files: LoadResult['files'],
    why: string,
  ): void {
    this.waiting.add(origin);
    this.options.again(this.hold.doubtLeft(origin));
    const isServed = was?.served != null;
    const effect = isServed ? 'its version before stays served' : 'it is not served';
    const message = `the zone may still be being written (${why}): ${effect} until its files are quiet`;
    if (was?.unsettled === true && was.faults[0]?.message === message) return;
    const zone = this.numberOf(origin);
    if (!isServed) this.options.publisher.push({ kind: 'broken', zone, origin, network: source.target.network });
    const faults = [unsettledFault(isServed ? 'warning' : 'error', source.target, message)];
    const from = was?.files ?? new Map(Array.from(files.keys(), (path) => [path, '']));
    const served = was?.served ?? null;
    const previous = was?.previous ?? was;
    this.note(new Zone({ zone, source, files: from, faults, failed: !isServed, served, unsettled: true, previous }));
  }

  /** The files of a zone are still being written. */
  wait(source: ZoneSource, ms: number, overdue: boolean): void {
    if (this.zones.has(source.target.origin)) this.counts.unchanged++;
    this.waiting.add(source.target.origin);
    this.options.again(ms);
    if (!overdue) return;
    const { target } = source;
    const { origin, network } = target;
    const was = this.zones.get(origin) ?? null;
    if (was?.failed === true && was.unsettled) return;
    const zone = this.numberOf(origin);
    const served = was?.served ?? null;
    const effect = served === null ? 'it is not served' : 'its version before stays served';
    const message = `the zone's files have been changing without a pause for too long: ${effect}. Write a copy and rename it`;
    if (was === null) this.options.publisher.push({ kind: 'broken', zone, origin, network });
    const files = was?.files ?? new Map([[target.file, '']]);
    const faults = [unsettledFault('error', target, message)];
    const previous = was?.previous ?? was;
    this.note(new Zone({ zone, source, files, faults, failed: true, served, unsettled: true, previous }));
  }

  /** The files are again what the zone in use was made from. */
  settled({ origin, files, previous }: Zone): void {
    this.hold.release(origin, files.keys());
    if (previous !== null) this.note(previous);
  }

  private note(zone: Zone): void {
    const hadFaults = (this.zones.get(zone.origin)?.faults.length ?? 0) > 0;
    this.zones.set(zone.origin, zone);
    this.byFile.set(zone.file, zone.origin);
    this.dirty = true;
    if (hadFaults || zone.faults.length > 0) this.options.onFaults(zone, zone.faults);
  }

  /** A zone that has no file any more. */
  remove({ zone, origin, network, file, files }: Zone): void {
    const { publisher } = this.options;
    this.zones.delete(origin);
    this.byFile.delete(file);
    this.hold.release(origin, files.keys());
    this.dirty = true;
    publisher.gone(origin);
    this.options.agreed?.gone(origin);
    publisher.push({ kind: 'gone', zone, origin, network });
    this.counts.removed++;
  }

  private numberOf(origin: WireName): number {
    const number = this.numbers.get(origin) ?? this.numbers.size;
    this.numbers.set(origin, number);
    return number;
  }
}

function sameFiles(a: Zone['files'], b: Zone['files']): boolean {
  return a.size === b.size && [...a].every(([path, hash]) => b.get(path) === hash);
}
