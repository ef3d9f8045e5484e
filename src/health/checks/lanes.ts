/**
 * Who may be asked now. Three lanes with places of their own, so that no target waits for one of another lane:
 *
 * ```
 * live    members of the live set         LIVE_PLACES     never wait for the rest of the network
 * usual   targets that passed last time   `workers`       pass on their place when they take longer than SLOW_AFTER_MS
 * slow    targets that failed last time,  SLOW_PLACES     a place is held for the whole timeout when they hang
 *         and those that take long
 * ```
 */
export type Lane = 'live' | 'usual' | 'slow';

/** More than the members of nearly any live set; what exceeds it waits for a live member's place. */
export const LIVE_PLACES = 64;
/**
 * With a timeout of ten seconds, 128 places ask some 700 hanging targets a minute. Each is one or two open sockets and
 * next to no work; `workers` may raise it.
 */
export const SLOW_PLACES = 128;
/** A target that has not answered for this long moves to the slow lane, as soon as that has a place. */
export const SLOW_AFTER_MS = 1000;

/** A place that was taken. */
export type Place = {
  /** It takes long: its place in the lane goes to the next one as soon as the slow lane has one for it. */
  readonly slow: () => void;
  readonly release: () => void;
};

type State = { lane: Lane; isOver: boolean; isMoving: boolean };

/** Places by lane. Within a lane first come, first served; targets that move to the slow lane go before its own. */
export class Lanes {
  private readonly free: Record<Lane, number>;
  private readonly waiting: Record<Lane, Set<() => void>> = { live: new Set(), usual: new Set(), slow: new Set() };
  private readonly moving = new Set<State>();

  constructor(workers: number) {
    const usual = Math.max(1, workers);
    this.free = { live: LIVE_PLACES, usual, slow: Math.max(usual, SLOW_PLACES) };
  }

  /**
   * `begin` is called with the place: at once where one is free, else when its turn comes. The result is to be called
   * when the target becomes live: it then waits no longer behind others.
   */
  take(lane: Lane, begin: (place: Place) => void): () => void {
    if (this.free[lane] > 0) {
      this.free[lane] -= 1;
      begin(this.place(lane));
      return () => undefined;
    }
    const take = (): void => begin(this.place(lane));
    this.waiting[lane].add(take);
    return () => {
      if (lane !== 'live' && this.waiting[lane].delete(take)) this.take('live', begin);
    };
  }

  /** A place whose owner has it already. */
  private place(lane: Lane): Place {
    const state: State = { lane, isOver: false, isMoving: false };
    return {
      slow: () => {
        if (state.isOver || state.isMoving || state.lane === 'slow') return;
        if (this.free.slow > 0) {
          this.free.slow -= 1;
          this.move(state);
        } else {
          state.isMoving = true;
          this.moving.add(state);
        }
      },
      release: () => {
        if (state.isOver) return;
        state.isOver = true;
        this.moving.delete(state);
        this.pass(state.lane);
      },
    };
  }

  private move(state: State): void {
    const from = state.lane;
    state.lane = 'slow';
    state.isMoving = false;
    this.pass(from);
  }

  /** A place of this lane is free again. */
  private pass(lane: Lane): void {
    if (lane === 'slow') {
      for (const state of this.moving) {
        this.moving.delete(state);
        this.move(state);
        return;
      }
    }
    for (const next of this.waiting[lane]) {
      this.waiting[lane].delete(next);
      next();
      return;
    }
    this.free[lane] += 1;
  }
}
