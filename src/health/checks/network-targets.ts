import { type Lane, Lanes, type Place } from './lanes.ts';
import type { RoundRequest } from './protocol.ts';
import type { Sample } from './sample.ts';

/**
 * What the turns of one network share, since a turn begins while targets of the last one may still hang: places, who is
 * live, who failed last, and who is being asked right now. No target is asked twice at a time.
 */
export class NetworkTargets {
  private current: { readonly workers: number; readonly lanes: Lanes } = { workers: 0, lanes: new Lanes(0) };
  private live: ReadonlySet<string> = new Set();
  /** Whether its last sample was a failure, by target. */
  private readonly failed = new Map<string, boolean>();
  /** What has a target that waits for a place wait as a live one, by name; an edge may wait for one a family. */
  private readonly hurry = new Map<string, Set<() => void>>();
  /** When each began that is under way, of `performance.now()`. */
  private readonly underWay = new Map<string, number>();

  /**
   * A turn begins. Who failed last is known here, of targets that were never asked by the request; other `workers` count
   * for what is asked from now on.
   */
  begin({ plan: { workers }, targets }: Pick<RoundRequest, 'plan' | 'targets'>): void {
    if (workers !== this.current.workers) this.current = { workers, lanes: new Lanes(workers) };
    const known = new Map(this.failed);
    this.failed.clear();
    for (const { name, failed = false } of targets) this.failed.set(name, known.get(name) ?? failed);
    this.setLive(targets.filter(({ live }) => live === true).map(({ name }) => name));
  }

  setLive(names: readonly string[]): void {
    this.live = new Set(names);
    for (const name of names) for (const hurry of this.hurry.get(name) ?? []) hurry();
  }

  /** Resolved with a place in the lane that the target belongs to. */
  async place(name: string): Promise<Place> {
    let hurry: () => void = () => undefined;
    const place = new Promise<Place>((resolve) => {
      hurry = this.current.lanes.take(this.laneOf(name), resolve);
    });
    const own = this.hurry.get(name) ?? new Set();
    this.hurry.set(name, own.add(hurry));
    try {
      return await place;
    } finally {
      own.delete(hurry);
      if (own.size === 0) this.hurry.delete(name);
    }
  }

  isLive(name: string): boolean {
    return this.live.has(name);
  }

  hasFailed(name: string): boolean {
    return this.failed.get(name) === true;
  }

  laneOf(name: string): Lane {
    if (this.live.has(name)) return 'live';
    return this.hasFailed(name) ? 'slow' : 'usual';
  }

  /** For how long the target has been waiting for its place or its answer, milliseconds; null: it is not asked. */
  underWayMs(name: string): number | null {
    const began = this.underWay.get(name);
    return began === undefined ? null : performance.now() - began;
  }

  asks(name: string): void {
    this.underWay.set(name, performance.now());
  }

  sampled({ edge, fail }: Sample): void {
    this.failed.set(edge, fail !== null);
  }

  done(name: string): void {
    this.underWay.delete(name);
  }
}
