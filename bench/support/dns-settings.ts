import type { ServerConfig } from '../../src/config/types.ts';
import { serverSettings } from '../../test/support/server-settings.ts';

/** The configuration's own defaults as far as the answering threads care, on one loopback port. */
export function benchSettings(port: number, changes: Partial<ServerConfig> = {}): ServerConfig {
  const listen = [{ address: '127.0.0.1', port }];
  return serverSettings({ listen, tcpConnections: 1000, startupTimeoutSeconds: 60, ...changes });
}
