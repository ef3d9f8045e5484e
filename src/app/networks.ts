import type { Config, NetworkFiles } from '../config/types.ts';
import { nameKey, type WireName } from '../dns/name.ts';
import type { Prober } from '../health/checks/prober.ts';
import type { Decision } from '../health/judge/types.ts';
import { NetworkRounds } from '../health/pools/network-rounds.ts';
import type { LiveUpdate, Published, RoundReport } from '../health/pools/round-types.ts';
import type { LiveHistoryFiles } from '../live/history-files.ts';
import { type LiveRRsets, liveOf } from '../live/live-rrsets.ts';
import { Hooks } from '../publish/hooks.ts';
import type { ZoneFiles } from '../publish/zone-files.ts';
import type { NetworkView } from '../server/control/views.ts';
import type { DnsService } from '../server/transport/threads/dns-service.ts';
import type { Fault } from '../system/fault.ts';
import { plainFault } from '../system/fault.ts';
import type { Locks } from '../system/lock.ts';
import { lockNetwork } from '../system/lock-network.ts';
import type { Log } from '../system/log.ts';
import type { ZoneStore } from '../zones/store/zone-store.ts';
import { NetworkLoop } from './network-loop.ts';
import { logFaults } from './serve-parts.ts';

export type NetworksOptions = {
  readonly config: Config;
  readonly dryRun: boolean;
  readonly log: Log;
  readonly board: LiveRRsets;
  /** Null: a dry run. */
  readonly dns: DnsService | null;
  readonly store: ZoneStore;
  readonly locks: Locks | null;
  readonly prober: Prober;
  /** Null: a dry run. */
  readonly histories: LiveHistoryFiles | null;
  /** Null: no `named_dir`, or a dry run. */
  readonly files: ZoneFiles | null;
  /** These zones of a network have new serials, and queries see them. */
  readonly onServed: (origins: readonly WireName[]) => void;
  readonly onDecision?: (network: string, decision: Decision, flipped: boolean) => void;
};

/** How long a network is waited for: a run from cron that is under way at our start ends sooner. */
const LOCK_MS = 20_000;

const NOTHING_PUBLISHED: Published = { wrote: false, files: null, faults: [] };

/**
 * The networks that are served: opens them (lock, saved state), runs their loops, and carries every decision to the
 * slots and from there to the zone files.
 */
export class Networks {
  private readonly options: NetworksOptions;
  private readonly hooks: Hooks;
  private readonly loops = new Map<string, NetworkLoop>();
  /** Exports outside of rounds that are under way, and whether one of them wrote anything. */
  private exporting = 0;
  private exported = false;
  private config: Config;

  constructor(options: NetworksOptions) {
    this.options = options;
    this.config = options.config;
    this.hooks = new Hooks((hook, command, trouble) => options.log.error(`${hook}: "${command}": ${trouble}`));
  }

  names(): readonly string[] {
    return [...this.loops.keys()];
  }

  /** Takes the network's lock and serves its saved live set. The loop waits for `start`. */
  async open(files: NetworkFiles): Promise<Fault | null> {
    const network = files.name;
    const { board, locks, prober, log } = this.options;
    // Most sentences name edges or files only; whose they are is a field of the line.
    const say = (level: 'debug' | 'info' | 'warn' | 'error', text: string): void => log[level]({ network }, text);
    if (board.number(network) === null) return plainFault('too-many-networks', `no room for network ${network}`);
    if (locks !== null && !(await this.lock(locks, network))) {
      return plainFault(
        'locked',
        `network ${network} is managed by another process (lock file ${this.config.lockfile})`,
      );
    }
    const rounds = await NetworkRounds.open(network, this.config, locks, {
      kind: 'server',
      prober,
      hooks: this.hooks,
      publish: (update) => this.publish(network, update),
      floorSerial: () => this.options.store.maxSerial(network),
      now: () => Date.now() / 1000,
      log: say,
    });
    const saved = (await this.options.histories?.read(network)) ?? { versions: [], zones: new Map() };
    const live = liveOf(rounds.state);
    board.restore(network, saved, live);
    board.publish(network, live);
    this.loops.set(
      network,
      new NetworkLoop({
        config: this.config,
        files,
        rounds,
        log: say,
        now: () => Date.now() / 1000,
        onReport: (name, report) => this.reported(name, report),
      }),
    );
    return null;
  }

  private async lock(locks: Locks, network: string): Promise<boolean> {
    if (await lockNetwork(locks, network, 'server', 0)) return true;
    this.options.log.info(`network ${network} is locked by another process: waiting for it`);
    return lockNetwork(locks, network, 'server', LOCK_MS);
  }

