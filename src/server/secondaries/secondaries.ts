import { lookup } from 'node:dns/promises';
import { join } from 'node:path';
import { journalFolder } from '../../config/paths.ts';
import type { Config, TransferConfig } from '../../config/types.ts';
import type { WireName } from '../../dns/name.ts';
import type { LiveRRsets } from '../../live/live-rrsets.ts';
import type { ZoneVersions } from '../../live/zone-versions.ts';
import { Notifier, type NotifyCounts } from '../../publish/notify/notifier.ts';
import type { Guard } from '../../system/guard.ts';
import type { Log } from '../../system/log-events.ts';
import type { JournalZone } from '../../zones/journal/journal.ts';
import type { ZoneStore } from '../../zones/store/store.ts';
import type { ZoneChange } from '../../zones/store/types.ts';
import type { SecondaryView } from '../control/views/views.ts';
import type { DnsService } from '../transport/threads/dns-service.ts';
import { Catalogs } from './catalogs.ts';
import { SoaPoller } from './soa-poller.ts';
import { TransferJournal } from './transfer-journal.ts';
import { TransferableZones } from './transferable-zones.ts';

export type SecondariesOptions = {
  readonly config: Config;
  readonly live: LiveRRsets;
  readonly store: Pick<ZoneStore, 'entry' | 'entries' | 'servedBefore'>;
  /** Those that are served. */
  readonly networks: () => readonly string[];
  readonly dns: DnsService;
  /** Every query sees these zones' new contents, and the journal has them: whoever follows may be told. */
  readonly onContentsServed: (origins: readonly WireName[]) => void;
  readonly log: Log;
  readonly guard: Guard;
};

const NAME = 'secondaries';

/**
 * The other servers that carry our zones, as the main thread sees them. Every new version of a zone reaches `announce`:
 * NOTIFY goes out, and each secondary is asked until it has that serial.
 */
export class Secondaries {
  private readonly options: SecondariesOptions;
  private readonly zones: TransferableZones;
  private readonly catalogs: Catalogs;
  private readonly journal: TransferJournal;
  private readonly notifier: Notifier;
  private poller: SoaPoller;
  private transfer: TransferConfig;

  constructor(options: SecondariesOptions) {
    this.options = options;
    const { config, live, store, dns, log, guard } = options;
    const warn = (message: string): void => log('warn', message, 'transfer.memory_unusable');
    this.transfer = config.transfer;
    this.catalogs = new Catalogs(join(journalFolder(config), 'catalogs.json'), warn);
    this.zones = new TransferableZones(store, live, this.catalogs);
    this.journal = new TransferJournal({ config, store, onSteps: (steps) => dns.journalChanged(steps), warn });
    this.poller = this.makePoller(config.transfer);
    this.notifier = new Notifier({
      transfer: config.transfer,
      listen: config.server.listen,
      soa: (zone) => this.zones.soa(zone),
      image: (zone) => this.zones.image(zone),
      lookup: (name) => lookup(name, { all: true }),
      log,
      guard,
    });
  }

  /** Takes up what earlier runs remember, once all zones are loaded and before anybody is answered. */
  async open(): Promise<void> {
    this.updateCatalogs();
    const catalogs = this.catalogs.origins().flatMap((origin) => this.catalogs.get(origin) ?? []);
    // What nobody agreed upon has no serial that a difference could lead from or to.
    const zones = this.options.store.entries().map(({ origin, network, image, standing }) => {
      return { origin, network, image: standing === 'unagreed' ? null : image };
    });
    await this.journal.open([...zones, ...catalogs]);
  }

  /** To be called once the threads know the new keys and rules, since a secondary that is notified comes at once. */
  configure(transfer: TransferConfig): void {
    const { notify, watchSeconds } = this.transfer;
    this.transfer = transfer;
    this.journal.configure(transfer);
    // Other catalogs may be wanted now; what the zones themselves bring comes with their changes.
    this.options.guard.run(NAME, this.contentsChanged([]));
    const versions = this.zones.allVersions();
    this.notifier.configure(transfer, versions);
    // What is known of the secondaries stays known where the same ones are asked.
    if (JSON.stringify([notify, watchSeconds]) === JSON.stringify([transfer.notify, transfer.watchSeconds])) return;
    this.poller.stop();
    this.poller = this.makePoller(transfer);
    this.poller.apply(versions);
  }

  /** These zones have new serials, and every query sees them. */
  serialsRose(origins: readonly WireName[]): void {
    if (this.hasFollowers) this.announce(this.zones.versions(origins));
  }

  /** All zones may be new to all secondaries. */
  announceAll(): void {
    if (this.hasFollowers) this.announce(this.zones.allVersions());
  }

  /**
   * These zones have new contents. A secondary comes at once, so every thread must know them before it is notified:
   * `onContentsServed`.
   */
  async contentsChanged(changes: readonly ZoneChange[]): Promise<void> {
    const changed: readonly JournalZone[] = [
      ...changes
        .filter((change) => change.kind !== 'image' || (change.standing ?? 'agreed') === 'agreed')
        .map((change) => ({ ...change, image: change.kind === 'image' ? change.image : null })),
      ...this.updateCatalogs(),
    ];
    for (const { kind, origin } of changes) if (kind === 'gone') this.forget(origin);
    await this.journal.changed(changed);
    await this.options.dns.settled();
    this.options.onContentsServed(changed.map(({ origin }) => origin));
  }

  /** What is known of each secondary and zone. */
  views(): readonly SecondaryView[] {
    return this.poller.views();
  }

  /** How NOTIFY fared, since the start. */
  notifyCounts(): NotifyCounts {
    return this.notifier.counts();
  }

  /** What cannot be done at present, a sentence each. */
  faults(): readonly string[] {
    return [...this.notifier.faults(), ...this.catalogs.faults(), ...this.journal.faults()];
  }

  async stop(): Promise<void> {
    this.notifier.stop();
    this.poller.stop();
    await this.journal.close();
    await this.catalogs.close();
  }

  private get hasFollowers(): boolean {
    return this.transfer.notify.length > 0 || this.transfer.notifyNs;
  }

  private announce(versions: ZoneVersions): void {
    this.notifier.apply(versions);
    this.poller.apply(versions);
  }

  private forget(origin: WireName): void {
    this.notifier.forget(origin);
    this.poller.forget(origin);
  }

  private makePoller({ notify, watchSeconds }: TransferConfig): SoaPoller {
    const { log, guard } = this.options;
    return new SoaPoller({
      targets: notify,
      intervalSeconds: watchSeconds,
      onBehind: (target, zone, serial) => this.notifier.again(target, zone, serial),
      log,
      guard,
    });
  }

  /** Hands the threads the catalogs that are not what they were. */
  private updateCatalogs(): readonly JournalZone[] {
    const { store, dns, networks } = this.options;
    // Zones that do not load stay members: secondaries keep what they have of them, and throw away what leaves a
    // catalog.
    const { changed, gone } = this.catalogs.update(
      this.transfer.catalog,
      networks(),
      store.entries(),
      Date.now() / 1000,
    );
    for (const { origin } of gone) this.forget(origin);
    const updates = [...changed, ...gone.map((catalog) => ({ ...catalog, image: null }))];
    if (updates.length > 0) dns.catalogsChanged(updates);
    return updates;
  }
}
