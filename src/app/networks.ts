import type { Config } from '../config/types.ts';
import type { WireName } from '../dns/name.ts';
import { serialMax } from '../dns/serial.ts';
import type { Prober } from '../health/checks/prober.ts';
import type { Decision } from '../health/choose/decision.ts';
import type { NetworkRounds } from '../health/pools/network-rounds.ts';
import type { RoundReport, WrittenZone } from '../health/pools/round-types.ts';
import type { RoundVantage } from '../health/pools/round-vantage.ts';
import type { EdgeStores } from '../health/state/edge-store-files.ts';
import type { NetworkState } from '../health/state/network-state.ts';
import type { Hooks } from '../publish/hooks.ts';
import { NetworkHistory, networkView } from '../server/control/views/network-view.ts';
import type { NetworkView } from '../server/control/views/views.ts';
import { within } from '../system/deadline.ts';
import { type Fault, plainFault } from '../system/fault.ts';
import type { Guard } from '../system/guard.ts';
import { withFields } from '../system/log-events.ts';
import { NetworkClock } from './network-clock.ts';
import { lockedText, NetworkOpener, type NetworkTools, type OpenerOptions } from './network-opener.ts';
import { NetworkPublisher, type PublisherParts } from './network-publisher.ts';
import { rowsFault } from './network-rows.ts';
import type { Prepared, Reload } from './part.ts';
import type { NetworkList, NetworkLists } from './read-networks.ts';
import { UnopenedNetworks } from './unopened-networks.ts';

export type NetworksOptions = PublisherParts &
  OpenerOptions & {
    readonly config: Config;
    readonly lists: NetworkLists;
    readonly guard: Guard;
    readonly prober: Prober;
    readonly hooks: Hooks;
    readonly onDecision: (network: string, decision: Decision, flipped: boolean) => void;
    /** In a dry run nothing is published: what would be live from now on. */
    readonly onPlanned: (network: string, state: NetworkState) => void;
    /** How the network agrees with other vantage points; null: it decides alone. */
    readonly vantage: (network: string) => RoundVantage | null;
    /** The latest serial that any content of a zone has on the vantages; 0: none is known. */
    readonly contentSerial: () => number;
  };

/** How long a start waits for a network: a run from cron that is under way ends sooner. */
const LOCK_MS = 20_000;

/** How long a stop waits for those that follow, milliseconds. */
const SINKS_MS = 2000;

type Served = { readonly clock: NetworkClock; readonly history: NetworkHistory };

/**
 * The networks that are served: opens them (lock, saved state), has their clocks make rounds, and publishes what those
 * decide. One that fails leaves the others as they are.
 */
export class Networks {
  private readonly options: NetworksOptions;
  private readonly served = new Map<string, Served>();
  private readonly unopened: UnopenedNetworks;
  /** Networks that are no longer served and whose last round still runs. */
  private readonly closing = new Map<string, Promise<void>>();
  private readonly opener: NetworkOpener;
  private readonly publisher: NetworkPublisher;
  private config: Config;
  private started = false;
  private stopped = false;

  constructor(options: NetworksOptions) {
    this.options = options;
    this.config = options.config;
    this.opener = new NetworkOpener(options);
    this.publisher = new NetworkPublisher(options);
    this.unopened = new UnopenedNetworks({
      guard: options.guard,
      log: options.log,
      publisher: this.publisher,
      config: () => this.config,
      take: (network) => this.take(network, 0),
      serve: (network, list, rounds) => this.serve(network, list, rounds),
      unlock: (network) => this.opener.unlock(network),
    });
  }

  names(): readonly string[] {
    return [...this.served.keys(), ...this.unopened.names()];
  }

  /** The edges on the lists of all networks that are served, each with one of its networks. */
  edges(): ReadonlyMap<string, string> {
    return new Map(
      [...this.served].flatMap(([network, { clock }]) =>
        (clock.files?.edges ?? []).map((edge) => [edge, network] as const),
      ),
    );
  }

  /** Null: the network is not served, or not yet. */
  clockOf(network: string): NetworkClock | null {
    return this.served.get(network)?.clock ?? null;
  }

  /** An edge's mode was changed: decides again where it counts. Resolves when that is in force; never rejects. */
  async modeChanged(): Promise<void> {
    await Promise.all(Array.from(this.served.values(), ({ clock }) => clock.redecide()));
  }

