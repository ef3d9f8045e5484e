import type { TlsFiles } from '../../../config/tls-files.ts';
import type { ServerConfig } from '../../../config/types.ts';
import type { Endpoint } from '../../../system/address.ts';
import { endpointText } from '../../../system/address.ts';
import { isWildcard } from '../../../system/client-address.ts';
import { descriptorLimit } from '../../../system/descriptors.ts';
import { bugText } from '../../../system/error-text.ts';
import type { Log } from '../../../system/log-events.ts';
import { loadSyscalls } from '../../../system/syscalls.ts';
import type { ZoneUpdate } from '../../answer/zone-update.ts';
import type { SamplerSettings } from '../../dnstap/shared.ts';
import { clearNetwork, Stats, type StatsSum, sumStats } from '../../stats.ts';
import type { ThreadHistory, ThreadTransfer } from '../../transfer/handler-types.ts';
import { DescriptorShare } from '../tcp/descriptor-share.ts';
import { OpenDescriptors } from '../tcp/open-descriptors.ts';
import { createRateTable } from '../udp/rate-limit.ts';
import { AnsweringThread, type ThreadKind } from './answering-thread.ts';
import type { ListenFault } from './bind-sockets.ts';
import { LatestZones } from './latest-zones.ts';
import type { DnsMessage, DnsThreadData } from './protocol.ts';
import { Syncs } from './syncs.ts';
import { type Listen, ThreadSockets } from './thread-sockets.ts';

/** How often a port that is free for TCP and UDP is looked for where `listen` says 0. */
const PORT_TRIES = 20;

export type DnsThreadsOptions = {
  readonly server: ServerConfig;
  readonly transfer: ThreadTransfer;
  /** What `server.tls_listen` needs; without it nothing listens there. */
  readonly tls?: TlsFiles | null;
  /** `LiveSlots.shared`. */
  readonly slots: SharedArrayBuffer;
  /** Rows for networks in the statistics, row 0 ("static") included. */
  readonly networks: number;
  /** Zones to serve from the first query on, beside those that `send` brings before `run`. */
  readonly updates: readonly ZoneUpdate[];
  /** Everything there is for incremental transfers, for a thread that starts. */
  readonly history?: () => ThreadHistory;
  /** Connections that HTTP may have, whose descriptors TCP clients leave alone; left out: none. */
  readonly httpConnections?: number | undefined;
  readonly log: Log;
  /** What a callback of the main thread threw over a thread's report or end; left out: logged as an error. */
  readonly onBug?: ((error: unknown) => void) | undefined;
};

/**
 * The threads that answer: `udp_workers` for UDP and one for TCP. They are bound first (`bind`), then started
 * (`launch`), which lets them take over zones, and answer from `run` on, with everything sent before. A thread that
 * dies is logged and starts again with the zones as they are now.
 */
export class DnsThreads {
  private readonly options: DnsThreadsOptions;
  private readonly stats: SharedArrayBuffer;
  private readonly messageCount = new Int32Array(new SharedArrayBuffer(4));
  private readonly threads: readonly AnsweringThread[];
  private readonly zones = new LatestZones();
  private readonly sockets: ThreadSockets;
  private readonly syncs: Syncs;
  private readonly descriptors: SharedArrayBuffer | null;
  /** Known once every thread has what it opens at its start. */
  private share: DescriptorShare | null = null;
  private begun = false;
  private server: ServerConfig;
  private transfer: ThreadTransfer;
  private tls: TlsFiles | null;
  private rateLimit: SharedArrayBuffer | null;
  private dnstap: SamplerSettings | null = null;

  private constructor(options: DnsThreadsOptions, sockets: ThreadSockets) {
    this.options = options;
    this.sockets = sockets;
    this.server = options.server;
    this.transfer = options.transfer;
    this.tls = options.tls ?? null;
    this.rateLimit = tableFor(options.server, null);
    this.descriptors = sockets.areOpen ? OpenDescriptors.create(descriptorLimit()) : null;
    // One socket is all that threads can have of a port that each binds for itself.
    const workers = sockets.areOpen ? options.server.udpWorkers : 1;
    this.stats = Stats.create(workers + 1, options.networks);
    this.zones.note(options.updates);
    this.threads = [this.make('tcp', workers), ...Array.from({ length: workers }, (_, row) => this.make('udp', row))];
    this.syncs = new Syncs(this.threads.length);
  }

