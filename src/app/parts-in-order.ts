import type { Config } from '../config/types.ts';
import type { Prober } from '../health/checks/prober.ts';
import type { LiveHistoryFiles } from '../live/history-files.ts';
import type { Hooks } from '../publish/hooks.ts';
import type { Sinks } from '../publish/sinks.ts';
import { dropPrivileges } from '../system/drop-privileges.ts';
import type { DnsPart } from './dns-part.ts';
import type { DnstapPart } from './dnstap-part.ts';
import type { Networks } from './networks.ts';
import type { NoticesPart } from './notices-part.ts';
import { type Part, part } from './part.ts';
import type { VantagePart } from './vantage/vantage-part.ts';
import type { ZonesPart } from './zones-part.ts';

export type ServerParts = {
  readonly config: Config;
  /** Answers nothing and writes nothing. */
  readonly dryRun: boolean;
  readonly dns: DnsPart;
  readonly dnstap: DnstapPart;
  readonly http: Part;
  readonly locks: Part;
  /** Null: nothing is written. */
  readonly histories: LiveHistoryFiles | null;
  readonly vantage: VantagePart;
  readonly networks: Networks;
  readonly zones: ZonesPart;
  readonly hooks: Hooks;
  readonly sinks: Sinks;
  readonly providers: Part;
  readonly notices: NoticesPart;
  readonly rounds: Part;
  readonly secondaries: Part;
  readonly prober: Prober;
  /** Queries are answered, and everything was loaded. */
  readonly onReady: () => void;
};

/**
 * In which order a server starts, and the other way round stops. Ports come first, while we may still bind them;
 * answers last, not before every network has a live set, saved or decided, or `startup_timeout` is over.
 */
export function partsInOrder(parts: ServerParts): readonly Part[] {
  const { config, dryRun, dns, dnstap, histories, vantage, networks, zones, hooks, sinks, notices, prober } = parts;
  const privileges = part('privileges', {
    start: async () => (config.server.user === null ? null : dropPrivileges(config.server.user)),
  });
  const liveHistories = part('live history', {
    stop: async () => histories?.close(),
    faults: () => histories?.faults() ?? [],
  });
  const open = part('networks', {
    start: () => networks.open(),
    prepare: (reload) => networks.prepare(reload),
    faults: () => networks.faults(),
  });
  const publish = part('publish', {
    start: async () => {
      if (!dryRun) networks.exportAll();
      return null;
    },
    stop: () => hooks.stop(),
    faults: () => sinks.faults(),
  });
  const answers = part('answers', {
    start: async () => {
      await networks.firstLive(config.server.startupTimeoutSeconds);
      return dns.run();
    },
  });
  const probing = part('prober', {
    start: async () => {
      await prober.ready();
      return null;
    },
  });
  const watch = part('watches', {
    start: async () => {
      zones.store.watch();
      parts.onReady();
      return null;
    },
  });
  const list: readonly (Part | null)[] = [
    dryRun ? null : dnstap.last,
    dryRun ? null : dns.ports,
    parts.http,
    dryRun ? null : privileges,
    dryRun ? null : dnstap.part,
    dryRun ? null : dns.threads,
    dryRun ? null : parts.locks,
    liveHistories,
    dryRun ? null : vantage.part,
    open,
    dryRun ? null : dns.settings,
    zones.part,
    publish,
    parts.providers,
    dryRun ? null : notices.open,
    parts.rounds,
    dryRun ? null : parts.secondaries,
    dryRun ? null : answers,
    probing,
    watch,
    dryRun ? null : notices.part,
    dryRun ? null : vantage.role,
  ];
  return list.filter((each) => each !== null);
}