  start(): void {
    for (const loop of this.loops.values()) loop.start();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.loops.values()].map((loop) => loop.stop()));
  }

  redecide(): void {
    for (const loop of this.loops.values()) void loop.redecide();
  }

  /** Until every network has a live set, at most `seconds`: one without edges must not keep the others from answering. */
  async firstLive(seconds: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, seconds * 1000);
    });
    const waiting = [...this.loops.values()].filter((loop) => !loop.live);
    await Promise.race([Promise.all(waiting.map((loop) => loop.firstRound)), late]);
    clearTimeout(timer);
    for (const loop of waiting) {
      if (!loop.live) this.options.log.error(`${loop.network}: no edge was ever live: its live names answer SERVFAIL`);
    }
  }

  /** New settings; networks come and go. One that cannot be opened is logged and left out. */
  async configure(config: Config, lists: readonly NetworkFiles[]): Promise<void> {
    this.config = config;
    const wanted = new Set(lists.map(({ name }) => name));
    for (const [network, loop] of this.loops) {
      if (wanted.has(network)) {
        loop.configure(config);
        continue;
      }
      this.loops.delete(network);
      await loop.stop();
      this.options.locks?.unlock('network', network);
      this.options.locks?.unlock('server', network);
      this.options.log.info(`network ${network} is no longer served`);
    }
    for (const files of lists) {
      if (this.loops.has(files.name)) continue;
      const fault = await this.open(files);
      if (fault !== null) {
        logFaults((level, text) => this.options.log[level](text), [fault]);
        continue;
      }
      this.loops.get(files.name)?.start();
      this.options.log.info(`network ${files.name} is served from now on`);
    }
  }

  views(): readonly NetworkView[] {
    return [...this.loops.values()].map((loop) => loop.view()).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  proberDelayMs(): number {
    return Math.max(0, ...[...this.loops.values()].map((loop) => loop.proberDelayMs));
  }

  /**
   * Brings `named_dir` up to date after a start, behind the caller's back: every file is compared with what is served, so
   * what changed meanwhile, or was torn by a loss of power, is written anew.
   */
  exportAll(): void {
    if (this.options.files === null) return;
    this.export(this.options.store.entries().map(({ origin }) => origin));
  }

  /** These zones' contents changed. Who reads the files is told once all of them are written. */
  export(origins: readonly WireName[]): void {
    this.exporting++;
    void this.write(origins).then((written) => {
      this.exporting--;
      this.exported ||= written?.wrote === true;
      if (this.exporting > 0 || !this.exported) return;
      this.exported = false;
      this.hooks.start('run_after_changes', this.config.commands.runAfterChanges);
    });
  }

  private async write(origins: Iterable<WireName>): Promise<Awaited<ReturnType<ZoneFiles['write']>> | null> {
    const written = await this.options.files?.write(origins);
    if (written === undefined) return null;
    logFaults((level, text) => this.options.log[level](text), written.faults);
    return written;
  }

  /** From here on queries see the decision; zone files follow. */
  private async publish(network: string, update: LiveUpdate): Promise<Published> {
    const { board, dns, store } = this.options;
    const { state, liveChanged, canaryZones } = update;
    // Without news, zone files that could not be written are tried again: the disk may have room by now.
    if (!liveChanged && canaryZones.length === 0) return this.publishFiles(state, []);
    dns?.slotsChanged(network, board.publish(network, liveOf(state)));
    this.options.histories?.save(network, () => board.saved(network));
    const changed = liveChanged
      ? store
          .entries()
          .filter((entry) => entry.network === network)
          .map(({ origin }) => origin)
      : canaryZones.map(nameKey).filter((origin) => origin !== null);
    this.options.onServed(changed);
    return this.publishFiles(state, changed);
  }

  private async publishFiles(state: LiveUpdate['state'], origins: readonly WireName[]): Promise<Published> {
    const written = await this.options.files?.write(origins);
    if (written === undefined) return NOTHING_PUBLISHED;
    const { wrote, mtimes, faults } = written;
    const files = origins.length === 0 ? null : { ...state, zoneMtimes: new Map([...state.zoneMtimes, ...mtimes]) };
    return { wrote, files, faults };
  }

  private reported(network: string, { decision, liveChanged, canaryZones }: RoundReport): void {
    this.options.onDecision?.(network, decision, liveChanged || canaryZones.length > 0);
  }
}
