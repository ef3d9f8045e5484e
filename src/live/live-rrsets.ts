import type { WireName } from '../dns/name.ts';
import { serialMax } from '../dns/serial.ts';
import type { LiveVersion } from '../zones/image/live-version.ts';
import { NOTHING_LIVE } from './addresses.ts';
import { type HeldAs, HeldZones } from './held-zones.ts';
import { LiveHistory, type NewLiveVersions } from './history.ts';
import type { SavedLiveHistory } from './history-files.ts';
import type { NetworkLive } from './network-live.ts';
import { LiveSlots } from './slots.ts';

/** One process serves fewer networks than this at a time. */
export const NETWORKS_MAX = 256;
/**
 * Rows of networks; slots and statistics are laid out for so many at the start. Twice as many as there can be networks:
 * a reload may replace all of them while threads still answer by the rows of those that go.
 */
export const NETWORK_ROWS = 2 * NETWORKS_MAX;
/** Untouched slots cost address space only. */
const SLOTS = 65_536;

type Registered = {
  readonly slot: number;
  live: NetworkLive;
  /** Slots of its zones that have one of their own. */
  readonly own: Map<WireName, number>;
  /** What earlier runs knew of it was taken up. */
  isRestored: boolean;
};

export type LiveRRsetsOptions = {
  /** A row that was another network's is about to be used: what was counted in it is not of the new one. */
  readonly onReuse?: (row: number) => void;
  /** For tests: `NETWORK_ROWS` unless given. */
  readonly networkRows?: number;
};

/** The slots in shared memory and who has which. Main thread; opened once, lives as long as the process. */
export class LiveRRsets {
  readonly slots: LiveSlots = LiveSlots.create(SLOTS);
  readonly history: LiveHistory = new LiveHistory();
  private newVersions: NewLiveVersions[] = [];
  private readonly options: LiveRRsetsOptions;
  private readonly networks = new Map<string, Registered>();
  /** Networks that are not served any more, oldest first, each with the generation that it was retired in. */
  private readonly retired = new Map<string, number>();
  private generation = 0;
  private releasedGeneration = 0;
  private readonly networkRows: number;
  private nextRow = 1;
  private nextOwn = NETWORK_ROWS;
  /** Own slots that no thread answers by any more. */
  private readonly freeOwn: number[] = [];
  private highest = 0;
  private readonly held: HeldZones;
  /** Slots that held zones had, each with the generation that it was left in. */
  private leftSlots: { readonly slot: number; readonly generation: number }[] = [];

  constructor(options: LiveRRsetsOptions = {}) {
    this.options = options;
    this.networkRows = options.networkRows ?? NETWORK_ROWS;
    this.held = new HeldZones({
      takeSlot: () => this.takeSlot(),
      leaveSlot: (slot) => this.leftSlots.push({ slot, generation: ++this.generation }),
      write: (slot, version) => this.slots.write(slot, version),
    });
  }

  /**
   * Gives a network its slot, which is its row in the statistics as well: from 1 (0 means static zones), the same one
   * for the same name, also if it was retired meanwhile, unless the row was needed. Null: there are too many networks.
   */
  register(network: string): number | null {
    const known = this.networks.get(network);
    if (known !== undefined && !this.retired.has(network)) return known.slot;
    if (this.networks.size - this.retired.size >= NETWORKS_MAX - 1) return null;
    this.retired.delete(network);
    if (known !== undefined) return known.slot;
    const slot = this.nextRow < this.networkRows ? this.nextRow++ : this.takeOldest();
    if (slot === null) return null;
    const live = { version: NOTHING_LIVE, zones: new Map() };
    this.networks.set(network, { slot, live, own: new Map(), isRestored: false });
    return slot;
  }

  /**
   * The network is not served any more. Threads may still answer by its row, and by the slots of its zones: they are used
   * for no other network before they are released.
   */
  retire(network: string): void {
    if (this.networks.has(network) && !this.retired.has(network)) this.retired.set(network, ++this.generation);
  }

  /** Every network that was retired so far: to be released once all threads have taken over what was sent before this. */
  get retiredGeneration(): number {
    return this.generation;
  }

