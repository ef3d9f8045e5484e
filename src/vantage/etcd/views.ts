/** Our view of each network under a lease of our own, and those of the others. */
import type { ReceivedView, VantageView } from '../../health/agreement/view.ts';
import type { Guard } from '../../system/guard.ts';
import { WriteBehind, writeFaults } from '../../system/write-behind.ts';
import type { EngineEvents, VantageStatus } from '../engine.ts';
import { type EtcdClient, isFault } from './client/client.ts';
import type { KeyValue } from './client/wire.ts';
import type { EtcdCodec } from './codec.ts';
import type { Follower, Found, Look } from './follower.ts';
import { type Keys, keyOf, namesIn } from './keys.ts';
import { Lease } from './lease.ts';
import { Mirror } from './mirror.ts';
import { pack, unpack } from './packed.ts';

export type ViewsOptions = {
  readonly client: EtcdClient;
  readonly keys: Keys;
  readonly vantage: string;
  readonly members: readonly string[];
  readonly intervalMs: number;
  readonly codec: EtcdCodec;
  readonly guard: Guard;
  readonly now: () => number;
  readonly log: (text: string) => void;
  readonly events: Pick<EngineEvents, 'onView'>;
};

type Received = {
  readonly view: VantageView;
  /** Monotonic and wall clock when its boot or turn changed, or as long before as it may have been. */
  readonly since: number;
  readonly at: number;
  readonly clockOffset: number | null;
};

type Other = {
  readonly networks: Map<string, Received>;
  /** Of processes that have gone: what was on its way from them may come late. */
  readonly formerBoots: Set<string>;
  /** Networks whose key is there. */
  present: Set<string>;
};

/** Seconds. Of three intervals at least: whoever is silent for longer has no vote. */
const LEASE_MIN = 10;
const FORMER_BOOTS_MAX = 64;
/** gRPC: there is no such lease. */
const NOT_FOUND = 5;

export class Views implements Follower {
  private readonly options: ViewsOptions;
  private readonly mirror: Mirror;
  private readonly ttl: number;
  private readonly own = new Map<string, VantageView>();
  private readonly writes: WriteBehind<string>;
  private readonly others: ReadonlyMap<string, Other>;
  private readonly garbage = new Map<string, string>();
  private lease: Lease | null = null;
  /** Ids of all we had, and the revision at which we put each network's view. */
  private readonly leases = new Set<string>();
  private readonly written = new Map<string, bigint>();
  private granting: Promise<Lease> | null = null;
  private stopped = false;

  constructor(options: ViewsOptions) {
    this.options = options;
    this.mirror = new Mirror(options.keys.views);
    this.ttl = Math.max(LEASE_MIN, Math.ceil((3 * options.intervalMs) / 1000));
    this.writes = new WriteBehind({ retryMs: 250, retryMaxMs: 5000 });
    const others = options.members.filter((name) => name !== options.vantage);
    this.others = new Map(
      others.map((name) => [name, { networks: new Map(), formerBoots: new Set(), present: new Set() }]),
    );
  }

  publish(view: VantageView): void {
    if (this.stopped) return;
    this.own.set(view.network, view);
    this.writes.save(view.network, () => this.put(view.network));
  }

  /** Our own, the newest; null: there is none yet. */
  published(network: string): VantageView | null {
    return this.own.get(network) ?? null;
  }

  received(network: string): readonly ReceivedView[] {
    const now = performance.now();
    return [...this.others.values()].flatMap(({ networks }) => {
      const found = networks.get(network);
      return found === undefined ? [] : [{ view: found.view, age: (now - found.since) / 1000, at: found.at }];
    });
  }

  statuses(): readonly VantageStatus[] {
    return [...this.others].map(([name, { networks, present }]): VantageStatus => {
      const newest = [...networks.values()].sort((a, b) => b.since - a.since)[0];
      const lastHeard = newest === undefined ? null : (performance.now() - newest.since) / 1000;
      const reachable = lastHeard !== null && lastHeard <= this.ttl && present.size > 0;
      const gone = newest === undefined ? 'it has no view in etcd' : 'it does not renew its view in etcd';
      return {
        name,
        isSelf: false,
        reachable,
        lastHeard,
        version: newest?.view.version ?? null,
        clockOffset: newest?.clockOffset ?? null,
        problem: this.garbageOf(name) ?? (reachable ? null : gone),
      };
    });
  }

  faults(): readonly string[] {
    return [...writeFaults('our view cannot be put into etcd', this.writes), ...this.garbage.values()];
  }

