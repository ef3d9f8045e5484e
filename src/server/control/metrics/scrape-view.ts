import type { StatusView } from '../views/views.ts';

/**
 * The view as one scrape sees it: what takes long to put together (the records of all edges, the serials of all zones) is
 * put together once a scrape, and not once a metric, so that all metrics are of one moment, too.
 */
export type ScrapeView = {
  readonly view: StatusView;
  /** The scrape is over. */
  readonly forget: () => void;
};

export function scrapeView(view: StatusView): ScrapeView {
  const networks = new Kept(() => view.networks());
  const zones = new Kept(() => view.zones());
  const secondaries = new Kept(() => view.secondaries());
  const stats = new Kept(() => view.stats());
  return {
    view: {
      ...view,
      networks: () => networks.get(),
      zones: () => zones.get(),
      secondaries: () => secondaries.get(),
      stats: () => stats.get(),
    },
    forget() {
      for (const kept of [networks, zones, secondaries, stats]) kept.forget();
    },
  };
}

class Kept<T extends object> {
  private readonly make: () => T;
  private value: T | null = null;

  constructor(make: () => T) {
    this.make = make;
  }

  get(): T {
    this.value ??= this.make();
    return this.value;
  }

  forget(): void {
    this.value = null;
  }
}
