/**
 * The whole server, put together: configuration → ports, networks, zones, HTTP → rounds → answers. Holds no rule of its
 * own; what it decides is the order in which things start, change and stop.
 */

import { loadConfig } from '../config/load.ts';
import { readTls, type TlsFiles } from '../config/tls-files.ts';
import type { Config, NetworkFiles, ServerConfig } from '../config/types.ts';
import { Prober, USER_AGENT } from '../health/checks/prober.ts';
import type { Decision } from '../health/judge/types.ts';
import { watchModeChanges } from '../health/modes/mode-changes.ts';
import { LiveHistoryFiles } from '../live/history-files.ts';
import { LiveRRsets, NETWORKS_MAX } from '../live/live-rrsets.ts';
import { NO_NOTIFY } from '../publish/notify/notifier.ts';
import { ZoneFiles } from '../publish/zone-files.ts';
import { type HttpServer, startHttp } from '../server/control/http-server.ts';
import { statusView, zoneFaultText } from '../server/control/status-view.ts';
import { journalFolder, Secondaries } from '../server/secondaries/secondaries.ts';
import { NO_STATS } from '../server/stats.ts';
import { DnsService } from '../server/transport/threads/dns-service.ts';
import { endpointText } from '../system/address.ts';
import { dropPrivileges } from '../system/drop-privileges.ts';
import { type Fault, hasErrors, plainFault } from '../system/fault.ts';
import { Locks } from '../system/lock.ts';
import type { Log } from '../system/log.ts';
import { ZoneStore } from '../zones/store/zone-store.ts';
import { Networks } from './networks.ts';
import { logFaults, needRestart, readNetworks, zoneSettings } from './serve-parts.ts';

export type ServeOptions = {
  readonly file: string;
  /** Networks to serve; none named: every one in `edgelist_dir`. */
  readonly networks: readonly string[];
  /** Probe, decide and say so; answer nothing and write nothing. */
  readonly dryRun: boolean;
  /** Makes the log once it is known where it goes (`logpath`). */
  readonly log: (config: Config) => Log;
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
  readonly stop: () => Promise<void>;
};

export type Started =
  | { readonly ok: true; readonly running: Running }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** Starts everything, or says what is wrong. Resolves when queries are answered. Warnings go to the log. */
export async function serve(options: ServeOptions): Promise<Started> {
  const loaded = loadConfig(options.file);
  if (loaded.config === null) return { ok: false, faults: loaded.faults };
  const { config } = loaded;
  const networks = readNetworks(config, options.networks);
  // Read before privileges are dropped: the key is often root's alone.
  const tls = readTls(config.server, Date.now() / 1000);
  const faults = [...loaded.faults, ...networks.faults, ...tls.faults];
  if (networks.files.size >= NETWORKS_MAX)
    faults.push(plainFault('too-many-networks', `more than ${NETWORKS_MAX - 1}`));
  if (hasErrors(faults)) return { ok: false, faults };
  let log: Log;
  try {
    log = options.log(config);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ok: false, faults: [plainFault('log', `logpath cannot be written: ${reason}`)] };
  }
  logFaults((level, text) => log[level](text), faults);

  const server = new Server(config, tls.tls, options, log);
  try {
    const fault = await server.start([...networks.files.values()]);
    if (fault === null) return { ok: true, running: server };
    await server.stop();
    return { ok: false, faults: [fault] };
  } catch (error) {
    await server.stop();
    return { ok: false, faults: [plainFault('start', error instanceof Error ? error.message : String(error))] };
  }
}

class Server implements Running {
  http: string | null = null;
  private config: Config;
  private tlsFiles: TlsFiles | null;
  private readonly options: ServeOptions;
  private readonly log: Log;
  private readonly board = new LiveRRsets();
  private dnsSide: DnsService | null = null;
  private networks: Networks | null = null;
  private store: ZoneStore | null = null;
  private prober: Prober | null = null;
  private secondaries: Secondaries | null = null;
  private histories: LiveHistoryFiles | null = null;
  private locks: Locks | null = null;
  private httpServer: HttpServer | null = null;
  private stopHearing: () => void = () => undefined;
  private reloading: Promise<void> = Promise.resolve();
  private reloadWaits = false;
  private stopping: Promise<void> | null = null;
  private ready = false;

