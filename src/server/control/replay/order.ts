import type { Replay } from '../../../health/explain/replay.ts';

/** What is to be replayed, as a thread gets it. */
export type ReplayOrder = {
  /** The file of the network's recorded rounds. */
  readonly path: string;
  /** `KEY=VALUE`, as `edgewise replay --set` takes them. */
  readonly set: readonly string[];
  /** Epoch seconds, both included. */
  readonly since: number;
  readonly until: number;
  /** Seconds between two rounds of the network. */
  readonly runFrequency: number;
};

/** `left`: how many rounds of the span, the oldest, were left out because there are too many for one answer. */
export type ReplayAnswer =
  | { readonly ok: true; readonly replay: Replay; readonly left: number }
  | { readonly ok: false; readonly code: 'invalid' | 'busy' | 'failed'; readonly message: string };
