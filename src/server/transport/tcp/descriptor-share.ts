import { readdirSync, readFileSync } from 'node:fs';
import type { ServerConfig } from '../../../config/types.ts';

/** Descriptors that TCP clients leave to everything else: probing, zone and state files, HTTP, secondaries. */
const RESERVE = 256;
const RESERVE_MIN = 32;
/** Where the system's limit cannot be read. */
const UNKNOWN_LIMIT = 1 << 20;

/**
 * How many of the process's descriptors TCP connections may take. However many clients come, those left over let
 * probing and `/healthz` go on: a quarter of a thousand, or where there are fewer half of them, but at least 32.
 */
export class DescriptorShare {
  private readonly limit: number;
  /** At most so many connections. */
  readonly connections: number;
  private readonly open: number;
  private readonly report: (message: string) => void;
  private warned = 0;

  constructor(limit: number, open: number, report: (message: string) => void) {
    const free = Math.max(0, limit - open);
    this.limit = limit;
    this.open = open;
    this.connections = Math.max(1, free - Math.min(RESERVE, Math.max(RESERVE_MIN, Math.ceil(free / 2))));
    this.report = report;
  }

  /** Of this process, before it has connections. */
  static now(report: (message: string) => void): DescriptorShare {
    return new DescriptorShare(descriptorLimit(), openDescriptors(), report);
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
    const needed = this.open + tcpConnections + RESERVE;
    this.report(
      `the limit of open files (${this.limit}) is too low for server.tcp_connections ${tcpConnections}: no more than ` +
        `${this.connections} TCP connections are served at once; raise the limit (LimitNOFILE of systemd, ulimit -n) to ${needed}`,
    );
  }
}

/** RLIMIT_NOFILE of this process, at most a million. */
export function descriptorLimit(): number {
  try {
    const line = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return line === null ? UNKNOWN_LIMIT : Math.min(Number(line[1]), UNKNOWN_LIMIT);
  } catch {
    return UNKNOWN_LIMIT;
  }
}

function openDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}