  /** Where it listens, with the real port where 0 was asked for. */
  get endpoints(): readonly Endpoint[] {
    return this.sockets.endpoints;
  }

  get tlsEndpoints(): readonly Endpoint[] {
    return this.sockets.tlsEndpoints;
  }

  /** `bind` and `run` in one. */
  static async start(options: DnsThreadsOptions): Promise<DnsThreads | ListenFault> {
    const threads = await DnsThreads.bind(options);
    if ('code' in threads) return threads;
    return (await threads.run()) ?? threads;
  }

  /**
   * Binds every endpoint of `server.listen` for UDP and TCP and of `tls_listen` for TLS, or says which one cannot be
   * had and why. Nothing is answered until `run`: a server whose zones or live sets are not ready yet holds its ports,
   * and may drop its privileges. Without system calls of our own the threads bind for themselves, so they are started
   * here.
   */
  static async bind(options: DnsThreadsOptions): Promise<DnsThreads | ListenFault> {
    const sys = await loadSyscalls();
    if (typeof sys !== 'string') {
      const sockets = ThreadSockets.open(sys, listenOf(options), options.server.udpWorkers);
      return 'code' in sockets ? sockets : new DnsThreads(options, sockets);
    }
    const { log, server } = options;
    log('info', `answering UDP one packet at a time, without batched system calls: ${sys}`, 'dns.unbatched');
    for (const endpoint of server.listen.filter(({ address }) => isWildcard(address))) {
      const where = endpointText(endpoint);
      const text = `${where}: the system picks the address that answers leave from; list each address to be sure`;
      log('warn', text, { event: 'dns.wildcard_source', address: where });
    }
    for (let tries = 1; ; tries++) {
      const threads = new DnsThreads(options, ThreadSockets.unopened(listenOf(options)));
      const fault = await threads.bindThreads();
      if (fault === null) return threads;
      await threads.stop();
      const portWasFree = server.listen.some(({ port }) => port === 0);
      if (fault.code !== 'listen-in-use' || !portWasFree || tries === PORT_TRIES) return fault;
    }
  }

  /** Starts the threads, so that they take over zones while others still load. */
  launch(): void {
    for (const thread of this.threads) thread.launch();
  }

  /** Answers from now on; resolves when every thread does, or cannot. */
  async run(): Promise<ListenFault | null> {
    this.launch();
    for (const thread of this.threads) {
      const bound = await thread.bound;
      if (!('code' in bound)) continue;
      await this.stop();
      return bound;
    }
    this.share = DescriptorShare.now(this.options.httpConnections ?? 0, (message) =>
      this.options.log('warn', message, 'dns.descriptors_low'),
    );
    this.share.warn(this.server);
    this.begun = true;
    this.post(this.settings());
    this.post({ kind: 'begin' });
    await Promise.all(this.threads.map(({ answering }) => answering));
    return null;
  }

  /** Sends zone updates to every thread. They are in force within `IDLE_WAIT_MS`; `settled` waits for it. */
  send(updates: readonly ZoneUpdate[]): void {
    this.zones.note(updates);
    this.post({ kind: 'zones', updates });
  }

  /** Additions to what incremental transfers are made of. */
  sendHistory(history: ThreadHistory): void {
    this.post({ kind: 'history', history });
  }

  /** New settings. `listen`, `udpWorkers` and `user` are of the start; a change of those needs a restart. */
  configure(server: ServerConfig, transfer: ThreadTransfer): void {
    this.rateLimit = tableFor(server, this.server.rateLimit?.size === server.rateLimit?.size ? this.rateLimit : null);
    this.server = server;
    this.transfer = transfer;
    this.share?.warn(server);
    this.post(this.settings());
  }

  /** Another certificate, for connections from now on. */
  configureTls(tls: TlsFiles): void {
    this.tls = tls;
    this.post({ kind: 'tls', tls });
  }

  /** How many threads answer: rows of the statistics. */
  get size(): number {
    return this.threads.length;
  }

