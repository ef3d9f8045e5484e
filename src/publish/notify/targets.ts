import { networkInterfaces } from 'node:os';
import type { NotifyTarget } from '../../config/types.ts';
import type { WireName } from '../../dns/name.ts';
import type { ZoneVersion } from '../../live/zone-versions.ts';
import type { Endpoint } from '../../system/address.ts';
import { isWildcard } from '../../system/client-address.ts';
import type { ZoneServers } from './ns-targets.ts';
import { peerKey, plainAddress } from './source-address.ts';

/**
 * What was sent for a zone's newest serial. `macs`: of every attempt; `trouble`: why none of them counts so far, the
 * kernel refused to send it (`unsent`) or somebody answered without the key (`unsigned`).
 */
export type Sent = {
  readonly macs: Uint8Array[];
  trouble: { readonly kind: 'unsent' | 'unsigned'; readonly text: string } | null;
};

/**
 * Why a zone's secondary is not notified now, as a phrase. `waitMs`, `untilMs`: a refusal keeps `again` quiet so long.
 */
export type ZoneTrouble = {
  readonly serial: number;
  readonly text: string;
  readonly waitMs: number;
  readonly untilMs: number;
};

/** A secondary. `number`: never used twice. `sendTo`: `to` as the system wants it. */
export type Target = NotifyTarget & {
  readonly number: number;
  readonly sendTo: Endpoint;
  readonly peer: string | null;
  readonly sent: Map<WireName, Sent>;
  readonly troubles: Map<WireName, ZoneTrouble>;
};

/** Whom NOTIFY goes to: the secondaries of the configuration, and with `notify_ns` those that zones name. */
export class NotifyTargets {
  private readonly listen: readonly Endpoint[];
  /** Of those that zones name. */
  private readonly nsPort: number;
  private readonly byNumber = new Map<number, Target>();
  private readonly byPeer = new Map<string, readonly Target[]>();
  private readonly nsByPeer = new Map<string, Target>();
  private inOrder: readonly Target[] = [];
  private nextNumber = 0;

  constructor(listen: readonly Endpoint[], nsPort: number) {
    this.listen = listen;
    this.nsPort = nsPort;
  }

  /** Those of the configuration, in its order. */
  get configured(): readonly Target[] {
    return this.inOrder;
  }

  get(number: number): Target | null {
    return this.byNumber.get(number) ?? null;
  }

  /** Those of the configuration and those that zones name. */
  all(): Iterable<Target> {
    return this.byNumber.values();
  }

  /** Those at this address and port. */
  at({ address, port }: Endpoint): readonly Target[] {
    return this.byPeer.get(`${peerKey(address)} ${port}`) ?? [];
  }

  /** Secondaries that stay are the same targets as before. Returns those that are new and those that go. */
  configure(
    wanted: readonly NotifyTarget[],
    notifyNs: boolean,
  ): { readonly added: readonly Target[]; readonly removed: readonly Target[] } {
    const before = [...this.inOrder];
    const added: Target[] = [];
    this.inOrder = wanted.map((target) => {
      const at = before.findIndex((known) => targetText(known) === targetText(target));
      if (at >= 0) return before.splice(at, 1)[0];
      const fresh = this.add(target);
      added.push(fresh);
      return fresh;
    });
    const peers = new Set(this.inOrder.map(({ peer }) => peer));
    const unused = [...this.nsByPeer].filter(([peer]) => !notifyNs || peers.has(peer));
    for (const [peer] of unused) this.nsByPeer.delete(peer);
    const removed = [...before, ...unused.map(([, target]) => target)];
    for (const target of removed) this.remove(target);
    return { added, removed };
  }

  /** The servers that zones name, without this server itself and those that the configuration names for the zone. */
  *forNameServers(found: Iterable<ZoneServers>): Iterable<{ readonly target: Target; readonly zone: ZoneVersion }> {
    const own = ownPeers(this.nsPort, this.listen);
    for (const { zone, addresses } of found) {
      const concerned = this.inOrder.filter((target) => targetConcerns(target, zone.origin, zone.network));
      const others = new Set(concerned.map(({ peer }) => peer));
      for (const [peer, address] of new Map(addresses.map((text) => [peerKey(text), text]))) {
        if (peer === null || own.has(peer) || others.has(peer)) continue;
        yield { target: this.nameServer(peer, address), zone };
      }
    }
  }

  clear(): void {
    this.byNumber.clear();
    this.byPeer.clear();
    this.nsByPeer.clear();
    this.inOrder = [];
  }

  private nameServer(peer: string, address: string): Target {
    const known = this.nsByPeer.get(peer);
    if (known !== undefined) return known;
    const target = this.add({
      to: { address, port: this.nsPort },
      from: null,
      key: null,
      networks: null,
      zones: null,
    });
    this.nsByPeer.set(peer, target);
    return target;
  }

  private add(wanted: NotifyTarget): Target {
    const peer = peerKey(wanted.to.address);
    const target: Target = {
      ...wanted,
      number: this.nextNumber++,
      sendTo: { address: plainAddress(wanted.to.address), port: wanted.to.port },
      peer,
      sent: new Map(),
      troubles: new Map(),
    };
    this.byNumber.set(target.number, target);
    const key = `${peer} ${wanted.to.port}`;
    this.byPeer.set(key, [...(this.byPeer.get(key) ?? []), target]);
    return target;
  }

  private remove(target: Target): void {
    this.byNumber.delete(target.number);
    const key = `${target.peer} ${target.to.port}`;
    const others = (this.byPeer.get(key) ?? []).filter((other) => other !== target);
    if (others.length > 0) this.byPeer.set(key, others);
    else this.byPeer.delete(key);
  }
}

/** The same for targets that are notified of the same things in the same way. */
function targetText({ to, from, key, networks, zones }: NotifyTarget): string {
  return JSON.stringify([to.address, to.port, from, key, networks, zones]);
}

/** Whether a target is to be notified of a zone. */
export function targetConcerns({ networks, zones }: NotifyTarget, zone: WireName, network: string | null): boolean {
  if (networks === null && zones === null) return true;
  return (network !== null && (networks?.includes(network) ?? false)) || (zones?.includes(zone) ?? false);
}

/** Where this server itself answers on a port. */
function ownPeers(port: number, listen: readonly Endpoint[]): ReadonlySet<string | null> {
  const listened = listen.filter((endpoint) => endpoint.port === port).map(({ address }) => address);
  const machine = listened.some(isWildcard)
    ? Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address))
    : [];
  return new Set([...listened, ...machine].map(peerKey));
}
