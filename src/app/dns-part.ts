import { readTls, type TlsFiles } from '../config/tls-files.ts';
import type { Config } from '../config/types.ts';
import type { WireName } from '../dns/name.ts';
import type { LiveRRsets } from '../live/live-rrsets.ts';
import { httpConnections } from '../server/control/http/connections.ts';
import { NO_STATS, type StatsSum } from '../server/stats.ts';
import { DnsService } from '../server/transport/threads/dns-service.ts';
import { descriptorLimit } from '../system/descriptors.ts';
import type { Fault } from '../system/fault.ts';
import type { Guard } from '../system/guard.ts';
import type { Log } from '../system/log-events.ts';
import { logFaults } from '../system/log-faults.ts';
import type { ZoneChange } from '../zones/store/types.ts';
import { type Part, type Prepared, part, type Reload, ready } from './part.ts';

export type DnsPartOptions = {
  readonly config: Config;
  /** Read before privileges are dropped: the key is often root's alone. */
  readonly tls: TlsFiles | null;
  readonly live: LiveRRsets;
  readonly log: Log;
  /** Whether the log leaves out the level `debug`. */
  readonly quiet: boolean;
  readonly guard: Guard;
};

/**
 * The threads that answer, in three steps of the start: ports first, so that an address in use is known at once and
 * privileges can go before any file is written; threads, which take over zones while others still load; answers last.
 * In a dry run none of the steps is made.
 */
export class DnsPart {
  readonly ports: Part;
  readonly threads: Part;
  /** For a reload: once the networks are known, whose names the threads get. */
  readonly settings: Part;
  private readonly options: DnsPartOptions;
  private tlsFiles: TlsFiles | null;
  private service: DnsService | null = null;
  /** Why the certificate in use is an older one than the files' at the last reload; null: it is theirs. */
  private tlsFault: string | null = null;

  constructor(options: DnsPartOptions) {
    this.options = options;
    this.tlsFiles = options.tls;
    this.ports = part('dns', {
      start: () => this.bind(),
      stop: async () => this.service?.stop(),
    });
    this.threads = part('dns threads', {
      start: async () => {
        this.service?.launch();
        return null;
      },
    });
    this.settings = part('dns settings', {
      prepare: async (reload) => this.prepare(reload),
      faults: () => (this.tlsFault === null ? [] : [this.tlsFault]),
    });
  }

  /** From here on queries are answered. */
  async run(): Promise<Fault | null> {
    return (await this.service?.run()) ?? null;
  }

  /** Null in a dry run. */
  get dns(): DnsService | null {
    return this.service;
  }

  /** `127.0.0.1:53` */
  get endpoints(): readonly string[] {
    return this.service?.endpoints() ?? [];
  }

  /** Of TLS. */
  get tlsEndpoints(): readonly string[] {
    return this.service?.tlsEndpoints() ?? [];
  }

  /** When the certificate in use ends, epoch seconds; null: nothing listens for TLS. */
  get tlsNotAfter(): number | null {
    return this.tlsEndpoints.length === 0 ? null : (this.tlsFiles?.notAfter ?? null);
  }

  stats(): StatsSum {
    return this.service?.sums() ?? NO_STATS;
  }

  zonesChanged(changes: readonly ZoneChange[]): void {
    this.service?.zonesChanged(changes);
  }

  slotsChanged(network: string, origins: readonly WireName[]): void {
    this.service?.slotsChanged(network, origins);
  }

  /** Resolves when every thread answers by everything said so far. */
  async settled(): Promise<void> {
    await this.service?.settled();
  }

  private async bind(): Promise<Fault | null> {
    const { config, live, log, quiet, guard } = this.options;
    const service = await DnsService.bind({
      server: config.server,
      transfer: config.transfer,
      tls: this.tlsFiles,
      liveRRsets: live,
      httpConnections: config.http === null ? 0 : httpConnections(descriptorLimit()),
      quiet,
      log,
      onBug: (error) => guard.note('dns threads', error),
    });
    if ('code' in service) return service;
    this.service = service;
    return null;
  }

  /** A certificate that cannot be used leaves the old one in service and holds up nothing else. */
  private prepare({ config }: Reload): Prepared {
    const { log } = this.options;
    const read = this.tlsFiles === null ? null : readTls(config.server, Date.now() / 1000);
    return ready(() => {
      this.service?.configure(config.server, config.transfer);
      if (read === null) return;
      logFaults(log, read.faults);
      const fault = read.faults.find(({ severity }) => severity === 'error') ?? null;
      this.tlsFault =
        fault === null ? null : `the certificate for TLS stays the one before the last reload: ${fault.message}`;
      if (fault !== null) log('error', 'reload: the certificate for TLS stays the one there was', 'dns.tls_kept');
      if (read.tls === null) return;
      this.tlsFiles = read.tls;
      this.service?.configureTls(read.tls);
    });
  }
}
