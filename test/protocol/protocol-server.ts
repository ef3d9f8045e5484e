import { afterAll, beforeAll } from 'vitest';
import type { ServerConfig } from '../../src/config/types.ts';
import type { ThreadTransfer } from '../../src/server/transfer/handler-types.ts';
import { DnsServer } from '../support/dns-server.ts';
import { type ZoneSpec, zoneText } from '../support/zone-images.ts';

export const PROTOCOL_ZONE: ZoneSpec = { origin: 'example.test', text: zoneText('protocol/protocol.zone') };

/** Serves `example.test.` (and more) for one test file. The server is there once its tests run. */
export function protocolServer(
  more: readonly ZoneSpec[] = [],
  server: Partial<ServerConfig> = {},
  transfer?: ThreadTransfer,
): { readonly server: DnsServer } {
  const held: { server: DnsServer | null } = { server: null };
  beforeAll(async () => {
    held.server = await DnsServer.start([PROTOCOL_ZONE, ...more], server, transfer);
  });
  afterAll(async () => held.server?.stop());
  return {
    get server(): DnsServer {
      if (held.server === null) throw new Error('the server has not started');
      return held.server;
    },
  };
}
