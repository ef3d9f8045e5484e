import type { TlsFiles } from '../../../config/tls-files.ts';
import type { ServerConfig, TransferConfig } from '../../../config/types.ts';
import type { WireName } from '../../../dns/name.ts';
import { type LiveRRsets, NETWORK_ROWS } from '../../../live/live-rrsets.ts';
import { endpointText } from '../../../system/address.ts';
import type { Fault } from '../../../system/fault.ts';
import type { Log } from '../../../system/log-events.ts';
import type { ZoneChange } from '../../../zones/store/types.ts';
import type { ZoneUpdate } from '../../answer/zone-update.ts';
import type { SamplerSettings } from '../../dnstap/shared.ts';
import type { StatsSum } from '../../stats.ts';
import { NO_TRANSFERS, type ThreadHistory, type ThreadTransfer } from '../../transfer/handler-types.ts';
import { DnsThreads } from './dns-threads.ts';

export type DnsServiceOptions = {
  readonly server: ServerConfig;
  readonly transfer: TransferConfig;
  readonly tls: TlsFiles | null;
  readonly liveRRsets: LiveRRsets;
  /** As in `DnsThreadsOptions`. */
  readonly httpConnections?: number | undefined;
  /** Whether the log leaves out what is said at the level `debug`. */
  readonly quiet: boolean;
  readonly log: Log;
  /** As in `DnsThreadsOptions`. */
  readonly onBug?: ((error: unknown) => void) | undefined;
};

/**
 * The answering half as the server sees it: ports first, threads that take over zones, answers last. Callers need
 * not know which of these states it is in.
 */
export class DnsService {
  private readonly liveRRsets: LiveRRsets;
  private readonly threads: DnsThreads;
  private readonly quiet: boolean;
  private server: ServerConfig;
  private transfer: TransferConfig;
  private isAnswering = false;
  private readonly numbers = new Map<WireName, number>();
  private readonly steps = new Map<number, readonly Uint8Array[]>();

  private constructor({ liveRRsets, quiet, server, transfer }: DnsServiceOptions, threads: DnsThreads) {
    this.liveRRsets = liveRRsets;
    this.quiet = quiet;
    this.server = server;
    this.transfer = transfer;
    this.threads = threads;
  }

  /** Takes the ports. */
  static async bind(options: DnsServiceOptions): Promise<DnsService | Fault> {
    const { liveRRsets, server, tls, httpConnections, log, onBug } = options;
    const made: { service: DnsService | null } = { service: null };
    const threads = await DnsThreads.bind({
      server,
      tls,
      transfer: NO_TRANSFERS, // `run` sends what it is when it is known which networks there are
      slots: liveRRsets.slots.shared,
      networks: NETWORK_ROWS,
      updates: [],
      history: () => made.service?.history() ?? { live: [], steps: [] },
      httpConnections,
      log,
      onBug,
    });
    if ('code' in threads) return threads;
    made.service = new DnsService(options, threads);
    return made.service;
  }

  /** Starts the threads. They take over the zones that load from now on; nothing is answered yet. */
  launch(): void {
    this.threads.launch();
  }

  /** Answers from now on; resolves when every thread does. */
  async run(): Promise<Fault | null> {
    this.threads.configure(this.server, this.threadTransfer());
    this.threads.sendHistory({ live: this.liveRRsets.takeNewVersions(), steps: [] });
    const fault = await this.threads.run();
    this.isAnswering = fault === null;
    return fault;
  }

  get answering(): boolean {
    return this.isAnswering;
  }

  /** `127.0.0.1:53` */
  endpoints(): readonly string[] {
    return this.isAnswering ? this.threads.endpoints.map(endpointText) : [];
  }

  /** Of TLS. */
  tlsEndpoints(): readonly string[] {
    return this.isAnswering ? this.threads.tlsEndpoints.map(endpointText) : [];
  }

