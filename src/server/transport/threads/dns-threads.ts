import { Worker } from 'node:worker_threads';
import type { TlsFiles } from '../../../config/tls-files.ts';
import type { ServerConfig } from '../../../config/types.ts';
import type { Endpoint } from '../../../system/address.ts';
import { endpointText } from '../../../system/address.ts';
import { isWildcard } from '../../../system/client-address.ts';
import { loadSyscalls } from '../../../system/syscalls.ts';
import { workerUrl } from '../../../system/worker-url.ts';
import type { ZoneUpdate } from '../../answer/zone-update.ts';
import { Stats, type StatsSum, sumStats } from '../../stats.ts';
import type { ThreadHistory, ThreadTransfer } from '../../transfer/handler-types.ts';
import { OpenDescriptors } from '../tcp/open-descriptors.ts';
import { createRateTable } from '../udp/rate-limit.ts';
import { type ListenFault, listenFault } from './bind-sockets.ts';
import { threadsLater } from './deferred-threads.ts';
import type { DnsMessage, DnsReport, DnsThreadData } from './protocol.ts';
import { type Listen, ThreadSockets } from './share-sockets.ts';
import { LastZones } from './zone-table.ts';

const DESCRIPTORS_MAX = 1 << 20;
const RESTART_MS = 1000; // between two starts of a thread that dies at once
const STOP_MS = 2000; // until a thread that does not stop is ended

export type DnsThreadsOptions = {
  readonly server: ServerConfig;
  readonly transfer: ThreadTransfer;
  /** What `server.tls_listen` needs; without it nothing listens there. */
  readonly tls?: TlsFiles | null;
  /** `LiveSlots.shared`. */
  readonly slots: SharedArrayBuffer;
  /** Rows for networks in the statistics, row 0 ("static") included. */
  readonly networks: number;
  /** Zones to serve from the first query on, beside those that `BoundThreads.send` tells of. */
  readonly updates: readonly ZoneUpdate[];
  /** Everything there is for incremental transfers, for a thread that starts. */
  readonly history?: () => ThreadHistory;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;
};

/** Sockets that are bound and that nobody reads yet. What is told before `run` is in force with the first answer. */
export type BoundThreads = Pick<DnsThreads, 'send' | 'sendHistory' | 'configure'> & {
  /** Starts the threads, so that they take over zones while others still load. */
  readonly launch: () => void;
  /** Answers from now on. Without system calls of our own, threads start and bind here, and that may fail. */
  readonly run: () => Promise<DnsThreads | ListenFault>;
  readonly stop: () => Promise<void>;
};

type Kind = 'udp' | 'tcp';

/** One thread and what it takes to start it again. */
type Member = {
  readonly name: string;
  readonly kind: Kind;
  readonly row: number;
  worker: Worker | null;
  startedAt: number;
  /** Whether it ever listened. */
  listened: boolean;
  /** Resolves when the thread listens (true) or cannot (a fault). */
  settle: (result: readonly Endpoint[] | ListenFault) => void;
  readonly synced: Set<number>;
};

/**
 * The threads that answer: `udp_workers` for UDP and one for TCP. Opened with `start`, closed with `stop`. A thread that
 * dies is logged and starts again with the zones as they are now, on the sockets that stayed open.
 */
export class DnsThreads {
  private readonly options: DnsThreadsOptions;
  private readonly stats: SharedArrayBuffer;
  private readonly news = new SharedArrayBuffer(4);
  private readonly members: Member[] = [];
  /** What became of each member's first start. */
  private listening: readonly Promise<readonly Endpoint[] | ListenFault>[] = [];
  /** Whether queries are answered, or about to be. */
  private begun = false;
  private readonly zones = new LastZones();
  private readonly sockets: ThreadSockets;
  /** Threads for UDP; there is one more, for TCP. */
  private readonly workers: number;
  private server: ServerConfig;
  private transfer: ThreadTransfer;
  private tls: TlsFiles | null;
  private rateLimit: SharedArrayBuffer | null;
  private readonly descriptors: SharedArrayBuffer | null;
  private stopping = false;
  private readonly restarts = new Set<NodeJS.Timeout>();
  private syncs = 0;
  private readonly syncWaiters = new Map<number, () => void>();

  private constructor(options: DnsThreadsOptions, sockets: ThreadSockets, workers: number) {
    this.options = options;
    this.sockets = sockets;
    this.workers = workers;
    this.server = options.server;
    this.transfer = options.transfer;
    this.tls = options.tls ?? null;
    this.rateLimit = tableFor(options.server, null);
    this.descriptors = sockets.areOpen ? OpenDescriptors.create(DESCRIPTORS_MAX) : null;
    this.stats = Stats.create(workers + 1, options.networks);
    this.zones.note(options.updates);
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
    const bound = await DnsThreads.bind(options);
    return 'code' in bound ? bound : bound.run();
  }

