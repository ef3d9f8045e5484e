import type { WireName } from '../../dns/name.ts';
import { serialMax } from '../../dns/serial.ts';
import type { OwnContent, ReadyContent, SerialAuthority } from '../agreement/content.ts';
import { ownStep, type Remembered, type Standing, startContent, UNAGREED_SERIAL } from '../agreement/own-step.ts';
import { withSerial } from './load-zone.ts';
import type { NewVersion, Publisher, ServedZone } from './publish.ts';

export type AgreedOptions = {
  readonly authority: SerialAuthority;
  readonly publisher: Publisher;
  /** Serial of the live set that the zone has, or would have if it were not held; 0: none. */
  readonly liveSerial: (network: string, origin: WireName) => number;
  /** Epoch seconds. */
  readonly now: () => number;
};

/** What is served of a zone from now on; `changed` false: what was served before. */
export type Applied = { readonly served: ServedZone | null; readonly changed: boolean; readonly isGap: boolean };

/** Milliseconds for which a zone may wait before it is a fault. */
const WAIT_MS = 30_000;

/**
 * Versions of networks' zones whose contents several vantages agree upon: a new content waits here until it is in force
 * on all. Of a zone that has what is in force nothing is kept.
 */
export class AgreedVersions {
  private readonly options: AgreedOptions;
  /** The newest contents, of zones that serve another one. */
  private readonly waiting = new Map<WireName, ServedZone>();
  /** Zones that do not serve what is in force, or have a newer content, since when (`performance.now()`). */
  private readonly since = new Map<WireName, number>();
  private reports: ReadyContent[] = [];

  constructor(options: AgreedOptions) {
    this.options = options;
  }

  /** A content was loaded. `before`: what is served; null: nothing, or of another network. */
  offer(origin: WireName, network: string, before: ServedZone | null, good: NewVersion): Applied {
    this.waiting.delete(origin);
    if (before?.hash === good.hash) return this.report(origin, network, this.apply(origin, network, before, null));
    const { hash, records, signaturesEnd } = good;
    const known = this.options.authority.inForce(origin) ?? this.options.publisher.agreed(origin);
    // The image is made for the serial that it will most probably have: another one costs a copy.
    const serial = known === null ? UNAGREED_SERIAL : known.serial;
    const image = good.compile(serial);
    const newest: ServedZone = { hash, records, signaturesEnd, loadedAt: this.options.now(), serial, image };
    return this.report(origin, network, this.apply(origin, network, before, newest));
  }

  /** A static zone was loaded: its serial is the operator's, and it is served at once. */
  offerStatic(origin: WireName, { hash, serial }: Pick<ServedZone, 'hash' | 'serial'>): void {
    this.reports.push({ origin, network: null, hash: hash.slice(0, ID_DIGITS), serial, served: null });
  }

  /** Other things may be in force, or the zone has another live set. */
  look(origin: WireName, network: string, served: ServedZone | null): Applied {
    const applied = this.apply(origin, network, served, this.waiting.get(origin) ?? null);
    return applied.changed ? this.report(origin, network, applied) : applied;
  }

  /** What is left of a zone that went to another network. */
  moved(origin: WireName, served: ServedZone): ServedZone {
    this.waiting.delete(origin);
    this.note(origin, null);
    return asServed(served, UNAGREED_SERIAL, 'unagreed');
  }

  gone(origin: WireName): void {
    this.waiting.delete(origin);
    this.since.delete(origin);
    this.reports = this.reports.filter((report) => report.origin !== origin);
    this.options.authority.gone([origin]);
  }

  /** Hash of the newest content, if it waits. */
  newestHash(origin: WireName): string | null {
    return this.waiting.get(origin)?.hash ?? null;
  }

  /** Zones that do not serve what is in force, or have a newer content. */
  exceptions(): readonly WireName[] {
    return [...this.since.keys()];
  }

  /** Those of them that have waited for too long. */
  overdue(): readonly WireName[] {
    const until = performance.now() - WAIT_MS;
    return [...this.since].filter(([, since]) => since <= until).map(([origin]) => origin);
  }

