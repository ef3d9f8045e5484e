import type { WireName } from '../dns/name.ts';
import { UNAGREED_SERIAL } from '../zones/agreement/own-step.ts';
import type { LiveVersion } from '../zones/image/live-version.ts';

/** `frozen`: the live set stays what it is. `unagreed`: it follows the network's, under `UNAGREED_SERIAL`. */
export type HeldAs = 'frozen' | 'unagreed';

type SharedSlot = {
  readonly key: string;
  readonly network: string;
  readonly slot: number;
  /** Zones that answer by it. */
  zones: number;
  version: LiveVersion;
};

export type HeldZonesOptions = {
  /** A slot that nobody uses; null: there is none left. */
  readonly takeSlot: () => number | null;
  /** Threads may still answer by it for a moment. */
  readonly leaveSlot: (slot: number) => void;
  readonly write: (slot: number, version: LiveVersion) => void;
};

/**
 * Zones that do not have their network's live set for now. Those of a network that were frozen together share a slot,
 * since there may be more zones than slots.
 */
export class HeldZones {
  private readonly options: HeldZonesOptions;
  private readonly zones = new Map<WireName, SharedSlot>();
  private readonly shared = new Map<string, SharedSlot>();

  constructor(options: HeldZonesOptions) {
    this.options = options;
  }

  /** Whether any is. */
  get size(): number {
    return this.zones.size;
  }

  of(network: string, origin: WireName): Pick<SharedSlot, 'slot' | 'version'> | null {
    if (this.zones.size === 0) return null;
    const held = this.zones.get(origin);
    return held?.network === network ? held : null;
  }

  has(origin: WireName): boolean {
    return this.zones.has(origin);
  }

  /** `live`: what the zone has, or would have. False: there is no slot for it. */
  hold(network: string, origin: WireName, as: HeldAs, live: LiveVersion): boolean {
    const was = this.zones.get(origin);
    if (was?.network === network && was.key.startsWith(as)) return true;
    const key = as === 'frozen' ? `frozen ${live.serial} ${network}` : `unagreed ${network}`;
    let shared = this.shared.get(key);
    if (shared === undefined) {
      const slot = this.options.takeSlot();
      if (slot === null) return false;
      shared = { key, network, slot, zones: 0, version: as === 'frozen' ? live : unagreed(live) };
      this.shared.set(key, shared);
      this.options.write(slot, shared.version);
    }
    shared.zones++;
    this.zones.set(origin, shared);
    if (was !== undefined) this.leave(was);
    return true;
  }

  release(origin: WireName): void {
    const held = this.zones.get(origin);
    if (held === undefined) return;
    this.zones.delete(origin);
    this.leave(held);
  }

  /** The network has another live set. */
  published(network: string, live: LiveVersion): void {
    const shared = this.shared.get(`unagreed ${network}`);
    if (shared === undefined) return;
    shared.version = unagreed(live);
    this.options.write(shared.slot, shared.version);
  }

  /** The network's row is another one's from now on. */
  forget(network: string): void {
    for (const [origin, held] of this.zones) if (held.network === network) this.release(origin);
  }

  private leave(shared: SharedSlot): void {
    shared.zones--;
    if (shared.zones > 0) return;
    this.shared.delete(shared.key);
    this.options.leaveSlot(shared.slot);
  }
}

/** Serial 0 stays: no live set was ever published. */
function unagreed(live: LiveVersion): LiveVersion {
  return live.serial === 0 ? live : { ...live, serial: UNAGREED_SERIAL };
}
