import { asciiLabels } from '../../../dns/name.ts';
import { serialMax } from '../../../dns/serial.ts';
import type { LiveRRsets } from '../../../live/live-rrsets.ts';
import type { NoticeCounts } from '../../../publish/notices/delivery.ts';
import type { NotifyCounts } from '../../../publish/notify/notifier.ts';
import type { TargetStatus } from '../../../publish/providers/target-status.ts';
import { type Fault, formatFault } from '../../../system/fault.ts';
import { version } from '../../../system/version.ts';
import type { ZoneEntry } from '../../../zones/store/types.ts';
import type { StatsSum } from '../../stats.ts';
import type { NetworkView, ProberView, SecondaryView, StatusView, ZoneStates, ZoneView } from './views.ts';

/** Where the running server keeps what HTTP may ask. */
export type StatusSources = {
  readonly liveRRsets: LiveRRsets;
  readonly ready: () => boolean;
  readonly networks: () => readonly NetworkView[];
  readonly zones: () => readonly ZoneEntry[];
  readonly zonesLoad: StatusView['zonesLoad'];
  readonly zoneFaults: () => readonly Fault[];
  readonly stats: () => StatsSum;
  readonly prober: Pick<ProberView, 'alive' | 'troubles' | 'trouble'>;
  readonly proberDelayMs: () => number;
  readonly secondaries: () => readonly SecondaryView[];
  readonly providers: () => readonly TargetStatus[];
  readonly vantage: StatusView['vantage'];
  readonly notify: () => NotifyCounts;
  readonly notices: () => ReadonlyMap<string, NoticeCounts>;
  readonly tlsNotAfter: () => number | null;
  readonly partFaults: StatusView['partFaults'];
  readonly contained: StatusView['contained'];
  readonly dnstap: StatusView['dnstap'];
  readonly warnings: StatusView['warnings'];
  readonly httpRefused: StatusView['httpRefused'];
  readonly replay: StatusView['replay'];
};

export function statusView(sources: StatusSources): StatusView {
  const { liveRRsets } = sources;
  return {
    version: version(),
    startedAt: Date.now() / 1000,
    now: () => Date.now() / 1000,
    ready: sources.ready,
    networks: sources.networks,
    zones: () => sources.zones().map((entry) => zoneView(liveRRsets, entry)),
    zoneStates: () => zoneStates(sources.zones()),
    zonesLoad: sources.zonesLoad,
    zoneFaults: sources.zoneFaults,
    stats: sources.stats,
    statsNetworks: () => liveRRsets.servedRows(),
    prober: () => {
      const { alive, troubles, trouble } = sources.prober;
      return { alive, troubles, trouble, loopDelaySeconds: sources.proberDelayMs() / 1000 };
    },
    secondaries: sources.secondaries,
    providers: sources.providers,
    vantage: sources.vantage,
    notify: sources.notify,
    notices: sources.notices,
    tlsNotAfter: sources.tlsNotAfter,
    partFaults: sources.partFaults,
    contained: sources.contained,
    dnstap: sources.dnstap,
    warnings: sources.warnings,
    httpRefused: sources.httpRefused,
    replay: sources.replay,
  };
}

export function zoneStates(zones: readonly Pick<ZoneEntry, 'name' | 'state'>[]): ZoneStates {
  const stale: string[] = [];
  const broken: string[] = [];
  for (const { name, state } of zones) {
    if (state === 'stale') stale.push(shownName(name));
    else if (state === 'broken') broken.push(shownName(name));
  }
  return { ok: zones.length - stale.length - broken.length, stale, broken };
}

/** The name as queries have it: a zone file may be called by U-labels, and metrics of secondaries go by the origin. */
function shownName(name: string): string {
  return asciiLabels(name) ?? name;
}

/** `serial`: what the zone's SOA says, contents and live set together. */
function zoneView(liveRRsets: LiveRRsets, entry: ZoneEntry): ZoneView {
  const { origin, network, file, state, records, faults, signaturesEnd, loadedAt, serial } = entry;
  const live = liveRRsets.versionOf(network, origin)?.serial ?? 0;
  return {
    name: shownName(entry.name),
    network,
    file,
    state,
    serial: state === 'broken' ? 0 : serialMax(serial, live),
    records,
    signaturesEnd,
    loadedAt,
    faults,
  };
}

/** For the log: a zone's faults in one message. */
export function zoneFaultText(entry: ZoneEntry): string {
  const effect = entry.state === 'stale' ? 'its last good version stays in service' : 'it answers SERVFAIL';
  const head = entry.state === 'ok' ? `zone ${entry.name} has warnings` : `zone ${entry.name} does not load; ${effect}`;
  return [head, ...entry.faults.map(formatFault)].join('\n');
}
