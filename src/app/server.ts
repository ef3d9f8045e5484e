/**
 * The whole server as a list of parts: configuration → ports, networks, zones, HTTP → rounds → answers. Holds no rule
 * of its own; in which order they start is in `parts-in-order.ts`.
 */

import { journalFolder } from '../config/paths.ts';
import type { TlsFiles } from '../config/tls-files.ts';
import type { Config } from '../config/types.ts';
import type { WireName } from '../dns/name.ts';
import { Prober, USER_AGENT } from '../health/checks/prober.ts';
import type { Decision } from '../health/choose/decision.ts';
import { historyLogPath } from '../health/state/history-log.ts';
import { withLiveSets } from '../live/held-changes.ts';
import { LiveHistoryFiles } from '../live/history-files.ts';
import { LiveRRsets } from '../live/live-rrsets.ts';
import { liveOf } from '../live/network-live.ts';
import { Hooks } from '../publish/hooks.ts';
import { Replays } from '../server/control/replay/replays.ts';
import type { Fault } from '../system/fault.ts';
import type { Guard } from '../system/guard.ts';
import type { OpenLog } from '../system/log.ts';
import type { Log } from '../system/log-events.ts';
import { makeContents } from '../vantage/etcd/contents/contents.ts';
import type { ZoneChange } from '../zones/store/types.ts';
import { controlActions } from './control-actions.ts';
import { DnsPart } from './dns-part.ts';
import { DnstapPart } from './dnstap-part.ts';
import { HttpPart } from './http-part.ts';
import { LockPart } from './lock-part.ts';
import { Networks } from './networks.ts';
import { NoticesPart, providerFact } from './notices-part.ts';
import { type PartFault, Parts } from './parts.ts';
import { partsInOrder } from './parts-in-order.ts';
import { ProvidersPart } from './providers-part.ts';
import type { NetworkLists } from './read-networks.ts';
import { Reloads } from './reloads.ts';
import { roundsPart } from './rounds-part.ts';
import { SecondariesPart } from './secondaries-part.ts';
import { serverSinks } from './server-sinks.ts';
import { sharedModes } from './vantage/modes.ts';
import { VantagePart } from './vantage/vantage-part.ts';
import { ZonesPart } from './zones-part.ts';

export type ServeOptions = {
  readonly file: string;
  /** Networks to serve; none named: every one in `edgelist_dir`. */
  readonly networks: readonly string[];
  /** Probe, decide and say so; answer nothing and write nothing. */
  readonly dryRun: boolean;
  /** Makes the log once it is known where it goes (`logpath`). */
  readonly log: (config: Config) => Pick<OpenLog, 'log' | 'lowest'>;
  /** What is thrown in callbacks, and in promises that nobody awaits. */
  readonly guard: Guard;
  /** Why the log is not written where it should be; null: it is. */
  readonly logFault?: () => string | null;
  /** A reload begins, or is over: `fault` is why the settings before it are in force. */
  readonly onReload?: (outcome: 'begins' | { readonly fault: string | null }) => void;
  readonly onDecision?: (network: string, decision: Decision, flipped: boolean) => void;
};

export type Running = {
  /** `127.0.0.1:53`; none in a dry run. */
  readonly dns: readonly string[];
  /** `127.0.0.1:853`; none without TLS. */
  readonly tls: readonly string[];
  readonly http: string | null;
  readonly zones: () => number;
  /** SIGHUP: configuration, lists and zones anew; what does not load changes nothing and is logged. Never rejects. */
  readonly reload: () => Promise<void>;
  /** Never rejects, and is over within some ten seconds whatever hangs. */
  readonly stop: () => Promise<void>;
};

export class Server implements Running {
  private readonly options: ServeOptions;
  private readonly log: Log;
  private readonly live = new LiveRRsets({ onReuse: (row) => this.dnsPart.dns?.rowReused(row) });
  private readonly dnsPart: DnsPart;
  private readonly networks: Networks;
  private readonly httpPart: HttpPart;
  private readonly zonesPart: ZonesPart;
  private readonly parts: Parts;
  private readonly reloads: Reloads;
  private stopping: Promise<void> | null = null;
  private ready = false;
  /** Changes of zones between their first load and `ready`. */
  private readonly early: ZoneChange[] = [];