  constructor(config: Config, tls: TlsFiles | null, options: ServeOptions, log: Log) {
    this.config = config;
    this.tlsFiles = tls;
    this.options = options;
    this.log = log;
  }

  get dns(): readonly string[] {
    return this.dnsSide?.endpoints() ?? [];
  }

  get tls(): readonly string[] {
    return this.dnsSide?.tlsEndpoints() ?? [];
  }

  zones(): number {
    return this.store?.size ?? 0;
  }

  /**
   * Ports come first: an address in use is known at once, and privileges can go before any file is written. Answers come
   * last: not before every network has a live set, saved or decided, or `startup_timeout` is over.
   */
  async start(lists: readonly NetworkFiles[]): Promise<Fault | null> {
    const { config, log } = this;
    const { dryRun } = this.options;
    if (!dryRun) {
      const side = await DnsService.bind({
        server: config.server,
        transfer: config.transfer,
        tls: this.tlsFiles,
        board: this.board,
        quiet: !log.isLevelEnabled('debug'),
        log: (level, message) => log[level](message),
      });
      if ('code' in side) return side;
      this.dnsSide = side;
    }
    const http = await this.startHttp();
    if (http !== null) return http;
    if (!dryRun && config.server.user !== null) {
      const fault = await dropPrivileges(config.server.user);
      if (fault !== null) return fault;
    }
    this.dnsSide?.launch();
    if (!dryRun) this.locks = Locks.open(config.lockfile);
    const prober = Prober.make({
      userAgent: USER_AGENT,
      onTrouble: (message) => log.error(message),
    });
    this.prober = prober;

    if (!dryRun) this.histories = new LiveHistoryFiles(journalFolder(config), (message) => log.warn(message));
    const store = this.openStore(lists.map(({ name }) => name));
    const networks = new Networks({
      config,
      dryRun,
      log,
      board: this.board,
      dns: this.dnsSide,
      store,
      locks: this.locks,
      prober,
      histories: this.histories,
      files: config.namedDir === null || dryRun ? null : new ZoneFiles(config.namedDir, this.board, store),
      onServed: (origins) => this.secondaries?.changed(origins),
      ...(this.options.onDecision === undefined ? {} : { onDecision: this.options.onDecision }),
    });
    this.networks = networks;
    for (const files of lists) {
      const fault = await networks.open(files);
      if (fault !== null) return fault;
    }
    const { loaded, failed, seconds } = await store.load();
    log.info({ loaded, failed, seconds }, 'zones loaded');
    networks.exportAll();
    // Not before: what loads zones has better use for the processor.
    const probing = prober.ready();
    probing.catch(() => undefined); // below
    networks.start();
    this.stopHearing = watchModeChanges(config.healthdataStore, () => networks.redecide());

    if (this.dnsSide !== null) {
      this.secondaries = new Secondaries({
        config,
        board: this.board,
        store,
        networks: () => networks.names(),
        dns: this.dnsSide,
        log,
      });
      await this.secondaries.open();
      await networks.firstLive(config.server.startupTimeoutSeconds);
      const fault = await this.dnsSide.run();
      if (fault !== null) return fault;
    }
    await probing;
    store.watch();
    this.ready = true;
    this.secondaries?.changedAll();
    log.info({ dns: this.dns, tls: this.tls, http: this.http, zones: this.zones() }, 'ready');
    return null;
  }