  /** The leases' keys go, so that the others see us leave. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.own.clear();
    await this.writes.close();
    await this.lease?.end();
  }

  async look(look: Look): Promise<Found> {
    const found = await this.mirror.read(look);
    if (!found.ok) return found;
    const takes = await Promise.all(found.changed.map((kv) => this.read(kv)));
    const apply = (): void => {
      found.commit();
      for (const key of found.gone) {
        this.garbage.delete(key);
        const [vantage = '', network = ''] = namesIn(key, this.options.keys.views, 2) ?? [];
        this.others.get(vantage)?.present.delete(network);
        if (vantage === this.options.vantage && this.own.has(network)) this.again(network);
      }
      for (const take of takes) take(look);
    };
    return { ok: true, isChanged: found.isChanged, apply };
  }

  private async put(network: string): Promise<void> {
    const view = this.own.get(network);
    if (view === undefined) return;
    const packed = await pack(this.options.codec.encodeView(view));
    if (packed.problem !== null) throw new Error(`it ${packed.problem}`);
    const { keys, vantage, client } = this.options;
    const lease = await this.granted();
    const answer = await client.put(keyOf(keys.views, vantage, network), packed.value, lease.id);
    if (!answer.ok) {
      if (answer.fault.code === NOT_FOUND && this.lease === lease) {
        this.lease = null; // etcd was wiped, or somebody revoked it
        this.options.guard.run('etcd views', lease.end());
      }
      throw new Error(answer.fault.text);
    }
    this.written.set(network, answer.header.revision);
  }

  private async granted(): Promise<Lease> {
    if (this.lease?.isAlive() === true) return this.lease;
    this.granting ??= this.grant().finally(() => {
      this.granting = null;
    });
    return this.granting;
  }

  private async grant(): Promise<Lease> {
    const { client, guard } = this.options;
    const lease = await Lease.grant({ client, guard, ttl: this.ttl, onLost: () => this.allAgain() });
    if (isFault(lease)) throw new Error(lease.text);
    if (this.stopped) {
      await lease.end();
      throw new Error('the engine is stopped');
    }
    this.lease = lease;
    this.leases.add(lease.id);
    return lease;
  }

  private allAgain(): void {
    for (const network of this.own.keys()) this.again(network);
  }

  private again(network: string): void {
    if (!this.stopped) this.writes.save(network, () => this.put(network));
  }

  /** What to do with a key that has changed. */
  private async read(kv: KeyValue): Promise<(look: Look) => void> {
    const { keys, vantage: self, codec } = this.options;
    const names = namesIn(kv.key, keys.views, 2);
    const [vantage = '', network = ''] = names ?? [];
    if (vantage === self) return (look) => this.checkOwn(kv, network, look);
    const other = this.others.get(vantage);
    if (names === null || other === undefined) return () => this.refuse(kv.key, 'is of no member (vantage.members)');
    const packed = await unpack(kv.value);
    if (packed.problem !== null) return () => this.refuse(kv.key, packed.problem);
    const decoded = codec.decodeView(packed.value);
    if (decoded.problem !== null) return () => this.refuse(kv.key, `cannot be read: ${decoded.problem}`);
    const view = decoded.value;
    if (view.vantage !== vantage || view.network !== network) {
      return () => this.refuse(kv.key, `holds a view of ${view.vantage} of the network ${view.network}`);
    }
    return (look) => {
      this.garbage.delete(kv.key);
      other.present.add(network);
      this.take(other, view, look);
    };
  }

  private take(other: Other, view: VantageView, { sinceLast }: Look): void {
    const { network, boot, turn } = view;
    const before = other.networks.get(network);
    const isOld = before?.view.boot === boot ? turn <= before.view.turn : other.formerBoots.has(boot);
    if (isOld) return;
    if (before !== undefined && before.view.boot !== boot) {
      other.formerBoots.add(before.view.boot);
      const [oldest = ''] = other.formerBoots;
      if (other.formerBoots.size > FORMER_BOOTS_MAX) other.formerBoots.delete(oldest);
    }
    // Where we did not look for a while it may have lain there for as long as its lease held it.
    const isSeenAtOnce = sinceLast * 1000 <= 2 * this.options.intervalMs;
    const unseen = isSeenAtOnce ? 0 : Math.min(sinceLast, this.ttl);
    const at = this.options.now() - unseen;
    const clockOffset = isSeenAtOnce ? view.clock - at : (before?.clockOffset ?? null);
    other.networks.set(network, { view, since: performance.now() - unseen * 1000, at, clockOffset });
    const { guard, events } = this.options;
    guard.run('etcd views', () => events.onView(network, view.vantage));
  }

  /** A key of ours that was written after us under a lease that is none of ours. What a former process left is older. */
  private checkOwn({ key, lease, modRevision }: KeyValue, network: string, { isReset }: Look): void {
    if (isReset) this.written.clear();
    const written = this.written.get(network);
    if (written === undefined || modRevision <= written || this.leases.has(lease)) this.garbage.delete(key);
    else this.refuse(key, `is written by another server, too: vantage.name "${this.options.vantage}" must be its own`);
  }

  private refuse(key: string, why: string): void {
    const text = `etcd: the key ${key.replace(/[^\x20-\x7e]/g, '?').slice(0, 200)} ${why}`;
    if (this.garbage.get(key) !== text) this.options.log(text);
    this.garbage.set(key, text);
  }

  private garbageOf(vantage: string): string | null {
    const begin = `${keyOf(this.options.keys.views, vantage)}/`;
    return [...this.garbage].find(([key]) => key.startsWith(begin))?.[1] ?? null;
  }
}
