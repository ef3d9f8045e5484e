import { type EdgeRecord, type JudgedSample, uptimeWith } from '../state/edge-store.ts';
import { downUntil, type Uptime } from '../state/uptime.ts';

/** Since the process started. `downSeconds`: known only, up to the newest sample, so that it never goes back. */
export type EdgeCounts = { readonly transitions: number; readonly downSeconds: number };

const NONE: EdgeCounts = { transitions: 0, downSeconds: 0 };

/** What the edges and canaries of one network went through since the process started; without those that left it. */
export class EdgeCounters {
  private readonly network: string;
  private counts = new Map<string, EdgeCounts>();

  constructor(network: string) {
    this.network = network;
  }

  /**
   * `before` and `after`: the records that a decision found and made. `earlier`: of each edge's new samples all but the
   * newest. `reach`: of a sample, seconds (uptime.ts).
   */
  note(
    before: ReadonlyMap<string, EdgeRecord>,
    after: ReadonlyMap<string, EdgeRecord>,
    reach: number,
    earlier: ReadonlyMap<string, readonly JudgedSample[]> = new Map(),
  ): void {
    this.counts = new Map(
      [...after].map(([edge, record]) => {
        let old = this.uptimeOf(before.get(edge));
        let counts = this.of(edge);
        for (const sample of earlier.get(edge) ?? []) {
          const next = uptimeWith(old, sample);
          counts = countsAfter(counts, old, next, reach);
          old = next;
        }
        return [edge, countsAfter(counts, old, this.uptimeOf(record), reach)];
      }),
    );
  }

  of(edge: string): EdgeCounts {
    return this.counts.get(edge) ?? NONE;
  }

  private uptimeOf(record: EdgeRecord | undefined): Uptime | undefined {
    return record?.networks.get(this.network)?.uptime;
  }
}

function countsAfter(
  counts: EdgeCounts,
  before: Uptime | undefined,
  after: Uptime | undefined,
  reach: number,
): EdgeCounts {
  if (before === undefined || after === undefined || before === after) return counts;
  return {
    transitions: counts.transitions + (before.up === after.up ? 0 : 1),
    downSeconds: counts.downSeconds + downUntil(before, after.checkedAt, reach),
  };
}
