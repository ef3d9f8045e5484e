import type { Config } from '../config/types.ts';
import type { WireName } from '../dns/name.ts';
import type { WrittenZone } from '../health/pools/round-types.ts';
import type { LiveHistoryFiles } from '../live/history-files.ts';
import type { LiveRRsets } from '../live/live-rrsets.ts';
import type { Hooks } from '../publish/hooks.ts';
import { hooksSink } from '../publish/hooks-sink.ts';
import { liveListSink } from '../publish/live-list.ts';
import { notifySink } from '../publish/notify-sink.ts';
import { prometheusSink } from '../publish/prometheus-file.ts';
import { servedZones } from '../publish/served-zones.ts';
import type { Sink } from '../publish/sink.ts';
import { Sinks } from '../publish/sinks.ts';
import { slotsSink } from '../publish/slots.ts';
import { stateSink } from '../publish/state.ts';
import { ZoneExporter } from '../publish/zone-exporter.ts';
import { zoneFilesSink } from '../publish/zone-files.ts';
import type { Log } from '../system/log-events.ts';
import type { ZoneStore } from '../zones/store/store.ts';

export type ServerSinksOptions = {
  readonly config: Config;
  readonly log: Log;
  readonly live: LiveRRsets;
  readonly store: ZoneStore;
  readonly histories: LiveHistoryFiles | null;
  readonly hooks: Hooks;
  readonly onSlots: (network: string, origins: readonly WireName[]) => void;
  readonly onServed: (origins: readonly WireName[]) => void;
  readonly onWritten: (network: string, zones: readonly WrittenZone[]) => Promise<void>;
};

/**
 * Everything that a change sets off in a server, in its order. A new sink is a file of `src/publish` and a line here.
 */
export function serverSinks(options: ServerSinksOptions): Sinks {
  const { config, log, live, store, histories, hooks, onSlots, onServed } = options;
  const list: readonly Sink[] = [
    stateSink(config.statefile),
    slotsSink({ live, histories, onSlots }),
    notifySink(onServed),
    ...(config.namedDir === null ? [] : [zoneFiles(config.namedDir)]),
    liveListSink,
    prometheusSink,
    hooksSink(hooks),
  ];
  const sinks = new Sinks(list, {
    log: (level, network, text) => {
      if (level === 'info') log('info', text, { event: 'publish.recovered', network });
      else log('error', text, { event: 'publish.failed', network });
    },
  });
  return sinks;

  function zoneFiles(folder: string): Sink {
    return zoneFilesSink({
      exporter: new ZoneExporter(folder, { durable: false }),
      source: servedZones(store, live),
      onWritten: async (change, zones, wrote) => {
        if (change.network !== null) await options.onWritten(change.network, zones);
        if (wrote) sinks.follow({ ...change, update: null, zones: [], filesWritten: true }, 'hooks');
      },
    });
  }
}
