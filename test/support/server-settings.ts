import type { ServerConfig } from '../../src/config/types.ts';

/** Settings of a server that listens nowhere and has nothing switched on, but for `changes`. */
export function serverSettings(changes: Partial<ServerConfig> = {}): ServerConfig {
  return {
    listen: [],
    tlsListen: [],
    tlsCertificate: null,
    tlsKey: null,
    udpWorkers: 1,
    ednsSize: 1232,
    tcpIdleSeconds: 10,
    tcpMessageSeconds: 10,
    tcpConnections: 100,
    tcpConnectionsPerClient: 100,
    nsid: null,
    version: null,
    id: null,
    minimal: false,
    user: null,
    startupTimeoutSeconds: 1,
    rateLimit: null,
    cookieSecrets: null,
    dnstap: null,
    ...changes,
  };
}
