/** Which samples are decided upon before their turn has ended, and when: the shell of `events.ts`. */

import type { Log } from '../../system/log-events.ts';
import type { Sample } from '../checks/sample.ts';
import type { EdgeRecord } from '../state/edge-store.ts';
import type { NetworkState } from '../state/network-state.ts';
import { changesAnswer, isReady, type Standing, standingOf } from './events.ts';
import { type FreshByTarget, FreshSamples } from './fresh-samples.ts';
import { poolOf } from './pool.ts';
import type { RoundOrder } from './round-types.ts';

/** What is in force when a sample arrives. */
export type InForce = {
  /** Null: no round has begun. */
  readonly order: RoundOrder | null;
  readonly state: NetworkState;
  readonly records: ReadonlyMap<string, EdgeRecord>;
};

export type EarlyDecisionParts = {
  readonly inForce: () => InForce;
  /** The sample of a target that the last decision saw. */
  readonly decided: (name: string) => Sample | undefined;
  /** Decides with the fresh samples, which it takes. */
  readonly decide: () => Promise<void>;
  /** Called when that is near: reads what can be read before. */
  readonly lookAhead: () => void;
  readonly log: Log;
};

export class EarlyDecisions {
  private readonly parts: EarlyDecisionParts;
  private readonly fresh: FreshSamples;
  private mayChange = false;
  private standing: { readonly key: readonly unknown[]; readonly standing: Standing } | null = null;

  constructor(parts: EarlyDecisionParts) {
    this.parts = parts;
    this.fresh = new FreshSamples(parts.decide, parts.lookAhead, parts.log);
  }

  /** Whether one of the samples that no decision has seen may change the answer. */
  get isDue(): boolean {
    return this.mayChange;
  }

  add(sample: Sample): void {
    this.fresh.add(sample);
    this.consider([sample]);
  }

  /** The samples that no decision has seen, for one that begins. */
  take(): FreshByTarget {
    this.mayChange = false;
    return this.fresh.take();
  }

  /** The live set is another: what came meanwhile was compared with the old one. */
  restart(): void {
    this.mayChange = false;
    this.fresh.cancel();
    this.consider(this.fresh.values());
  }

  /** Resolved when nothing is settling. */
  settled(): Promise<void> {
    return this.fresh.settled();
  }

  /** Nothing that settles is decided upon any more. */
  cancel(): void {
    this.fresh.cancel();
  }

  /**
   * Whether it can be decided with what is known: an edge that is listed was asked, and where nothing was decided yet,
   * as many as `isReady` wants.
   */
  isKnown(hasDecided: boolean): boolean {
    const { order, state, records } = this.parts.inForce();
    if (order === null) return false;
    const standing = this.standingOf(order, state, records);
    const isAsked = [...standing.edges].some((name) => standing.newest(name) !== undefined);
    return isAsked && (hasDecided || isReady(standing));
  }

  private consider(samples: Iterable<Sample>): void {
    const { order, state, records } = this.parts.inForce();
    if (order?.settle === undefined) return;
    const standing = this.standingOf(order, state, records);
    let isLoss = false;
    for (const sample of samples) {
      const mayChange = standing.live.size === 0 ? sample.fail === null : changesAnswer(sample, standing);
      this.mayChange ||= mayChange;
      isLoss ||= mayChange && sample.fail !== null && standing.live.has(sample.edge);
    }
    if (this.mayChange && isReady(standing)) this.fresh.settle(order.settle, isLoss);
  }

  /** What samples are compared with; made anew when the lists, the live set or modes are others. */
  private standingOf(order: RoundOrder, state: InForce['state'], records: InForce['records']): Standing {
    const key = [order, state, records];
    if (this.standing?.key.every((one, i) => one === key[i])) return this.standing.standing;
    const { decided } = this.parts;
    const standing = standingOf({
      pool: poolOf(order.config, order.files),
      canaries: order.files.canaries.values(),
      state,
      records,
      newest: (name) => this.fresh.get(name) ?? decided(name),
      decided,
    });
    this.standing = { key, standing };
    return standing;
  }
}