  constructor(
    config: Config,
    lists: NetworkLists,
    tls: TlsFiles | null,
    options: ServeOptions,
    opened: ReturnType<ServeOptions['log']>,
  ) {
    const { log, lowest } = opened;
    this.options = options;
    this.log = log;
    const { live } = this;
    const { dryRun, guard } = options;
    const prober = Prober.make({
      userAgent: USER_AGENT,
      onTrouble: (message) => log('error', message, 'prober.trouble'),
      onCallbackError: (error) => guard.note('prober', error),
    });
    const histories = dryRun
      ? null
      : new LiveHistoryFiles(journalFolder(config), (message) => log('warn', message, 'live_set.history_unusable'));
    const dns = new DnsPart({ config, tls, live, log, quiet: lowest !== 'debug', guard });
    const dnstap = new DnstapPart({ config, dns, log, guard });
    const vantage: VantagePart = new VantagePart({
      config,
      log,
      guard,
      onChange: (network, isRole) => networks.review(network, isRole),
      onContents: (origins) => zones.contentsInForce(origins),
      takeContents: () => zones.agreed(),
      makeContents,
      makeParts: sharedModes({
        edges: () => networks.edges(),
        stores: () => networks.stores(),
        healthdataStore: config.healthdataStore,
        stateDir: config.stateDir,
        log,
        guard,
      }),
    });
    const locks = new LockPart({ config, log, guard, onLost: (network) => this.networks.lost(network) });
    const followed = (changes: readonly ZoneChange[]): void => {
      this.networks.contentsChanged(changes.map(({ origin }) => origin));
      secondaries.contentChanged(changes);
    };
    const zones: ZonesPart = new ZonesPart({
      config,
      dryRun,
      live,
      locks: () => locks.locks,
      log,
      guard,
      first: [...lists.networks.keys()],
      networks: () => this.networks.names(),
      authority: vantage.authority,
      onChange: (changed) => {
        const changes = withLiveSets(live, changed);
        dns.zonesChanged(changes);
        if (this.ready) followed(changes);
        // While the first load runs, `exportAll` is still to come; what other vantages bring into force may come after it.
        else if (vantage.authority !== null) for (const change of changes) this.early.push(change);
      },
      settled: async () => {
        const retired = live.retiredGeneration;
        await dns.settled();
        live.release(retired);
      },
    });
    const { store } = zones;
    const hooks = new Hooks(
      (hook, command, trouble) => {
        log('error', `${hook}: "${command}": ${trouble}`, { event: 'hook.failed', hook, command });
      },
      { guard },
    );
    const onSlots = (network: string, origins: readonly WireName[]): void => dns.slotsChanged(network, origins);
    const sinks = serverSinks({
      config,
      log,
      live,
      store,
      histories,
      hooks,
      onSlots,
      onServed: (origins) => secondaries.changed(origins),
      onWritten: (network, written) => networks.noteWritten(network, written),
    });
    const networks: Networks = new Networks({
      config,
      lists,
      log,
      guard,
      live,
      store,
      prober,
      locks: () => locks.locks,
      onSlots,
      histories,
      hooks,
      sinks,
      onDecision: (network, decision, flipped) => {
        notices.decided(network, decision);
        options.onDecision?.(network, decision, flipped);
      },
      vantage: (network) => vantage.of(network),
      contentSerial: () => vantage.sets?.contents.highest() ?? 0,
      onPlanned: (network, state) => {
        live.publish(network, liveOf(state));
        providers.plan(network);
      },
    });
    const secondaries = new SecondariesPart({
      config,
      live,
      store,
      networks: () => networks.names(),
      dns,
      onContentsServed: (origins) => networks.contentsServed(origins),
      log,
      guard,
    });
    const providers = new ProvidersPart({
      config,
      dryRun,
      live,
      sinks,
      log,
      guard,
      mayPublish: () => vantage.mayAct(),
    });
    const notices = new NoticesPart({
      config,
      only: options.networks,
      sources: {
        ready: () => this.ready,
        networks: () => networks.names(),
        zones: () => store.entries(),
        secondaries: () => secondaries.views(),
        providers: () => providers.statuses().map(providerFact),
        tlsNotAfter: () => this.tlsNotAfter(),
        reloadFault: () => this.reloads.fault,
      },
      log,
      guard,
    });
    this.dnsPart = dns;
    this.zonesPart = zones;
    this.networks = networks;

    const replays = new Replays(guard);
    this.httpPart = new HttpPart({
      http: config.http,
      actions: dryRun
        ? null
        : controlActions({ config: () => this.reloads.current, networks, reloads: () => this.reloads, log }),
      sources: {
        liveRRsets: live,
        ready: () => this.ready,
        networks: () => networks.views(),
        zones: () => store.entries(),
        zonesLoad: () => store.lastLoad,
        zoneFaults: () => store.faults(),
        stats: () => dns.stats(),
        prober,
        proberDelayMs: () => networks.proberDelayMs(),
        secondaries: () => secondaries.views(),
        providers: () => providers.statuses(),
        vantage: () => vantage.source(),
        notify: () => secondaries.notifyCounts(),
        notices: () => notices.counts(),
        tlsNotAfter: () => this.tlsNotAfter(),
        partFaults: () => [...this.parts.faults(), ...this.ownFaults()],
        contained: () => guard.faults(),
        replay: (network, order) => replays.replay({ ...order, path: historyLogPath(config.stateDir, network) }),
        dnstap: () => dnstap.counts(),
        warnings: () => [...this.httpPart.warnings(), ...dnstap.warnings()],
      },
      log,
      guard,
    });
    const rounds = roundsPart({ networks, prober, guard, healthdataStore: config.healthdataStore });
    const list = partsInOrder({
      config,
      dryRun,
      dns,
      dnstap,
      http: this.httpPart.part,
      locks: locks.part,
      histories,
      vantage,
      networks,
      zones,
      hooks,
      sinks,
      providers: providers.part,
      notices,
      rounds,
      secondaries: secondaries.part,
      prober,
      onReady: () => {
        this.ready = true;
        if (this.early.length > 0) followed(this.early.splice(0));
        secondaries.changedAll();
      },
    });
    this.parts = new Parts(list, { log, guard });
    this.reloads = new Reloads({
      file: options.file,
      only: options.networks,
      config,
      log,
      guard,
      served: () => networks.names(),
      commit: (reload) => this.parts.reload(reload),
      reloadZones: () => store.reload(),
      isStopping: () => this.stopping !== null,
      onReload: options.onReload,
    });
  }

