import type { DecidedSet } from '../../../health/agreement/decided-set.ts';
import type { ReceivedView } from '../../../health/agreement/view.ts';
import type { Engine, Role, VantageStatus } from '../../../vantage/engine.ts';
import type { Override } from '../../../vantage/override.ts';

/** What the running server knows of its vantage points at the moment of the call. */
export type VantageSource = {
  readonly engine: Engine['kind'];
  readonly name: string;
  /** Null: there is no store. */
  readonly isConnected: boolean | null;
  /** Null: each vantage decides for itself. */
  readonly role: Role | null;
  readonly override: Override | null;
  readonly vantages: readonly VantageStatus[];
  /** What was refused of peers and strangers, how often of each kind; none where there are no peers to ask us. */
  readonly refused: ReadonlyMap<string, number>;
  /** Sentences. */
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
  readonly views: (network: string) => readonly ReceivedView[];
  readonly decided: (network: string) => DecidedSet | null;
};
