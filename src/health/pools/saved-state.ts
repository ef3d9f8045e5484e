/** A network's state, in memory and in its file: what decisions and written zone files make of it. */
import { serialCompare, serialMax } from '../../dns/serial.ts';
import type { Fault } from '../../system/fault.ts';
import type { NetworkState } from '../state/network-state.ts';
import { type StateChange, zoneSerial } from './next-state.ts';
import type { RoundTools, WrittenZone } from './round-types.ts';

/**
 * How often a state is derived and written anew because a zone took a serial meanwhile. A zone whose contents are 68
 * years older than the live set has a serial that no later one exceeds (RFC 1982), so "until it fits" would never end.
 */
const WRITES_MAX = 5;

/** Its callers take turns. */
export class SavedState {
  private readonly tools: Pick<RoundTools, 'save' | 'floorSerial'>;
  private state: NetworkState;
  /** The state has something that its file lacks. */
  private isAhead = false;

  constructor(state: NetworkState, tools: Pick<RoundTools, 'save' | 'floorSerial'>) {
    this.state = state;
    this.tools = tools;
  }

  /** As last saved, or as it was found, with the zone files that were written since. */
  get current(): NetworkState {
    return this.state;
  }

  /**
   * Makes the next state durable. While it is written, a zone may take a serial of its own for new contents that the
   * live set's would equal: then it is derived anew and written again. Nothing comes between the end of this and
   * publishing, so no two versions of a zone ever share a serial.
   */
  async save(
    planned: StateChange,
    derive: () => StateChange,
  ): Promise<{ readonly change: StateChange; readonly faults: readonly Fault[] }> {
    for (let change = planned, left = WRITES_MAX; ; left--, change = derive()) {
      this.state = change.state;
      const faults = await this.write();
      const floor = this.tools.floorSerial();
      if (left <= 1 || floor === 0 || newSerials(change).every((serial) => serialCompare(serial, floor) > 0))
        return { change, faults };
    }
  }

  /** Makes the next state durable, with the serials that it has. */
  async saveAsIs(change: StateChange): Promise<{ readonly change: StateChange; readonly faults: readonly Fault[] }> {
    this.state = change.state;
    return { change, faults: await this.write() };
  }

  /** For a dry run: the next state, in memory only. */
  keep(state: NetworkState): void {
    this.state = state;
  }

  /**
   * Zone files were written. That is saved with the next round, or by `flush`: their times may be noted no sooner than
   * the files are there (12.8), and the state is written once a round. Until then its file calls them out of date, so
   * that after a kill they are looked at again, and found to be as they should.
   */
  noteWritten(written: readonly WrittenZone[]): void {
    const zoneMtimes = new Map(this.state.zoneMtimes);
    const pendingZones = new Set(this.state.pendingZones);
    const zoneSerials = new Map(this.state.zoneSerials);
    for (const { name, mtime, serial, unsaved = 0 } of written) {
      if (mtime !== null) zoneMtimes.set(name, mtime);
      // Out of date again meanwhile, it has another serial by now, or its include file another time than `mtime`.
      if (serial === zoneSerial(this.state, name)) pendingZones.delete(name);
      if (unsaved !== 0) zoneSerials.set(name, serialMax(unsaved, zoneSerials.get(name) ?? 0));
    }
    this.state = { ...this.state, zoneMtimes, pendingZones, zoneSerials };
    this.isAhead = true;
  }

  /** Writes what the file lacks. */
  async flush(): Promise<readonly Fault[]> {
    return this.isAhead ? this.write() : [];
  }

  private async write(): Promise<readonly Fault[]> {
    const faults = await this.tools.save(this.state);
    this.isAhead = faults.length > 0;
    return faults;
  }
}

/** Serials that come into force with a change; none where nothing is published. */
function newSerials({ state, liveChanged, canaryZones }: StateChange): readonly number[] {
  if (liveChanged) return [state.serial];
  return canaryZones.map((zone) => state.canarySerials.get(zone) ?? 0).filter((serial) => serial !== 0);
}
