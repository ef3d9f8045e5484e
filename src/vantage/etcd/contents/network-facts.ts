/** What the contents of a network's zones must know of the network: its set in the store, and who has a vote. */
import { nameKey, type WireName } from '../../../dns/name.ts';
import { serialMax } from '../../../dns/serial.ts';
import type { DecidedSet } from '../../../health/agreement/decided-set.ts';
import type { ReceivedView, VantageView } from '../../../health/agreement/view.ts';

export type NetworkFacts = {
  /** Mod revision of the network's decided set as we know it; 0: there is none. */
  readonly setRevision: (network: string) => bigint;
  /** Serial of the zone's live set in it; 0: none. */
  readonly liveSerial: (network: string, origin: WireName) => number;
  /** The latest serial of the network's live set that any vantage reports, ours included; 0: none. */
  readonly reportedLive: (network: string) => number;
  /** Whether the vantage, another one, is heard of and has the configuration that we have. */
  readonly hasVote: (network: string, vantage: string) => boolean;
};

export type NetworkFactsOptions = {
  readonly sets: () => {
    readonly decided: (network: string) => Pick<DecidedSet, 'serial' | 'canarySerials'> | null;
    readonly revision: (network: string) => bigint;
  };
  readonly views: () => {
    readonly received: (network: string) => readonly ReceivedView[];
    readonly published: (network: string) => VantageView | null;
  };
  /** Seconds for which a view counts. */
  readonly freshSeconds: number;
};

export function networkFacts({ sets, views, freshSeconds }: NetworkFactsOptions): NetworkFacts {
  return {
    setRevision: (network) => sets().revision(network),
    liveSerial: (network, origin) => {
      const set = sets().decided(network);
      if (set === null) return 0;
      let { serial } = set;
      for (const [zone, own] of set.canarySerials) if (nameKey(zone) === origin) serial = serialMax(serial, own);
      return serial;
    },
    reportedLive: (network) => {
      const own = views().published(network);
      const all = views()
        .received(network)
        .map(({ view }) => view);
      return [...all, ...(own === null ? [] : [own])].reduce((latest, { serial }) => serialMax(latest, serial), 0);
    },
    hasVote: (network, vantage) => {
      const own = views().published(network);
      const found = views()
        .received(network)
        .find(({ view }) => view.vantage === vantage);
      return found !== undefined && found.age <= freshSeconds && (own === null || found.view.config === own.config);
    },
  };
}
