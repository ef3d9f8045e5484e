import type { ZoneUpdate } from '../../answer/zone-update.ts';

/** The latest update of each zone, for a thread that starts (again). */
export class LatestZones {
  private readonly zones = new Map<number, ZoneUpdate>();

  note(updates: readonly ZoneUpdate[]): void {
    for (const update of updates) {
      switch (update.kind) {
        case 'zone':
        case 'broken':
          this.zones.set(update.zone, update);
          break;
        case 'slot': {
          const known = this.zones.get(update.zone);
          if (known?.kind === 'zone') this.zones.set(update.zone, { ...known, slot: update.slot });
          break;
        }
        case 'gone':
          this.zones.delete(update.zone);
          break;
      }
    }
  }

  /** One update a zone, 'zone' or 'broken'. */
  all(): ZoneUpdate[] {
    return [...this.zones.values()];
  }
}