  /** No thread answers by the rows and slots of what was retired up to this generation. */
  release(generation: number): void {
    this.releasedGeneration = Math.max(this.releasedGeneration, generation);
    const isFree = (left: { readonly generation: number }): boolean => left.generation <= this.releasedGeneration;
    for (const left of this.leftSlots) if (isFree(left)) this.freeOwn.push(left.slot);
    this.leftSlots = this.leftSlots.filter((left) => !isFree(left));
  }

  /** Those of the networks that there is no row for now, were they all that are served. */
  withoutRow(networks: readonly string[]): readonly string[] {
    const isFree = (network: string): boolean => {
      const generation = this.retired.get(network);
      return generation !== undefined && generation <= this.releasedGeneration;
    };
    const free = this.networkRows - this.nextRow + [...this.retired.keys()].filter(isFree).length;
    const wanted = networks.filter((network) => !this.networks.has(network) || isFree(network));
    return wanted.slice(free);
  }

  /** The row of the network that was retired first, empty; null: threads may still answer by each of them. */
  private takeOldest(): number | null {
    for (const [network, generation] of this.retired) {
      const registered = this.networks.get(network);
      if (registered === undefined || generation > this.releasedGeneration) continue;
      this.retired.delete(network);
      this.networks.delete(network);
      this.held.forget(network);
      for (const slot of registered.own.values()) {
        this.empty(slot);
        this.freeOwn.push(slot);
      }
      this.empty(registered.slot);
      this.options.onReuse?.(registered.slot);
      return registered.slot;
    }
    return null;
  }

  private empty(slot: number): void {
    this.slots.write(slot, NOTHING_LIVE);
    this.history.forget(slot);
    this.newVersions.push({ slot, versions: [], isReused: true });
  }

  /** A slot for a zone of the network; null: there is none left. */
  private ownSlot(registered: Registered, origin: WireName): number | null {
    const known = registered.own.get(origin);
    if (known !== undefined) return known;
    const slot = this.takeSlot();
    if (slot !== null) registered.own.set(origin, slot);
    return slot;
  }

  private takeSlot(): number | null {
    return this.freeOwn.pop() ?? (this.nextOwn < SLOTS ? this.nextOwn++ : null);
  }

  /** As `rows`, without the networks that are not served any more, as `StatusView.statsNetworks` wants them. */
  servedRows(): readonly (string | null)[] {
    return this.rows().map((name, row) => (row > 0 && name !== null && this.retired.has(name) ? null : name));
  }

  /** Names by row; a row keeps its name until another network has it, since threads may still answer by it. */
  rows(): readonly (string | null)[] {
    const rows: (string | null)[] = new Array<string | null>(NETWORK_ROWS).fill(null);
    rows[0] = 'static';
    for (const [name, { slot }] of this.networks) rows[slot] = name;
    return rows;
  }

  /** What the network answers now, zones of its own aside; null: it is not served. Serial 0: nothing yet. */
  current(network: string): LiveVersion | null {
    return this.networks.get(network)?.live.version ?? null;
  }

  /**
   * Writes what the network answers from now on. Returns the zones that have a slot of their own only from now on: the
   * threads must be told of those.
   */
  publish(network: string, live: NetworkLive): readonly WireName[] {
    const registered = this.networks.get(network);
    if (registered === undefined) return [];
    const fresh: WireName[] = [];
    // Own slots first: a zone that gets one must not be pointed at an empty slot.
    for (const [origin, version] of live.zones) {
      const isFresh = !registered.own.has(origin);
      const slot = this.ownSlot(registered, origin);
      if (slot === null) continue; // more canaries than slots: such a zone answers as its network does
      if (isFresh) {
        fresh.push(origin);
        // So far it had its network's live sets.
        for (const before of this.history.versions(registered.slot)) this.remember(slot, before);
      }
      this.write(slot, version);
    }
    // A zone whose remembered serial was overtaken by its network's follows the network again, in its old slot.
    for (const [origin, slot] of registered.own) {
      if (registered.live.zones.has(origin) && !live.zones.has(origin)) this.write(slot, live.version);
    }
    this.write(registered.slot, live.version);
    this.held.published(network, live.version);
    const kept = [...registered.live.zones.keys()].filter((origin) => !live.zones.has(origin));
    registered.live = {
      version: live.version,
      zones: new Map([...live.zones, ...kept.map((o) => [o, live.version] as const)]),
    };
    return fresh;
  }

