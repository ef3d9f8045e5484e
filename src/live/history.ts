import { serialCompare } from '../dns/serial.ts';
import type { LiveVersion } from '../zones/image/live-version.ts';

/** Versions kept of each slot: a secondary that was away for more changes than this gets whole zones. */
export const LIVE_HISTORY_MAX = 64;

/** What a slot held, oldest first. `isReused`: what is known of it from before was another network's. */
export type NewLiveVersions = {
  readonly slot: number;
  readonly versions: readonly LiveVersion[];
  readonly isReused?: boolean;
};

/**
 * What the slots held lately, for incremental transfers: a flip adds one entry for all zones of a network. The main
 * thread has one, and so has each answering thread, told by messages.
 */
export class LiveHistory {
  private readonly slots = new Map<number, LiveVersion[]>();

  /** The slot holds this from now on. Versions that were noted before change nothing. */
  note(slot: number, version: LiveVersion): void {
    if (version.serial === 0) return;
    const versions = this.slots.get(slot);
    if (versions === undefined) {
      this.slots.set(slot, [version]);
      return;
    }
    const last = versions[versions.length - 1];
    const order = serialCompare(version.serial, last.serial);
    if (order < 0 || (order === 0 && sameContent(version, last))) return;
    // One serial with two contents: nothing from before can be relied on.
    if (order === 0) versions.length = 0;
    versions.push(version);
    if (versions.length > LIVE_HISTORY_MAX) versions.shift();
  }

  add(added: Iterable<NewLiveVersions>): void {
    for (const { slot, versions, isReused = false } of added) {
      if (isReused) this.forget(slot);
      for (const version of versions) this.note(slot, version);
    }
  }

  forget(slot: number): void {
    this.slots.delete(slot);
  }

  versions(slot: number): readonly LiveVersion[] {
    return this.slots.get(slot) ?? [];
  }

  all(): readonly NewLiveVersions[] {
    return Array.from(this.slots, ([slot, versions]) => ({ slot, versions: [...versions] }));
  }

  /** What the slot held when a zone had this serial: the newest version that is not newer; null: not known. */
  at(slot: number, serial: number): LiveVersion | null {
    return this.versions(slot).findLast((version) => serialCompare(version.serial, serial) <= 0) ?? null;
  }
}

function sameContent(a: LiveVersion, b: LiveVersion): boolean {
  const text = ({ v4, v6 }: LiveVersion): string => [v4, v6].map((list) => list.map(String).join(' ')).join('/');
  return text(a) === text(b);
}
