import { lookup } from 'node:dns/promises';
import { join } from 'node:path';
import type { Config, TransferConfig } from '../../config/types.ts';
import type { WireName } from '../../dns/name.ts';
import { serialMax } from '../../dns/serial.ts';
import type { LiveRRsets } from '../../live/live-rrsets.ts';
import type { ZoneVersions } from '../../live/zone-versions.ts';
import { Notifier, type NotifyCounts } from '../../publish/notify/notifier.ts';
import { Guard } from '../../system/guard.ts';
import type { Log } from '../../system/log.ts';
import { ZoneImage } from '../../zones/image/image.ts';
import { soaOf } from '../../zones/journal/diff.ts';
import { JournalFolder } from '../../zones/journal/files.ts';
import { ContentJournal, type JournalZone } from '../../zones/journal/journal.ts';
import { CLASS_IN } from '../../zones/records/record-store.ts';
import type { ZoneStore } from '../../zones/store/store.ts';
import type { ZoneChange } from '../../zones/store/types.ts';
import type { SecondaryView } from '../control/views.ts';
import { withSerial } from '../transfer/history.ts';
import type { DnsService } from '../transport/threads/dns-service.ts';
import { Catalogs } from './catalogs.ts';
import { SoaPoller } from './soa-poller.ts';

export type SecondariesOptions = {
  readonly config: Config;
  readonly board: LiveRRsets;
  readonly store: Pick<ZoneStore, 'entry' | 'entries' | 'servedBefore'>;
  /** Those that are served. */
  readonly networks: () => readonly string[];
  readonly dns: DnsService;
  readonly log: Log;
  readonly guard?: Guard;
};

/** What a zone is at one moment, for those who carry it. */
type Current = { readonly network: string | null; readonly image: SharedArrayBuffer; readonly serial: number };

/** The other servers that carry our zones, as the main thread sees them: who must be told what. */
export class Secondaries {
  private readonly options: SecondariesOptions;
  private readonly notifier: Notifier;
  private readonly journal: ContentJournal;
  private watch: SoaPoller;
  private readonly catalogs: Catalogs;
  private transfer: TransferConfig;
  private readonly guard: Guard;

  constructor(options: SecondariesOptions) {
    this.options = options;
    this.guard =
      options.guard ?? new Guard({ report: (_, text) => options.log.error(text), now: () => Date.now() / 1000 });
    const { config, log, store } = options;
    this.journal = new ContentJournal({
      files: new JournalFolder(journalFolder(config), (message) => log.warn(message)),
      // Catalogs are made anew from the zones there are; their serials are not durable before they are served.
      servedBefore: (origin, network) => store.servedBefore(origin, network),
    });
    this.journal.keepContents(config.transfer.allow.length > 0);
    this.transfer = config.transfer;
    this.catalogs = new Catalogs(join(journalFolder(config), 'catalogs.json'));
    this.watch = this.makeWatch(config.transfer);
    this.notifier = new Notifier({
      transfer: config.transfer,
      listen: config.server.listen,
      soa: (zone) => this.soaOf(zone),
      image: (zone) => this.imageOf(zone),
      lookup: (name) => lookup(name, { all: true }),
      log: (level, message) => log[level](message),
      guard: this.guard,
    });
  }

  /** Takes up what earlier runs remember, once all zones are loaded and before anybody is answered. */
  async open(): Promise<void> {
    this.updateCatalogs();
    const catalogs = this.catalogs.origins().map((origin) => this.catalogs.get(origin));
    await this.journal.open([...this.options.store.entries(), ...catalogs.filter((catalog) => catalog !== null)]);
    this.tellJournal(this.journal.journalled());
  }

  /** To be called once the threads know the new keys and rules, since a secondary that is told comes at once. */
  configure(transfer: TransferConfig): void {
    const { notify, watchSeconds } = this.transfer;
    this.transfer = transfer;
    this.journal.keepContents(transfer.allow.length > 0);
    // Others may be wanted now; what the zones themselves bring comes with their changes.
    void this.contentChanged([]);
    const zones = this.zonesOf(this.all());
    this.notifier.configure(transfer, zones);
    // What is known of the secondaries stays known where the same ones are watched.
    if (JSON.stringify([notify, watchSeconds]) === JSON.stringify([transfer.notify, transfer.watchSeconds])) return;
    this.watch.stop();
    this.watch = this.makeWatch(transfer);
    this.watch.apply(zones);
  }

  /** What is known of each secondary and zone. */
  views(): readonly SecondaryView[] {
    return this.watch.views();
  }

  /** How NOTIFY fared, since the start. */
  notifyCounts(): NotifyCounts {
    return this.notifier.counts();
  }