  /** Catalogs: made here, for transfers only. */
  catalogsChanged(made: readonly (Omit<ZoneChange, 'kind'> & { readonly image: SharedArrayBuffer | null })[]): void {
    this.send(
      made.map(({ zone, origin, network, image }): ZoneUpdate => {
        if (image === null) return { kind: 'gone', zone };
        const row = network === null ? 0 : (this.liveRRsets.register(network) ?? 0);
        return { kind: 'zone', zone, origin, network: row, image, slot: -1, catalog: true };
      }),
    );
  }

  zonesChanged(changes: readonly ZoneChange[]): void {
    this.send(changes.map((change) => this.updateOf(change)));
  }

  /** These zones have a slot of their own from now on. */
  slotsChanged(network: string, origins: readonly WireName[]): void {
    const live = this.liveRRsets.takeNewVersions();
    if (live.length > 0) this.threads.sendHistory({ live, steps: [] });
    const updates = origins.flatMap((origin): ZoneUpdate[] => {
      const zone = this.numbers.get(origin);
      return zone === undefined ? [] : [{ kind: 'slot', zone, slot: this.liveRRsets.slotOf(network, origin) }];
    });
    if (updates.length > 0) this.send(updates);
  }

  /** What led to these zones' present contents, for incremental transfers. */
  journalChanged(journals: ReadonlyMap<WireName, readonly Uint8Array[]>): void {
    const steps = [...journals].flatMap(([origin, list]) => {
      const zone = this.numbers.get(origin);
      if (zone === undefined || (list.length === 0 && !this.steps.has(zone))) return [];
      if (list.length === 0) this.steps.delete(zone);
      else this.steps.set(zone, list);
      return [{ zone, steps: list }];
    });
    if (steps.length > 0) this.threads.sendHistory({ live: [], steps });
  }

  private history(): ThreadHistory {
    return { live: this.liveRRsets.history.all(), steps: Array.from(this.steps, ([zone, steps]) => ({ zone, steps })) };
  }

  /** Resolves when every thread answers by everything sent so far. */
  async settled(): Promise<void> {
    if (this.isAnswering) await this.threads.settled();
  }

  /** New settings, or other networks. */
  configure(server: ServerConfig, transfer: TransferConfig): void {
    this.server = server;
    this.transfer = transfer;
    this.threads.configure(server, this.threadTransfer());
  }

  /** Another certificate, for connections from now on. */
  configureTls(tls: TlsFiles): void {
    this.threads.configureTls(tls);
  }

  /** How many threads answer. */
  get threadCount(): number {
    return this.threads.size;
  }

  /** What is reported over dnstap from now on; null: nothing. */
  configureDnstap(settings: SamplerSettings | null): void {
    this.threads.configureDnstap(settings);
  }

  /** Another network has this row from now on: no zone of any thread is counted by it yet. */
  rowReused(row: number): void {
    this.threads.clearNetwork(row);
  }

  sums(): StatsSum {
    return this.threads.sums();
  }

  stop(): Promise<void> {
    return this.threads.stop();
  }

  private threadTransfer(): ThreadTransfer {
    const { keys, allow } = this.transfer;
    return { keys, allow, rows: this.liveRRsets.rows(), quiet: this.quiet };
  }

  private send(updates: readonly ZoneUpdate[]): void {
    for (const update of updates) {
      if (update.kind === 'zone' || update.kind === 'broken') this.numbers.set(update.origin, update.zone);
    }
    this.threads.send(updates);
  }

  private updateOf(change: ZoneChange): ZoneUpdate {
    const { zone, origin } = change;
    // Not to register: the network may have been retired before its zones go, and must stay so.
    if (change.kind === 'gone') return { kind: 'gone', zone };
    const network = change.network === null ? 0 : (this.liveRRsets.register(change.network) ?? 0);
    switch (change.kind) {
      case 'image':
        return {
          kind: 'zone',
          zone,
          origin,
          network,
          image: change.image,
          slot: this.liveRRsets.slotOf(change.network, origin),
          isHeld: this.liveRRsets.isHeld(origin),
        };
      case 'broken':
        return { kind: 'broken', zone, origin, network };
    }
  }
}
