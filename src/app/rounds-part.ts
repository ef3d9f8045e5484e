import type { Prober } from '../health/checks/prober.ts';
import { watchModeChanges } from '../health/modes/mode-changes.ts';
import type { Guard } from '../system/guard.ts';
import type { Networks } from './networks.ts';
import { type Part, part } from './part.ts';

export type RoundsPartOptions = {
  readonly networks: Networks;
  readonly prober: Prober;
  readonly guard: Guard;
  /** Folder of the health records, in which other processes change modes. */
  readonly healthdataStore: string;
};

/** The clocks, and with them the end of probing: a round's last fetches must not hold a stop up. */
export function roundsPart({ networks, prober, guard, healthdataStore }: RoundsPartOptions): Part {
  let stopWatching = (): void => undefined;
  return part('rounds', {
    start: async () => {
      // Not before: what loads zones has better use for the processor. The part `prober` waits for it.
      prober.ready().catch(() => undefined);
      networks.start();
      const redecide = guard.protect('modes', () => networks.redecide());
      stopWatching = watchModeChanges(healthdataStore, redecide);
      return null;
    },
    stop: async () => {
      stopWatching();
      const rounds = networks.stop();
      await prober.stop();
      await rounds;
    },
  });
}