  /**
   * Binds every endpoint of `server.listen` for UDP and TCP and of `tls_listen` for TLS, or says which one cannot be had
   * and why. Nothing is answered until `run`: a server whose zones or live sets are not ready yet holds its ports, and may
   * drop its privileges.
   */
  static async bind(options: DnsThreadsOptions): Promise<BoundThreads | ListenFault> {
    const sys = await loadSyscalls();
    if (typeof sys === 'string') {
      options.log('info', `answering UDP one packet at a time, without batched system calls: ${sys}`);
      for (const endpoint of options.server.listen.filter(({ address }) => isWildcard(address))) {
        const where = endpointText(endpoint);
        options.log(
          'warn',
          `${where}: the system picks the address that answers leave from; list each address to be sure`,
        );
      }
      return threadsLater(options, (late) => DnsThreads.startPortable(late));
    }
    const workers = options.server.udpWorkers;
    const sockets = ThreadSockets.open(sys, listenOf(options), workers);
    return 'code' in sockets ? sockets : new DnsThreads(options, sockets, workers);
  }

  /** As in `BoundThreads`. */
  launch(): void {
    if (this.listening.length > 0) return;
    const udp = Array.from({ length: this.workers }, (_, i) => this.add('udp', i));
    this.listening = [...udp, this.add('tcp', this.workers)];
  }

  /** As in `BoundThreads`. */
  async run(): Promise<DnsThreads | ListenFault> {
    this.launch();
    this.begun = true;
    this.post({ kind: 'begin' });
    return this.orFault(await Promise.all(this.listening));
  }

  /** Without system calls of our own the threads bind for themselves, TCP first, and only one can have a UDP port. */
  private static async startPortable(options: DnsThreadsOptions): Promise<DnsThreads | ListenFault> {
    for (let tries = 1; ; tries++) {
      const group = new DnsThreads(options, ThreadSockets.unopened(listenOf(options)), 1);
      group.begun = true;
      const tcp = await group.add('tcp', 1);
      if (!('code' in tcp)) group.sockets.opened(tcp);
      const results = 'code' in tcp ? [tcp] : [tcp, await group.add('udp', 0)];
      const started = await group.orFault(results);
      const portWasFree = options.server.listen.some(({ port }) => port === 0);
      if (!('code' in started) || started.code !== 'listen-in-use' || !portWasFree || tries === 20) return started;
    }
  }

  private async orFault(results: readonly (readonly Endpoint[] | ListenFault)[]): Promise<DnsThreads | ListenFault> {
    for (const result of results) {
      if (!('code' in result)) continue;
      await this.stop();
      return result;
    }
    return this;
  }

  /** Gives zone updates to every thread. They are in force within `NEWS_MS`; `settled` waits for it. */
  send(updates: readonly ZoneUpdate[]): void {
    this.zones.note(updates);
    this.post({ kind: 'zones', updates });
  }

  /** News for incremental transfers. */
  sendHistory(history: ThreadHistory): void {
    this.post({ kind: 'history', history });
  }

  /** New settings. `listen`, `udpWorkers` and `user` are of the start; a change of those needs a restart. */
  configure(server: ServerConfig, transfer: ThreadTransfer): void {
    this.rateLimit = tableFor(server, this.server.rateLimit?.size === server.rateLimit?.size ? this.rateLimit : null);
    this.server = server;
    this.transfer = transfer;
    this.post({ kind: 'settings', server, transfer, rateLimit: this.rateLimit });
  }

  /** Another certificate, for connections from now on. */
  configureTls(tls: TlsFiles): void {
    this.tls = tls;
    for (const { kind, worker } of this.members) {
      if (kind === 'tcp') worker?.postMessage({ kind: 'tls', tls } satisfies DnsMessage);
    }
  }

  /** Resolves when every thread answers by everything sent so far. */
  settled(): Promise<void> {
    const id = ++this.syncs;
    return new Promise((resolve) => {
      const check = (): void => {
        if (!this.stopping && !this.members.every(({ synced }) => synced.has(id))) return;
        this.syncWaiters.delete(id);
        for (const { synced } of this.members) synced.delete(id);
        resolve();
      };
      this.syncWaiters.set(id, check);
      this.post({ kind: 'sync', id });
    });
  }

