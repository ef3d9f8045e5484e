/** Vantages that agree through etcd: one decides at a time, and what it stores is served by all. */

import { within } from '../../system/deadline.ts';
import type { Guard } from '../../system/guard.ts';
import type { Log } from '../../system/log-events.ts';
import type { ContentSerials, Engine, EngineEvents, VantageStatus } from '../engine.ts';
import { EtcdClient } from './client/client.ts';
import type { Compare } from './client/wire.ts';
import type { EtcdCodec } from './codec.ts';
import { type NetworkFacts, networkFacts } from './contents/network-facts.ts';
import type { Follower } from './follower.ts';
import { type Keys, keysOf } from './keys.ts';
import { Leadership } from './leadership.ts';
import { Looks } from './looks.ts';
import { Sets } from './sets.ts';
import type { EtcdSettings } from './settings.ts';
import { Views } from './views.ts';

/** What a part with keys of its own works with. */
export type PartOptions = {
  readonly client: EtcdClient;
  readonly keys: Keys;
  readonly settings: EtcdSettings;
  readonly leadership: Leadership;
  readonly guard: Guard;
  readonly log: (text: string) => void;
  readonly events: EngineEvents;
  /** Asks for a look soon, such as after a write of ours. */
  readonly requestLook: () => void;
  readonly networks: NetworkFacts;
  /** Epoch seconds. */
  readonly now: () => number;
};

/** A part that is called before the sets at each look. `stop`: within some seconds; the client is closed after it. */
export type EnginePart = Follower & { readonly stop: () => Promise<void> };

/** `compares`: what must hold, too, when a set is stored, such as that no content was put in force since we looked. */
export type ContentsPart = EnginePart & {
  readonly serials: ContentSerials;
  readonly compares: () => readonly Compare[];
};

export type EtcdEngineOptions = {
  readonly settings: EtcdSettings;
  readonly codec: EtcdCodec;
  /** Of Edgewise. */
  readonly version: string;
  readonly events: EngineEvents;
  /** Between two looks where nothing was announced, and a third of what a view lives at least. */
  readonly intervalMs: number;
  readonly guard: Guard;
  readonly log: Log;
  /** Epoch seconds. */
  readonly now: () => number;
  readonly makeContents: (options: PartOptions) => ContentsPart;
  /** Further parts, such as modes. */
  readonly makeParts?: (options: PartOptions) => readonly EnginePart[];
};

/** For all that is told to etcd at the end, and for what is under way. */
const STOP_MS = 4000;

export function makeEtcdEngine(options: EtcdEngineOptions): Engine {
  const { settings, codec, events, guard, intervalMs, now } = options;
  const { name: vantage, members, lease, prefix } = settings.vantage;
  const log = (text: string): void => options.log('warn', text, 'vantage.etcd');
  const client = new EtcdClient(settings.client);
  const keys = keysOf(prefix);
  const requestLook = (): void => looks.request();
  const shared = { client, keys, guard, log, events, requestLook };
  const leadership = new Leadership({ ...shared, vantage, members, lease, now, onRole: events.onRole });
  const networks = networkFacts({ sets: () => sets, views: () => views, freshSeconds: (3 * intervalMs) / 1000 });
  const forParts: PartOptions = { ...shared, settings, leadership, networks, now };
  const contents = options.makeContents(forParts);
  const parts = [...(options.makeParts?.(forParts) ?? []), contents];
  const views: Views = new Views({ ...shared, vantage, members, intervalMs, codec, now });
  const { serials, compares } = contents;
  const sets: Sets = new Sets({
    ...shared,
    codec,
    leadership,
    contents: { highest: () => serials.highest(), compares },
  });
  const looks: Looks = new Looks({
    ...shared,
    followers: [views, ...parts, sets],
    intervalMs,
    timeoutMs: settings.client.timeoutMs,
    onLeader: (found, look) => leadership.apply(found, look),
    onDisconnected: () => leadership.disconnected(),
  });

  const self = (): VantageStatus => ({
    name: vantage,
    isSelf: true,
    reachable: looks.isConnected(),
    lastHeard: 0,
    version: options.version,
    clockOffset: 0,
    problem: looks.faults()[0] ?? null,
  });

  /** Null if we decide still by what etcd says now. */
  const mayAct = async (): Promise<string | null> => {
    const { isOurs, token } = leadership.role();
    if (!isOurs || token === null) return 'we do not decide, or not any more';
    const answer = await client.range({ key: keys.leader });
    if (!answer.ok) return answer.fault.text;
    const found = String(answer.value.kvs[0]?.createRevision ?? 0n);
    const role = leadership.role();
    return found === token && role.isOurs && role.token === token ? null : 'another vantage decides by now';
  };

  const start = async (): Promise<void> => {
    const started = looks.start();
    guard.run('etcd engine', started);
    await within(settings.client.timeoutMs, started, () => undefined);
  };

  /** The role first, so that another takes over while the rest ends. */
  const stop = async (): Promise<void> => {
    const ends = [leadership.stop(), looks.stop(), views.stop(), ...parts.map((part) => part.stop())];
    await within(STOP_MS, Promise.allSettled(ends), () => undefined);
    await client.close();
  };

  return {
    kind: 'etcd',
    start,
    stop,
    publishView: (view) => views.publish(view),
    views: (network) => views.received(network),
    vantages: () => [self(), ...views.statuses()],
    warnings: () => looks.warnings(),
    faults: () => [looks, leadership, views, sets, ...parts].flatMap((part) => part.faults()),
    agreement: {
      role: () => leadership.role(),
      isConnected: () => looks.isConnected(),
      decided: (network) => sets.decided(network),
      propose: (set) => sets.propose(set),
      mayAct,
      setCandidate: (isCandidate) => leadership.setCandidate(isCandidate),
      contents: serials,
    },
  };
}