  /** What the zone waits for, as a sentence. */
  problem(origin: WireName, served: ServedZone | null): string {
    const why = this.options.authority.why(origin);
    const because = why === null ? '' : ` (${why})`;
    switch (served?.standing) {
      case 'frozen':
        return `another content of the zone is in force on the other vantages and not here${because}: its last version is served as it was, with its live set, and not transferred until its file comes`;
      case 'unagreed':
        return `no content of the zone that is here is in force on the vantages${because}: it is answered, under serial ${UNAGREED_SERIAL}, and not transferred`;
      default:
        return `the zone's new content waits for the other vantages${because}: the one before is served until then`;
    }
  }

  /** Reports what was offered since the last call. */
  flush(): void {
    const { reports } = this;
    if (reports.length === 0) return;
    this.reports = [];
    this.options.authority.ready(reports);
  }

  private apply(origin: WireName, network: string, before: ServedZone | null, newest: ServedZone | null): Applied {
    const { authority, publisher, liveSerial } = this.options;
    const entry = publisher.agreed(origin);
    let served = before;
    let fresh = newest;
    if (before === null && newest !== null && entry !== null) {
      const content = startContent(rememberedOf(entry), contentId(network, newest.hash));
      if (content !== null) {
        served = asServed(newest, content.serial, 'agreed');
        fresh = null;
      }
    }
    const step = ownStep({
      served: served === null ? null : { ...idOf(network, served), standing: served.standing ?? 'unagreed' },
      newest: fresh === null ? null : contentId(network, fresh.hash),
      inForce: authority.inForce(origin) ?? entry?.lacked ?? null,
      live: liveSerial(network, origin),
    });
    let isGap = false;
    switch (step.kind) {
      case 'keep':
        break;
      case 'serve': {
        const isFresh = fresh !== null && contentId(network, fresh.hash) === step.content.hash;
        const base = isFresh ? fresh : served;
        if (base === null) break;
        if (isFresh) fresh = null;
        served = asServed(base, step.content.serial, 'agreed');
        isGap = step.isGap;
        publisher.agree(origin, network, base.hash, served.serial);
        break;
      }
      case 'freeze': {
        if (served !== null) served = { ...served, standing: 'frozen' };
        const lacked = authority.inForce(origin);
        if (lacked !== null) publisher.lack(origin, lacked);
        break;
      }
      case 'unagreed': {
        const base = fresh ?? served;
        if (base !== null) served = asServed(base, UNAGREED_SERIAL, 'unagreed');
        fresh = null;
      }
    }
    if (fresh === null) this.waiting.delete(origin);
    else this.waiting.set(origin, fresh);
    this.note(origin, served);
    return { served, changed: served !== before, isGap };
  }

  private note(origin: WireName, served: ServedZone | null): void {
    if (served?.standing === 'agreed' && !this.waiting.has(origin)) this.since.delete(origin);
    else if (!this.since.has(origin)) this.since.set(origin, performance.now());
  }

  private report(origin: WireName, network: string, applied: Applied): Applied {
    const newest = this.waiting.get(origin) ?? applied.served;
    if (newest === null) return applied;
    const { publisher, liveSerial } = this.options;
    const entry = publisher.agreed(origin);
    const served = entry === null || entry.network === null ? null : idOf(entry.network, entry);
    const own: OwnContent = {
      network,
      hash: contentId(network, newest.hash),
      serial: serialMax(publisher.serialOf(origin), liveSerial(network, origin)),
      served,
    };
    this.reports.push({ origin, ...own });
    return applied;
  }
}

/** Octets of a hash that are enough to tell contents apart, in hex digits: a hundred thousand of them are reported. */
const ID_DIGITS = 32;

/** A zone in another network has another live set, so it has another content. */
function contentId(network: string, hash: string): string {
  return `${hash.slice(0, ID_DIGITS)} ${network}`;
}

function idOf(network: string, { hash, serial }: Pick<ServedZone, 'hash' | 'serial'>): Omit<Remembered, 'lacked'> {
  return { hash: contentId(network, hash), serial };
}

function rememberedOf(entry: NonNullable<ReturnType<Publisher['agreed']>>): Remembered | null {
  if (entry.network === null || entry.goneAt !== null) return null;
  return { ...idOf(entry.network, entry), lacked: entry.lacked ?? null };
}

function asServed(base: ServedZone, serial: number, standing: Standing): ServedZone {
  const image = base.serial === serial ? base.image : withSerial(base.image, serial);
  return { ...base, serial, image, standing };
}
