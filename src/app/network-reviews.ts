import type { Guard } from '../system/guard.ts';

/** Views that come one after the other are looked at together, this often at most, milliseconds. */
const REVIEW_MS = 200;

export type NetworkReviewsOptions = {
  readonly network: string;
  readonly guard: Guard;
  /** Looks whether the answers change; `isRole`: who decides has changed since the last look. Never rejects. */
  readonly look: (isRole: boolean) => Promise<void>;
};

/**
 * When a network looks at what other vantage points say. One look is under way at a time: while the store is slow, views
 * go on coming, and looks do not queue behind one that waits for it.
 */
export class NetworkReviews {
  private readonly options: NetworkReviewsOptions;
  private timer: NodeJS.Timeout | undefined;
  /** When the last look began, of `performance.now()`. */
  private lookedMs = Number.NEGATIVE_INFINITY;
  private isRoleNew = false;
  private isLooking = false;
  /** In how many milliseconds it is looked again after the look that is under way; null: it is not. */
  private nextMs: number | null = null;
  private stopped = false;

  constructor(options: NetworkReviewsOptions) {
    this.options = options;
  }

  /** Something new has come. `isRole`: it is who decides. */
  review(isRole: boolean): void {
    this.isRoleNew ||= isRole;
    this.within(REVIEW_MS - (performance.now() - this.lookedMs));
  }

  /** Looks in `ms` milliseconds, or earlier where that is set already. */
  within(ms: number): void {
    if (this.isLooking) {
      this.nextMs = Math.min(this.nextMs ?? ms, ms);
      return;
    }
    if (this.stopped || this.timer !== undefined) return;
    const { guard, network } = this.options;
    this.timer = setTimeout(
      guard.protect(`network ${network}`, () => this.lookNow()),
      Math.max(0, ms),
    );
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private async lookNow(): Promise<void> {
    const isRole = this.isRoleNew;
    this.isRoleNew = false;
    this.lookedMs = performance.now();
    this.timer = undefined;
    this.isLooking = true;
    try {
      await this.options.look(isRole);
    } finally {
      this.isLooking = false;
    }
    const { nextMs } = this;
    this.nextMs = null;
    if (nextMs !== null) this.within(nextMs);
  }
}
