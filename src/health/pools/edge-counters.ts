import type { EdgeRecord } from '../state/edge-store.ts';
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

  /** `before` and `after`: the records that a decision found and made. `reach`: of a sample, seconds (uptime.ts). */
  note(before: ReadonlyMap<string, EdgeRecord>, after: ReadonlyMap<string, EdgeRecord>, reach: number): void {
    this.counts = new Map(
      [...after].map(([edge, record]) => {
        const old = this.uptimeOf(before.get(edge));
        return [edge, countsAfter(this.of(edge), old, this.uptimeOf(record), reach)];
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