  /** What NOTIFY could not do, a sentence each. */
  faults(): readonly string[] {
    return this.notifier.faults();
  }

  private makeWatch({ notify, watchSeconds }: TransferConfig): SoaPoller {
    return new SoaPoller({
      targets: notify,
      intervalSeconds: watchSeconds,
      onBehind: (target, zone, serial) => this.notifier.again(target, zone, serial),
      log: (level, message) => this.options.log[level](message),
      guard: this.guard,
    });
  }

  /** These zones have new serials, and every query sees them. */
  changed(origins: readonly WireName[]): void {
    if (!this.hasListeners) return;
    const zones = this.zonesOf(origins);
    this.notifier.apply(zones);
    this.watch.apply(zones);
  }

  /** All zones may be new to everybody. */
  changedAll(): void {
    if (this.hasListeners) this.changed(this.all());
  }

  private get hasListeners(): boolean {
    return this.transfer.notify.length > 0 || this.transfer.notifyNs;
  }

  private zonesOf(origins: readonly WireName[]): ZoneVersions {
    return origins.flatMap((zone) => {
      const current = this.current(zone);
      return current === null ? [] : [{ origin: zone, network: current.network, serial: current.serial }];
    });
  }

  /** These zones have new contents. A secondary asks back at once, so every thread must know them before it is told. */
  async contentChanged(changes: readonly ZoneChange[]): Promise<void> {
    const catalogs = this.updateCatalogs();
    const origins = [...changes, ...catalogs].map(({ origin }) => origin);
    await this.journal.changed([
      ...changes.map((change) => ({ ...change, image: change.kind === 'image' ? change.image : null })),
      ...catalogs,
    ]);
    for (const { kind, origin } of changes) if (kind === 'gone') this.forget(origin);
    this.tellJournal(origins);
    await this.options.dns.settled();
    this.changed(origins);
  }

  private forget(origin: WireName): void {
    this.watch.forget(origin);
    this.notifier.forget(origin);
  }

  async stop(): Promise<void> {
    this.notifier.stop();
    this.watch.stop();
    await this.journal.close();
    await this.catalogs.close();
  }

  private tellJournal(origins: readonly WireName[]): void {
    this.options.dns.journalChanged(new Map(origins.map((origin) => [origin, this.journal.stepsOf(origin)])));
  }

  /** Every zone there is, catalogs among them. */
  all(): readonly WireName[] {
    return [...this.options.store.entries().map(({ origin }) => origin), ...this.catalogs.origins()];
  }

  /** Tells the threads of catalogs that are not what they were. */
  private updateCatalogs(): readonly JournalZone[] {
    const { store, dns, networks } = this.options;
    // Also zones that do not load: secondaries go on with what they have of them, where they would throw away what left.
    const { changed, gone } = this.catalogs.update(
      this.transfer.catalog,
      networks(),
      store.entries(),
      Date.now() / 1000,
    );
    const updates = [...changed, ...gone.map((catalog) => ({ ...catalog, image: null }))];
    if (updates.length > 0) dns.catalogsChanged(updates);
    return updates;
  }

  /** Null: nothing that a secondary could take over. */
  private current(zone: WireName): Current | null {
    const catalog = this.catalogs.get(zone);
    if (catalog !== null) {
      return { network: catalog.network, image: catalog.image, serial: catalog.serial };
    }
    const entry = this.options.store.entry(zone);
    if (entry === null || entry.image === null) return null;
    const live = this.options.board.versionOf(entry.network, zone);
    if (live?.serial === 0) return null;
    return { network: entry.network, image: entry.image, serial: serialMax(entry.serial, live?.serial ?? 0) };
  }

  private imageOf(zone: WireName): ZoneImage | null {
    const image = this.options.store.entry(zone)?.image ?? null;
    return image === null ? null : ZoneImage.attach(image);
  }

  /** Type, class, TTL, length and rdata of the zone's SOA as it is answered now. */
  private soaOf(zone: WireName): Uint8Array | null {
    const current = this.current(zone);
    if (current === null) return null;
    const soa = soaOf(ZoneImage.attach(current.image));
    if (soa === null) return null;
    const { type, ttl, rdata } = withSerial(soa, current.serial);
    const head = new Uint8Array(10);
    const view = new DataView(head.buffer);
    view.setUint16(0, type);
    view.setUint16(2, CLASS_IN);
    view.setUint32(4, ttl);
    view.setUint16(8, rdata.length);
    return Buffer.concat([head, rdata]);
  }
}

/** Where histories and journals are remembered. */
export function journalFolder({ stateDir }: Config): string {
  return join(stateDir, 'journal');
}