  reload(): Promise<void> {
    // One that waits will read everything that is there by then; more of them would only read it again.
    if (this.reloadWaits) return this.reloading;
    this.reloadWaits = true;
    this.reloading = this.reloading.then(async () => {
      this.reloadWaits = false;
      try {
        await this.reloadNow();
      } catch (error) {
        this.log.error(`reload failed: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
    return this.reloading;
  }

  stop(): Promise<void> {
    this.stopping ??= this.stopNow();
    return this.stopping;
  }

  private async stopNow(): Promise<void> {
    const wasReady = this.ready;
    this.ready = false;
    this.stopHearing();
    await this.reloading;
    // The prober goes first, or a round's last fetches would hold everything up.
    const rounds = this.networks?.stop();
    await this.prober?.stop();
    await rounds;
    await this.store?.close();
    await this.dnsSide?.stop();
    await this.secondaries?.stop();
    await this.histories?.close();
    await this.httpServer?.close();
    this.locks?.close();
    if (wasReady) this.log.info('stopped');
  }

  private async startHttp(): Promise<Fault | null> {
    const { listen } = this.config.http ?? { listen: null };
    if (listen === null) return null;
    const view = statusView({
      board: this.board,
      ready: () => this.ready,
      networks: () => this.networks?.views() ?? [],
      zones: () => this.store?.entries() ?? [],
      zoneFaults: () => this.store?.faults() ?? [],
      stats: () => this.dnsSide?.sums() ?? NO_STATS,
      proberAlive: () => this.prober !== null,
      proberDelayMs: () => this.networks?.proberDelayMs() ?? 0,
      secondaries: () => this.secondaries?.views() ?? [],
      notify: () => this.secondaries?.notifyCounts() ?? NO_NOTIFY,
      tlsNotAfter: () => (this.tls.length === 0 ? null : (this.tlsFiles?.notAfter ?? null)),
    });
    const started = await startHttp({ endpoint: listen, view, log: (level, message) => this.log[level](message) });
    if (!started.ok) return started.fault;
    this.httpServer = started.http;
    this.http = endpointText(started.http.endpoint);
    return null;
  }

  /** A certificate that cannot be used leaves the old one in service. */
  private reloadTls(server: ServerConfig): void {
    if (this.tlsFiles === null) return; // nothing listens for TLS
    const { tls, faults } = readTls(server, Date.now() / 1000);
    logFaults((level, text) => this.log[level](text), faults);
    if (hasErrors(faults)) this.log.error('reload: the certificate for TLS stays the one there was');
    if (tls === null) return;
    this.tlsFiles = tls;
    this.dnsSide?.configureTls(tls);
  }

  private openStore(networks: readonly string[]): ZoneStore {
    const { config, log } = this;
    const store = new ZoneStore({
      settings: zoneSettings(config, networks),
      serialFile: this.options.dryRun ? null : `${config.stateDir}/edgewise-zones.json`,
      liveSerial: (network, origin) => this.board.versionOf(network, origin)?.serial ?? 0,
      now: () => Date.now() / 1000,
      onChange: (changes) => {
        this.dnsSide?.zonesChanged(changes);
        // While the first load runs, `exportAll` is still to come.
        if (!this.ready) return;
        this.networks?.export(changes.map(({ origin }) => origin));
        void this.secondaries?.contentChanged(changes);
      },
      onFaults: (entry, faults) => {
        if (faults.length === 0) log.info(`${entry === null ? 'zones' : `zone ${entry.name}`}: all well again`);
        else if (entry === null) logFaults((level, text) => log[level](text), faults);
        else log[hasErrors(faults) ? 'error' : 'warn'](zoneFaultText(entry));
      },
    });
    this.store = store;
    return store;
  }

  private async reloadNow(): Promise<void> {
    const { log, networks, store } = this;
    if (networks === null || store === null || this.stopping !== null) return;
    const loaded = loadConfig(this.options.file);
    const lists = loaded.config === null ? null : readNetworks(loaded.config, this.options.networks, networks.names());
    const faults = [...loaded.faults, ...(lists?.faults ?? [])];
    logFaults((level, text) => log[level](text), faults);
    if (loaded.config === null || lists === null || hasErrors(faults)) {
      log.error('reload: the new configuration has errors; nothing was changed');
      // Zones have files of their own, and those may be what the operator mended.
      await store.reload();
      return;
    }
    const restart = needRestart(this.config, loaded.config);
    if (restart.length > 0) log.warn(`reload: ${restart.join(', ')} changed; that takes a restart`);
    this.config = loaded.config;
    await networks.configure(loaded.config, [...lists.files.values()]);
    this.dnsSide?.configure(loaded.config.server, loaded.config.transfer);
    this.secondaries?.configure(loaded.config.transfer);
    this.reloadTls(loaded.config.server);
    const summary = await store.reload(zoneSettings(loaded.config, networks.names()));
    // Whoever reads the line may ask at once, and each thread takes over what is new in its own time.
    await this.dnsSide?.settled();
    log.info(summary, 'reloaded');
  }
}