  /** Counters of all threads since the start. */
  sums(): StatsSum {
    return sumStats(this.stats, this.options.networks);
  }

  /** Answers what has come, then ends every thread and closes the sockets. */
  async stop(): Promise<void> {
    this.stopping = true;
    for (const timer of this.restarts) clearTimeout(timer);
    const ended = this.members.map(({ worker }) => {
      if (worker === null) return Promise.resolve();
      return new Promise<void>((resolve) => {
        const timer = setTimeout(() => void worker.terminate(), STOP_MS);
        worker.once('exit', () => {
          clearTimeout(timer);
          resolve();
        });
      });
    });
    this.post({ kind: 'stop' });
    await Promise.all(ended);
    this.sockets.close();
    for (const check of this.syncWaiters.values()) check();
  }

  private post(message: DnsMessage): void {
    for (const { worker } of this.members) worker?.postMessage(message);
    Atomics.add(new Int32Array(this.news), 0, 1);
  }

  private add(kind: Kind, row: number): Promise<readonly Endpoint[] | ListenFault> {
    return new Promise((settle) => {
      const name = kind === 'udp' ? `udp-${row}` : 'tcp';
      const member: Member = {
        name,
        kind,
        row,
        worker: null,
        startedAt: 0,
        listened: false,
        settle,
        synced: new Set(),
      };
      this.members.push(member);
      this.startMember(member);
    });
  }

  private startMember(member: Member): void {
    const { name, kind, row } = member;
    const data: DnsThreadData = {
      name,
      slots: this.options.slots,
      stats: this.stats,
      networks: this.options.networks,
      statsRow: row,
      news: this.news,
      server: this.server,
      transfer: this.transfer,
      sockets: this.sockets.of(kind, row),
      tls: kind === 'tcp' ? this.tls : null,
      descriptors: kind === 'tcp' ? this.descriptors : null,
      rateLimit: this.rateLimit,
    };
    const url = kind === 'udp' ? '../udp/worker.ts' : '../tcp/worker.ts';
    // Sockets are handed over: that a thread closes what it did not open is no mistake to be warned of.
    const worker = new Worker(workerUrl(import.meta.url, url), { workerData: data, name, trackUnmanagedFds: false });
    member.worker = worker;
    member.startedAt = performance.now();
    worker.on('message', (report: DnsReport) => this.hear(member, report));
    worker.on('error', (error) => {
      this.options.log('error', `${name}: the thread died: ${error instanceof Error ? error.stack : String(error)}`);
    });
    worker.on('exit', () => this.ended(member, worker));
    worker.postMessage({ kind: 'zones', updates: this.zones.all() } satisfies DnsMessage);
    const history = this.options.history?.();
    if (history !== undefined) worker.postMessage({ kind: 'history', history } satisfies DnsMessage);
    // Whoever waits for a thread that died meanwhile waits for its successor.
    for (const id of this.syncWaiters.keys()) worker.postMessage({ kind: 'sync', id } satisfies DnsMessage);
    if (this.begun) worker.postMessage({ kind: 'begin' } satisfies DnsMessage);
    Atomics.add(new Int32Array(this.news), 0, 1);
  }

  private hear(member: Member, report: DnsReport): void {
    switch (report.kind) {
      case 'listening':
        member.listened = true;
        member.settle(report.endpoints);
        break;
      case 'failed': {
        const fault = listenFault(report.endpoint, member.kind.toUpperCase(), report.code);
        if (this.endpoints.length > 0) this.options.log('error', fault.message);
        member.settle(fault);
        break;
      }
      case 'log':
        this.options.log(report.level, report.message);
        break;
      case 'synced':
        member.synced.add(report.id);
        for (const check of this.syncWaiters.values()) check();
        break;
      case 'stopped':
        break;
    }
  }

  private ended(member: Member, worker: Worker): void {
    if (member.worker !== worker) return;
    member.worker = null;
    if (member.kind === 'tcp' && this.descriptors !== null)
      this.sockets.closeLeft(new OpenDescriptors(this.descriptors));
    if (this.stopping) return;
    if (!member.listened) {
      // It did not come as far as listening even once: that is for whoever starts the group.
      member.settle(listenFault(this.options.server.listen[0], `${member.name}:`, 'thread died'));
      return;
    }
    const pause = performance.now() - member.startedAt > RESTART_MS ? 0 : RESTART_MS;
    this.options.log('error', `${member.name}: starting the thread again`);
    const timer = setTimeout(() => {
      this.restarts.delete(timer);
      this.startMember(member);
    }, pause);
    this.restarts.add(timer);
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