  get dns(): readonly string[] {
    return this.dnsPart.endpoints;
  }

  get tls(): readonly string[] {
    return this.dnsPart.tlsEndpoints;
  }

  get http(): string | null {
    return this.httpPart.endpoint;
  }

  zones(): number {
    return this.zonesPart.store.size;
  }

  async start(): Promise<Fault | null> {
    const fault = await this.parts.start();
    if (fault !== null) return fault;
    const { dns, tls, http } = this;
    this.log('info', 'ready', { event: 'server.ready', dns, tls, http, zones: this.zones() });
    return null;
  }

  reload(): Promise<void> {
    return this.reloads.reload();
  }

  stop(): Promise<void> {
    this.stopping ??= this.stopNow();
    return this.stopping;
  }

  private async stopNow(): Promise<void> {
    const wasReady = this.ready;
    this.ready = false;
    await this.parts.stop();
    if (wasReady) this.log('info', 'stopped', 'server.stopped');
  }

  /** Of the certificate that ends first. */
  private tlsNotAfter(): number | null {
    const ends = [this.dnsPart.tlsNotAfter, this.httpPart.tlsNotAfter].filter((at) => at !== null);
    return ends.length === 0 ? null : Math.min(...ends);
  }

  /** What no part has to do with. */
  private ownFaults(): readonly PartFault[] {
    const logFault = this.options.logFault?.() ?? null;
    const reloadFault = this.reloads.fault;
    return [
      ...(reloadFault === null ? [] : [{ part: 'configuration', message: reloadFault }]),
      ...(logFault === null ? [] : [{ part: 'log', message: logFault }]),
    ];
  }
}
