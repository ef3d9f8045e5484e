/** What becomes of a change: durable first, then in force, then known to those who probe. */
import type { Config } from '../../config/types.ts';
import type { Fault } from '../../system/fault.ts';
import type { Decision } from '../choose/decision.ts';
import type { StateChange } from './next-state.ts';
import type { RoundTools } from './round-types.ts';
import type { SavedState } from './saved-state.ts';
import type { StandingLog } from './standing-log.ts';

export type PublicationParts = {
  readonly network: string;
  readonly tools: Pick<RoundTools, 'publish' | 'prober' | 'vantage'>;
  readonly saved: SavedState;
  readonly standing: StandingLog;
  /** The live set is another. */
  readonly onLive: () => void;
};

export type Published = { readonly change: StateChange; readonly faults: readonly Fault[] };

/** Its callers take turns. */
export class Publication {
  private readonly parts: PublicationParts;

  constructor(parts: PublicationParts) {
    this.parts = parts;
  }

  /**
   * `derive`: makes the change anew where a zone took a serial meanwhile (`SavedState.save`); null: it is as it is, since
   * it is known elsewhere. `repeats`: see `StandingLog`.
   */
  async publish(
    planned: StateChange,
    derive: (() => StateChange) | null,
    { decision, config, isRun, repeats }: PublishOptions,
  ): Promise<Published> {
    const { network, tools, saved, standing, onLive } = this.parts;
    const isStored = derive === null && (planned.liveChanged || planned.canaryZones.length > 0);
    const sets = isStored ? (tools.vantage?.()?.sets ?? null) : null;
    await sets?.takeContents();
    const { change, faults: stateFaults } =
      derive === null ? await saved.saveAsIs(planned) : await saved.save(planned, derive);
    const faults = [...stateFaults, ...tools.publish({ ...change, decision, isRun }, config)];
    if (change.liveChanged) {
      tools.prober.setLive?.(
        network,
        change.state.live.map(({ edge }) => edge),
      );
      onLive();
    }
    standing.faults('saving', faults, repeats);
    await sets?.takeContents();
    return { change, faults };
  }
}

export type PublishOptions = {
  readonly decision: Decision;
  readonly config: Config;
  readonly isRun: boolean;
  readonly repeats: boolean;
};