  /**
   * Before the first `publish`, of `current`: what the network held in earlier runs. Its history ends with what it
   * holds now, or versions are missing that were answered (a crash, a disk that took no more), and a difference from
   * before would be told from the wrong live set: then it is worth nothing. Zones with slots of their own get them
   * again, since their history is not the network's.
   */
  restore(network: string, saved: SavedLiveHistory, current: NetworkLive): void {
    const registered = this.networks.get(network);
    if (registered === undefined) return;
    registered.isRestored = true;
    this.rememberUpTo(registered.slot, saved.versions, current.version);
    const origins = new Set([...saved.zones.keys(), ...current.zones.keys()]);
    for (const origin of origins) {
      const slot = this.ownSlot(registered, origin);
      if (slot === null) break;
      this.rememberUpTo(slot, saved.zones.get(origin) ?? [], current.zones.get(origin) ?? current.version);
    }
    registered.live = {
      version: NOTHING_LIVE,
      zones: new Map(Array.from(origins, (o) => [o, NOTHING_LIVE] as const)),
    };
  }

  /** Whether `restore` was called of the network since it has its row. */
  isRestored(network: string): boolean {
    return this.networks.get(network)?.isRestored === true;
  }

  private rememberUpTo(slot: number, versions: readonly LiveVersion[], current: LiveVersion): void {
    if (versions.at(-1)?.serial !== current.serial) return;
    for (const version of versions) this.remember(slot, version);
  }

  /** What `restore` wants after a restart. */
  saved(network: string): SavedLiveHistory {
    const registered = this.networks.get(network);
    if (registered === undefined) return { versions: [], zones: new Map() };
    const own = [...registered.live.zones.keys()].flatMap((origin) => {
      const slot = registered.own.get(origin);
      return slot === undefined ? [] : [[origin, this.history.versions(slot)] as const];
    });
    return { versions: this.history.versions(registered.slot), zones: new Map(own) };
  }

  /** What was added to the history since the last call. */
  takeNewVersions(): readonly NewLiveVersions[] {
    const { newVersions } = this;
    this.newVersions = [];
    return newVersions;
  }

  private write(slot: number, version: LiveVersion): void {
    this.slots.write(slot, version);
    this.highest = serialMax(this.highest, version.serial);
    this.remember(slot, version);
  }

  private remember(slot: number, version: LiveVersion): void {
    this.history.note(slot, version);
    this.newVersions.push({ slot, versions: [version] });
  }

  slotOf(network: string | null, origin: WireName): number {
    if (network === null) return -1;
    const registered = this.networks.get(network);
    return this.held.of(network, origin)?.slot ?? registered?.own.get(origin) ?? registered?.slot ?? -1;
  }

  /**
   * The zone keeps its live set from now on, or answers under no serial of its own, until it is held no more. The
   * threads must be told of the zone afterwards. False: there is no slot left for it.
   */
  hold(network: string, origin: WireName, as: HeldAs): boolean {
    const live = as === 'frozen' ? this.versionOf(network, origin) : this.current(network);
    return this.held.hold(network, origin, as, live ?? NOTHING_LIVE);
  }

  /** The zone has its network's live set again. */
  follow(origin: WireName): void {
    this.held.release(origin);
  }

  isHeld(origin: WireName): boolean {
    return this.held.has(origin);
  }

  /** What the zone's live names answer; null: a static zone. */
  versionOf(network: string | null, origin: WireName): LiveVersion | null {
    if (network === null) return null;
    return this.held.of(network, origin)?.version ?? this.followedVersion(network, origin);
  }

  /** What they would answer if the zone were not held. */
  followedVersion(network: string, origin: WireName): LiveVersion {
    const live = this.networks.get(network)?.live;
    return live?.zones.get(origin) ?? live?.version ?? NOTHING_LIVE;
  }

  /**
   * The latest serial that any slot ever held; 0: none. A new version gets a later one, so that a zone that is bound to
   * several pools has a later serial at each change of either.
   */
  get highestSerial(): number {
    return this.highest;
  }

  serialOf(network: string): number {
    return this.networks.get(network)?.live.version.serial ?? 0;
  }
}