  /** Health records as the rounds have them; null: no network was opened yet. */
  stores(): EdgeStores | null {
    return this.opener.stores;
  }

  /**
   * Takes the networks' locks and serves their saved live sets; the clocks wait for `start`. A fault: another process
   * has one.
   */
  async open(): Promise<Fault | null> {
    for (const [network, list] of this.options.lists.networks) {
      const rounds = await this.take(network, LOCK_MS);
      if (!('code' in rounds)) await this.serve(network, list, rounds);
      else if (rounds.code === 'locked') return rounds;
      else await this.unopened.add(network, list, rounds.message);
    }
    return null;
  }

  start(): void {
    this.started = true;
    for (const { clock } of this.served.values()) clock.start();
  }

  /**
   * Cuts nothing short: the prober's stop does. Resolves when every round has ended, and what became of it is saved.
   */
  async stop(): Promise<void> {
    this.stopped = true;
    this.unopened.stop();
    await Promise.all([...this.closing.values(), ...[...this.served.values()].map(({ clock }) => clock.stop())]);
    await this.options.sinks.close(SINKS_MS);
    await Promise.all(Array.from(this.served.values(), ({ clock }) => clock.rounds.idle()));
  }

  /** Views, sets or roles of vantage points are others: of one network, or of all. */
  review(network: string | null, isRole = false): void {
    for (const { clock } of this.served.values())
      if (network === null || clock.network === network) clock.review(isRole);
  }

  redecide(): void {
    for (const { clock } of this.served.values()) this.options.guard.run(`network ${clock.network}`, clock.redecide());
  }

  /**
   * Until every network has a live set, at most `seconds`: one without edges must not keep the others from answering.
   */
  async firstLive(seconds: number): Promise<void> {
    const waiting = [...this.served.values()].map(({ clock }) => clock).filter((clock) => !clock.live);
    await within(seconds * 1000, Promise.all(waiting.map((clock) => clock.firstRound)), () => undefined);
    for (const clock of waiting) {
      if (clock.live) continue;
      const { network } = clock;
      const text = `${network}: no edge was ever live: its live names answer SERVFAIL`;
      this.options.log('error', text, { event: 'network.never_live', network });
    }
  }

  /**
   * Opens the networks that are new; one that cannot be opened is red and tried again, and holds up nothing else. Those
   * that are there go on until `commit`.
   */
  async prepare({ config, lists, by = [] }: Reload): Promise<Prepared> {
    const { live } = this.options;
    const full = rowsFault(live, [...lists.networks.keys()]);
    if (full !== null) return { ok: false, faults: [full] };
    const opened = new Map<string, NetworkRounds | Fault>();
    for (const network of lists.networks.keys()) {
      if (!this.served.has(network)) opened.set(network, await this.take(network, 0, config));
    }
    const discard = (): void => {
      for (const [network, rounds] of opened) if (!('code' in rounds)) this.opener.unlock(network);
    };
    return { ok: true, commit: () => this.commit({ config, lists, by }, opened), discard };
  }

  /** What is wrong with networks apart from their edges, a sentence each. */
  faults(): readonly string[] {
    const lists = [...this.served.values()].flatMap(({ clock: { network, listFault, files } }) => {
      if (listFault === null) return [];
      const effect = files === null ? 'the live set that was saved last stays' : 'those read before stay in force';
      return [`network ${network}: its lists do not load (${effect}): ${listFault.split('\n')[0]}`];
    });
    return [...this.unopened.faults(), ...lists];
  }

