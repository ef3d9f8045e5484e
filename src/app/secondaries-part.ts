import type { Config } from '../config/types.ts';
import type { WireName } from '../dns/name.ts';
import type { LiveRRsets } from '../live/live-rrsets.ts';
import { NO_NOTIFY, type NotifyCounts } from '../publish/notify/notifier.ts';
import type { SecondaryView } from '../server/control/views/views.ts';
import { Secondaries } from '../server/secondaries/secondaries.ts';
import type { Guard } from '../system/guard.ts';
import type { Log } from '../system/log-events.ts';
import type { ZoneStore } from '../zones/store/store.ts';
import type { ZoneChange } from '../zones/store/types.ts';
import type { DnsPart } from './dns-part.ts';
import { type Part, part, ready } from './part.ts';

export type SecondariesPartOptions = {
  readonly config: Config;
  readonly live: LiveRRsets;
  readonly store: ZoneStore;
  readonly networks: () => readonly string[];
  readonly dns: DnsPart;
  /** Every query sees these zones' new contents, and the journal has them. */
  readonly onContentsServed: (origins: readonly WireName[]) => void;
  readonly log: Log;
  readonly guard: Guard;
};

const NAME = 'secondaries';

/** The other servers that carry our zones; nothing in a dry run. */
export class SecondariesPart {
  readonly part: Part;
  private readonly guard: Guard;
  /** Null before the start, after the stop, and in a dry run. */
  private secondaries: Secondaries | null = null;

  constructor({ config, live, store, networks, dns, onContentsServed, log, guard }: SecondariesPartOptions) {
    this.guard = guard;
    this.part = part(NAME, {
      start: async () => {
        if (dns.dns === null) return null;
        this.secondaries = new Secondaries({
          config,
          live,
          store,
          networks,
          dns: dns.dns,
          onContentsServed,
          log,
          guard,
        });
        await this.secondaries.open();
        return null;
      },
      prepare: async (reload) => ready(() => this.secondaries?.configure(reload.config.transfer)),
      stop: async () => {
        const { secondaries } = this;
        this.secondaries = null; // a last round may still publish
        await secondaries?.stop();
      },
      // After the threads have the new keys and rules, since a secondary that is notified comes at once.

      faults: () => this.secondaries?.faults() ?? [],
    });
  }

  views(): readonly SecondaryView[] {
    return this.secondaries?.views() ?? [];
  }

  notifyCounts(): NotifyCounts {
    return this.secondaries?.notifyCounts() ?? NO_NOTIFY;
  }

  /** These zones have new serials, and every query sees them. */
  changed(origins: readonly WireName[]): void {
    this.guard.run(NAME, () => this.secondaries?.serialsRose(origins));
  }

  /** All zones may be new to everybody. */
  changedAll(): void {
    this.guard.run(NAME, () => this.secondaries?.announceAll());
  }

  contentChanged(changes: readonly ZoneChange[]): void {
    this.guard.run(NAME, () => this.secondaries?.contentsChanged(changes));
  }
}