  /** What is reported over dnstap from now on; null: nothing. */
  configureDnstap(settings: SamplerSettings | null): void {
    this.dnstap = settings;
    this.post({ kind: 'dnstap', settings });
  }

  /** Resolves when every thread answers by everything sent so far. */
  settled(): Promise<void> {
    return this.syncs.next((id) => this.post({ kind: 'sync', id }));
  }

  /** What was counted of a network goes with it. No thread may count by this row meanwhile. */
  clearNetwork(row: number): void {
    clearNetwork(this.stats, this.options.networks, row);
  }

  /** Counters of all threads since the start. */
  sums(): StatsSum {
    return sumStats(this.stats, this.options.networks);
  }

  /** Answers what has come, then ends every thread and closes the sockets. */
  async stop(): Promise<void> {
    const ended = this.threads.map((thread) => thread.stop());
    this.countMessage();
    await Promise.all(ended);
    this.closeLeft();
    this.sockets.close();
    this.syncs.stop();
  }

  /** Threads that bind for themselves: TCP first, for its port is not shared. */
  private async bindThreads(): Promise<ListenFault | null> {
    for (const [i, thread] of this.threads.entries()) {
      thread.launch();
      const bound = await thread.bound;
      if ('code' in bound) return bound;
      if (i === 0) this.sockets.opened(bound);
    }
    return null;
  }

  private make(kind: ThreadKind, row: number): AnsweringThread {
    return new AnsweringThread({
      kind,
      row,
      data: (name) => this.data(name, kind, row),
      firstMessages: () => this.firstMessages(),
      onSynced: (id) => this.syncs.done(id, `${kind}-${row}`),
      onEnd: () => {
        if (kind === 'tcp') this.closeLeft();
      },
      log: this.options.log,
      onBug: this.options.onBug ?? ((error) => this.options.log('error', bugText(error), 'server.bug_contained')),
    });
  }

  private data(name: string, kind: ThreadKind, row: number): DnsThreadData {
    return {
      name,
      slots: this.options.slots,
      stats: this.stats,
      networks: this.options.networks,
      statsRow: row,
      messageCount: this.messageCount.buffer as SharedArrayBuffer,
      server: this.limitedServer(),
      transfer: this.transfer,
      sockets: this.sockets.of(kind, row),
      tls: kind === 'tcp' ? this.tls : null,
      descriptors: kind === 'tcp' ? this.descriptors : null,
      rateLimit: this.rateLimit,
      dnstap: this.dnstap,
    };
  }

  private settings(): DnsMessage {
    return { kind: 'settings', server: this.limitedServer(), transfer: this.transfer, rateLimit: this.rateLimit };
  }

  private limitedServer(): ServerConfig {
    return this.share?.limited(this.server) ?? this.server;
  }

  private firstMessages(): readonly DnsMessage[] {
    const history = this.options.history?.();
    this.countMessage();
    return [
      { kind: 'zones', updates: this.zones.all() },
      ...(history === undefined ? [] : [{ kind: 'history', history } as const]),
      // A barrier that waits for a thread that died waits for its successor.
      ...this.syncs.pending().map((id) => ({ kind: 'sync', id }) as const),
      ...(this.begun ? [{ kind: 'begin' } as const] : []),
    ];
  }

  private post(message: DnsMessage): void {
    for (const thread of this.threads) thread.post(message);
    this.countMessage();
  }

  private countMessage(): void {
    Atomics.add(this.messageCount, 0, 1);
  }

  /** What a TCP thread that is gone had opened by system calls of its own. */
  private closeLeft(): void {
    if (this.descriptors !== null) this.sockets.closeLeft(new OpenDescriptors(this.descriptors));
  }
}

/** Without a certificate nothing listens for TLS. */
function listenOf({ server, tls = null }: DnsThreadsOptions): Listen {
  return { plain: server.listen, tls: tls === null ? [] : server.tlsListen };
}

/** The table that a configuration needs: the one there is, a new one, or none. */
function tableFor({ rateLimit }: ServerConfig, known: SharedArrayBuffer | null): SharedArrayBuffer | null {
  return rateLimit === null ? null : (known ?? createRateTable(rateLimit));
}
