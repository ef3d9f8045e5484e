import type { ServerConfig } from '../../src/config/types.ts';

/** The configuration's own defaults as far as the answering threads care, on one loopback port. */
export function benchSettings(port: number, changes: Partial<ServerConfig> = {}): ServerConfig {
  return {
    listen: [{ address: '127.0.0.1', port }],
    tlsListen: [],
    tlsCertificate: null,
    tlsKey: null,
    udpWorkers: 1,
    ednsSize: 1232,
    tcpIdleSeconds: 10,
    tcpMessageSeconds: 10,
    tcpConnections: 1000,
    tcpConnectionsPerClient: 100,
    nsid: null,
    version: null,
    id: null,
    minimal: false,
    user: null,
    startupTimeoutSeconds: 60,
    rateLimit: null,
    cookieSecrets: null,
    ...changes,
  };
}
