import type { Config } from '../config/types.ts';
import type { WrittenZone } from '../health/pools/round-types.ts';
import type { Hooks } from '../publish/hooks.ts';
import { hooksSink } from '../publish/hooks-sink.ts';
import { liveListSink } from '../publish/live-list.ts';
import { prometheusSink } from '../publish/prometheus-file.ts';
import type { FollowingSink, Sink } from '../publish/sink.ts';
import { Sinks } from '../publish/sinks.ts';
import { stateSink } from '../publish/state.ts';
import type { TemplateZones } from '../publish/template-zones.ts';
import { ZoneExporter } from '../publish/zone-exporter.ts';
import { zoneFilesSink } from '../publish/zone-files.ts';
import type { Log } from '../system/log-events.ts';

/** What a single run's change sets off, in its order: the server's sinks less those that need a server. */
export function runSinks(
  config: Config,
  zones: TemplateZones,
  hooks: Hooks,
  log: Log,
  onWritten: (written: readonly WrittenZone[]) => Promise<void>,
  flushRecords: () => Promise<void>,
  providers: readonly FollowingSink[],
): Sinks {
  const list: readonly Sink[] = [
    stateSink(config.statefile),
    { name: 'zones', phase: 'serve', apply: (_, update) => zones.published(update) },
    ...(config.namedDir === null ? [] : [zoneFiles(config.namedDir)]),
    liveListSink,
    prometheusSink,
    // A run's hooks find its health records on disk.
    { name: 'records', phase: 'follow', apply: async () => flushRecords().then(() => []) },
    ...providers,
    hooksSink(hooks),
  ];
  const sinks = new Sinks(list, {
    log: (level, _network, text) => {
      if (level === 'info') log('info', text, 'publish.recovered');
      else log('error', text, 'publish.failed');
    },
  });
  return sinks;

  function zoneFiles(folder: string): Sink {
    return zoneFilesSink({
      exporter: new ZoneExporter(folder),
      source: zones,
      onWritten: async (change, written, wrote) => {
        await onWritten(written);
        if (wrote) sinks.follow({ ...change, update: null, zones: [], filesWritten: true }, 'hooks');
      },
    });
  }
}