  views(): readonly NetworkView[] {
    const now = Date.now() / 1000;
    return [...this.served.values()]
      .map(({ clock, history }) => {
        const { network, config, files, rounds, nextDue, isOverdue, failure } = clock;
        return networkView({ network, config, files, rounds, history, nextDue, isOverdue, failure }, now);
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  proberDelayMs(): number {
    return Math.max(0, ...[...this.served.values()].map(({ history }) => history.proberDelayMs));
  }

  /** Another process has taken the network while our lock file was gone: it decides from now on. */
  lost(network: string): void {
    const served = this.served.get(network);
    if (served === undefined) return;
    const list = { files: served.clock.files, faults: [] };
    this.close(network);
    this.options.guard.run(`network ${network}`, this.unopened.add(network, list, lockedText(network, this.config)));
  }

  /**
   * Brings `named_dir` up to date after a start, behind the caller's back: every file is compared with what is served,
   * so what changed meanwhile, or was torn by a loss of power, is written anew.
   */
  exportAll(): void {
    this.contentsChanged(this.options.store.entries().map(({ origin }) => origin));
  }

  /** These zones have new contents, so their files are out of date. */
  contentsChanged(origins: readonly WireName[]): void {
    this.publisher.contentsChanged('zone-files', origins, this.config);
  }

  /** Every query sees these zones' new contents, and their differences are kept. */
  contentsServed(origins: readonly WireName[]): void {
    this.publisher.contentsChanged('notify', origins, this.config);
  }

  /** These zone files hold what they should now. */
  async noteWritten(network: string, zones: readonly WrittenZone[]): Promise<void> {
    await this.served.get(network)?.clock.rounds.noteWritten(zones);
  }

  private async commit(
    { config, lists, by }: Pick<Reload, 'config' | 'lists'> & { readonly by: readonly string[] },
    opened: ReadonlyMap<string, NetworkRounds | Fault>,
  ): Promise<void> {
    const { log } = this.options;
    this.config = config;
    for (const network of this.names()) {
      const list = lists.networks.get(network);
      if (list !== undefined) this.served.get(network)?.clock.configure(config, list, by);
      else {
        this.unopened.remove(network);
        this.close(network);
        this.options.live.retire(network);
        log('info', `network ${network} is no longer served`, { event: 'network.removed', network });
      }
    }
    for (const [network, rounds] of opened) {
      const list = lists.networks.get(network);
      if (list === undefined) continue;
      if ('code' in rounds) {
        await this.unopened.add(network, list, rounds.message);
        continue;
      }
      await this.serve(network, list, rounds);
      log('info', `network ${network} is served from now on`, { event: 'network.added', network });
    }
  }

  private async take(network: string, lockMs: number, config = this.config): Promise<NetworkRounds | Fault> {
    const { prober, log, live, store, hooks, sinks, contentSerial } = this.options;
    if (this.closing.has(network)) {
      return plainFault('closing', `network ${network} cannot be opened yet: its last round still runs`);
    }
    const tools: NetworkTools = {
      prober,
      begin: ({ commands }) => hooks.start('run_before', commands.runBefore),
      save: (state) => sinks.save(network, state),
      publish: (update, inForce) => this.publisher.publish(network, update, inForce),
      fallbackSource: async (name) => this.served.get(name)?.clock.fallbackSource ?? null,
      vantage: () => this.options.vantage(network),
      zonesSerial: () => store.maxSerial(network),
      floorSerial: () => [store.maxSerial(network), live.highestSerial, contentSerial()].reduce(serialMax, 0),
      now: () => Date.now() / 1000,
      // Most sentences name edges or files only; whose they are is a field of the line.
      log: withFields(log, { network }),
    };
    return this.opener.open(network, config, tools, lockMs);
  }

  private async serve(network: string, list: NetworkList, rounds: NetworkRounds): Promise<void> {
    const { guard, log } = this.options;
    this.unopened.remove(network);
    await this.publisher.publishSaved(network, rounds.state);
    const history = new NetworkHistory();
    const clock = new NetworkClock({
      network,
      config: this.config,
      list,
      rounds,
      guard,
      log: withFields(log, { network }),
      now: () => Date.now() / 1000,
      onReport: (report) => this.reported(network, history, report),
      isAgreed: () => (this.options.vantage(network)?.sets ?? null) !== null,
    });
    this.served.set(network, { clock, history });
    if (this.started && !this.stopped) clock.start();
  }

  /** Makes no further round. The lock goes when the last one has ended, in the background. */
  private close(network: string): void {
    const served = this.served.get(network);
    if (served === undefined) return;
    this.served.delete(network);
    this.options.prober.cancel(network);
    const closed = served.clock.stop().finally(() => {
      this.opener.unlock(network);
      this.closing.delete(network);
    });
    this.closing.set(network, closed);
    this.options.guard.run(`network ${network}`, closed);
  }

  private reported(network: string, history: NetworkHistory, report: RoundReport): void {
    history.note(report);
    const { decision, liveChanged, canaryZones } = report;
    this.options.onDecision(network, decision, liveChanged || canaryZones.length > 0);
    if (this.options.locks() === null && liveChanged) this.options.onPlanned(network, report.state);
    for (const { clock } of this.served.values()) {
      if (clock.config.safety.get(clock.network)?.fallback !== network) continue;
      this.options.guard.run(`network ${clock.network}`, clock.followFallback());
    }
  }
}
