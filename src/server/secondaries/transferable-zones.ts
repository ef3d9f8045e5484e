import type { WireName } from '../../dns/name.ts';
import { serialMax } from '../../dns/serial.ts';
import type { LiveRRsets } from '../../live/live-rrsets.ts';
import type { ZoneVersion, ZoneVersions } from '../../live/zone-versions.ts';
import { ZoneImage } from '../../zones/image/image.ts';
import { soaOf } from '../../zones/journal/diff.ts';
import { withSerial } from '../../zones/journal/step.ts';
import { CLASS_IN } from '../../zones/records/record-store.ts';
import type { ZoneStore } from '../../zones/store/store.ts';
import type { Catalogs } from './catalogs.ts';

/** A zone as it is answered at one moment. */
type Current = ZoneVersion & { readonly image: SharedArrayBuffer };

/** The zones that secondaries can take over, catalogs among them, as they are answered right now. */
export class TransferableZones {
  private readonly store: Pick<ZoneStore, 'entry' | 'entries'>;
  private readonly live: LiveRRsets;
  private readonly catalogs: Catalogs;

  constructor(store: Pick<ZoneStore, 'entry' | 'entries'>, live: LiveRRsets, catalogs: Catalogs) {
    this.store = store;
    this.live = live;
    this.catalogs = catalogs;
  }

  /** Of all of them. */
  allVersions(): ZoneVersions {
    return this.versions([...this.store.entries().map(({ origin }) => origin), ...this.catalogs.origins()]);
  }

  /** Of these, as far as there is something to be taken over. */
  versions(origins: readonly WireName[]): ZoneVersions {
    return origins.flatMap((origin) => this.current(origin) ?? []);
  }

  /** The zone's contents; null: it is not served here, or a catalog. */
  image(origin: WireName): ZoneImage | null {
    const image = this.store.entry(origin)?.image ?? null;
    return image === null ? null : ZoneImage.attach(image);
  }

  /** Type, class, TTL, length and rdata of the zone's SOA record, without a compressed name; null: there is none. */
  soa(origin: WireName): Uint8Array | null {
    const current = this.current(origin);
    const soa = current === null ? null : soaOf(ZoneImage.attach(current.image));
    if (current === null || soa === null) return null;
    const { type, ttl, rdata } = withSerial(soa, current.serial);
    const head = new Uint8Array(10);
    const view = new DataView(head.buffer);
    view.setUint16(0, type);
    view.setUint16(2, CLASS_IN);
    view.setUint32(4, ttl);
    view.setUint16(8, rdata.length);
    return Buffer.concat([head, rdata]);
  }

  private current(origin: WireName): Current | null {
    const catalog = this.catalogs.get(origin);
    if (catalog !== null) {
      return { origin, network: catalog.network, image: catalog.image, serial: catalog.serial };
    }
    const entry = this.store.entry(origin);
    // A version that the other vantages do not serve is nobody's to take over.
    if (entry === null || entry.image === null) return null;
    if ((entry.standing ?? 'agreed') !== 'agreed') return null;
    const live = this.live.versionOf(entry.network, origin);
    if (live?.serial === 0) return null; // no live set yet
    const serial = serialMax(entry.serial, live?.serial ?? 0);
    return { origin, network: entry.network, image: entry.image, serial };
  }
}
