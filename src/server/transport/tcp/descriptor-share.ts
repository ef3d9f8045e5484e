import type { ServerConfig } from '../../../config/types.ts';
import { descriptorLimit, openDescriptors, raiseLimit } from '../../../system/descriptors.ts';

/** Descriptors that TCP and HTTP clients leave to everything else: probing, zone and state files, secondaries. */
const RESERVE = 256;
const RESERVE_MIN = 16;

/**
 * How many of the process's descriptors TCP connections may take. However many clients come, those left over let HTTP
 * have its connections and probing go on: a quarter of a thousand, or where there are fewer half of them, but at least
 * sixteen.
 */
export class DescriptorShare {
  private readonly limit: number;
  /** At most so many connections. */
  readonly connections: number;
  /** Descriptors that are open or kept for HTTP. */
  private readonly taken: number;
  private readonly report: (message: string) => void;
  private warned = 0;

  /** `open`: descriptors without connections of either kind; `http`: connections that HTTP may have. */
  constructor(limit: number, open: number, http: number, report: (message: string) => void) {
    const taken = open + http;
    const free = Math.max(0, limit - taken);
    this.limit = limit;
    this.taken = taken;
    this.connections = Math.max(1, free - Math.min(RESERVE, Math.max(RESERVE_MIN, Math.ceil(free / 2))));
    this.report = report;
  }

  /** Of this process, before it has connections. */
  static now(http: number, report: (message: string) => void): DescriptorShare {
    return new DescriptorShare(descriptorLimit(), openDescriptors(), http, report);
  }

  /** The settings with no more connections than there are descriptors for. */
  limited(server: ServerConfig): ServerConfig {
    if (server.tcpConnections <= this.connections) return server;
    return { ...server, tcpConnections: this.connections };
  }

  /** Reports settings that ask for more than there is, once for each. */
  warn({ tcpConnections }: ServerConfig): void {
    if (tcpConnections <= this.connections || tcpConnections === this.warned) return;
    this.warned = tcpConnections;
    const needed = this.taken + tcpConnections + RESERVE;
    this.report(
      `the limit of open files (${this.limit}) is too low for server.tcp_connections ${tcpConnections}: no more than ` +
        `${this.connections} TCP connections are served at once; ${raiseLimit(needed)}`,
    );
  }
}
