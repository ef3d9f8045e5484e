import type { ServerConfig } from '../../../config/types.ts';
import type { ZoneUpdate } from '../../answer/zone-update.ts';
import type { ThreadTransfer } from '../../transfer/handler-types.ts';
import type { ListenFault } from './bind-sockets.ts';
import type { BoundThreads, DnsThreads, DnsThreadsOptions } from './dns-threads.ts';
import { LastZones } from './zone-table.ts';

/**
 * Threads that cannot start before they may answer, since they bind their sockets themselves. What they are to be told is
 * kept for them; the history they ask for.
 */
export function threadsLater(
  options: DnsThreadsOptions,
  start: (options: DnsThreadsOptions) => Promise<DnsThreads | ListenFault>,
): BoundThreads {
  const zones = new LastZones();
  zones.note(options.updates);
  let { server, transfer } = options;
  let started: DnsThreads | null = null;
  return {
    launch: () => undefined,
    send: (updates: readonly ZoneUpdate[]) => zones.note(updates),
    sendHistory: () => undefined,
    configure: (newServer: ServerConfig, newTransfer: ThreadTransfer) => {
      server = newServer;
      transfer = newTransfer;
    },
    async run() {
      const threads = await start({ ...options, server, transfer, updates: zones.all() });
      if ('code' in threads) return threads;
      started = threads;
      // Whatever changed while they started; a zone told twice is told the same.
      threads.configure(server, transfer);
      threads.send(zones.all());
      await threads.settled();
      return threads;
    },
    stop: async () => started?.stop(),
  };
}
