/** The decided sets: read by all, written by the decider alone, in transactions that compare its token. */
import { serialCompare } from '../../dns/serial.ts';
import type { DecidedSet } from '../../health/agreement/decided-set.ts';
import type { Guard } from '../../system/guard.ts';
import type { EngineEvents, Stored } from '../engine.ts';
import type { EtcdClient } from './client/client.ts';
import type { Compare, Header, KeyValue, Transaction } from './client/wire.ts';
import type { EtcdCodec } from './codec.ts';
import type { Follower, Found, Look } from './follower.ts';
import { type Keys, keyOf, namesIn } from './keys.ts';
import type { Leadership } from './leadership.ts';
import { Mirror } from './mirror.ts';
import { pack, unpack } from './packed.ts';

export type SetsOptions = {
  readonly client: EtcdClient;
  readonly keys: Keys;
  readonly codec: EtcdCodec;
  readonly leadership: Pick<Leadership, 'role' | 'holds'>;
  readonly guard: Guard;
  readonly log: (text: string) => void;
  readonly events: Pick<EngineEvents, 'onDecided'>;
  /** A set's serial must be later than this (0: than none), and these must hold as well when it is stored. */
  readonly contents: { readonly highest: () => number; readonly compares: () => readonly Compare[] };
};

/** `set` null: what is stored cannot be read. `revision`: of the key, which a new set must not have missed. */
type Known = { readonly set: DecidedSet | null; readonly revision: bigint };

/** Transactions whose outcome is unknown are repeated so often, at most: whichever comes first, only one counts. */
const TRIES = 2;

export class Sets implements Follower {
  private readonly options: SetsOptions;
  private readonly mirror: Mirror;
  private readonly known = new Map<string, Known>();
  private clusterId: string | null = null;
  private readonly garbage = new Map<string, string>();

  constructor(options: SetsOptions) {
    this.options = options;
    this.mirror = new Mirror(options.keys.sets);
  }

  decided(network: string): DecidedSet | null {
    return this.known.get(network)?.set ?? null;
  }

  /** Mod revision of the key that `decided` was read from; 0: there is none. */
  revision(network: string): bigint {
    return this.known.get(network)?.revision ?? 0n;
  }

  faults(): readonly string[] {
    return [...this.garbage.values()];
  }

  async look(look: Look): Promise<Found> {
    const found = await this.mirror.read(look);
    if (!found.ok) return found;
    const takes = await Promise.all(found.changed.map((kv) => this.read(kv)));
    const apply = (): void => {
      found.commit();
      this.clusterId = look.header.clusterId;
      for (const key of found.gone) this.forget(key, look);
      for (const take of takes) take(look);
    };
    return { ok: true, isChanged: found.isChanged, apply };
  }

  async propose(set: DecidedSet): Promise<Stored> {
    const { leadership, codec, keys, contents } = this.options;
    const role = leadership.role();
    if (!role.isOurs || role.token !== set.token) return refused('we do not decide, or not any more');
    const highest = contents.highest();
    if (highest !== 0 && serialCompare(set.serial, highest) <= 0) {
      return refused(`its serial ${set.serial} is not later than ${highest}, which the content of a zone has`);
    }
    const key = keyOf(keys.sets, set.network);
    const seen = this.known.get(set.network)?.revision ?? 0n;
    const text = codec.encodeDecidedSet(set);
    const { problem } = codec.decodeDecidedSet(text); // before the others find it out
    if (problem !== null) return refused(`the set of ${set.network} could not be read by anybody: ${problem}`);
    const packed = await pack(text);
    if (packed.problem !== null) return refused(`the set of ${set.network} ${packed.problem}`);
    const holds = leadership.holds(set.token);
    const transaction: Transaction = {
      compare: [holds, { key, target: 'mod', revision: seen }, ...contents.compares()],
      success: [{ kind: 'put', key, value: packed.value }],
      failure: [
        { kind: 'range', range: { key } },
        { kind: 'range', range: { key: keys.leader } },
      ],
    };
    return this.store(set, transaction, packed.value);
  }

  /**
   * The same transaction again where its outcome is unknown: if it was carried out, the second is refused and finds our
   * own set; if it was not, it is now, and what may come late of the first is refused. So an answer settles it, whichever
   * way it goes. Without one the next look says what is stored.
   */
  private async store(set: DecidedSet, transaction: Transaction, value: string): Promise<Stored> {
    let why = '';
    for (let i = 0; i < TRIES; i++) {
      const answer = await this.options.client.txn(transaction);
      if (answer.ok && answer.value.succeeded) {
        this.own({ set, revision: answer.header.revision }, answer.header);
        return { kind: 'stored' };
      }
      if (answer.ok) {
        const [stored, leader] = answer.value.ranges.map(({ kvs }) => kvs[0] ?? null);
        if (stored?.value.toString() === value) {
          this.own({ set, revision: stored.modRevision }, answer.header);
          return { kind: 'stored' };
        }
        if (String(leader?.createRevision ?? 0n) !== set.token) return refused('another vantage decides by now');
        return refused('another set or content was stored meanwhile');
      }
      if (answer.fault.kind === 'refused') return refused(answer.fault.text);
      why = answer.fault.text;
    }
    return { kind: 'unknown', why };
  }

  private async read(kv: KeyValue): Promise<(look: Look) => void> {
    const [network = ''] = namesIn(kv.key, this.options.keys.sets, 1) ?? [];
    const { modRevision: revision } = kv;
    const refuse = (why: string) => (look: Look) => {
      // What is served stays. Whoever decides may store a set over it.
      const set = look.isReset ? null : this.decided(network);
      if (network !== '' && this.isNews(network, revision, look)) this.keep(network, { set, revision });
      this.refuse(kv.key, why);
    };
    if (network === '') return refuse('is none of ours');
    const packed = await unpack(kv.value);
    if (packed.problem !== null) return refuse(packed.problem);
    const decoded = this.options.codec.decodeDecidedSet(packed.value);
    if (decoded.problem !== null) return refuse(`cannot be read: ${decoded.problem}`);
    const set = decoded.value;
    if (set.network !== network) return refuse(`holds a set of the network ${set.network.slice(0, 100)}`);
    return (look) => {
      this.garbage.delete(kv.key);
      if (this.isNews(network, revision, look)) this.keep(network, { set, revision });
    };
  }

  /** Our own proposal may be newer than what a look read before it. */
  private isNews(network: string, revision: bigint, { isReset }: Look): boolean {
    const known = this.known.get(network);
    return isReset || known === undefined || known.revision < revision;
  }

  /** Stored by us, unless a look has found it already, or the one after it, or another store. */
  private own({ set, revision }: { readonly set: DecidedSet; readonly revision: bigint }, { clusterId }: Header): void {
    const known = this.known.get(set.network);
    const isNews = known === undefined || known.revision < revision;
    if (isNews && clusterId === this.clusterId) this.keep(set.network, { set, revision });
  }

  private forget(key: string, { header, isReset }: Look): void {
    this.garbage.delete(key);
    const [network = ''] = namesIn(key, this.options.keys.sets, 1) ?? [];
    const known = this.known.get(network);
    if (known === undefined || (!isReset && known.revision > header.revision)) return;
    this.known.delete(network);
    this.announce(network);
  }

  private keep(network: string, known: Known): void {
    const before = this.known.get(network);
    this.known.set(network, known);
    if (before?.set !== known.set) this.announce(network);
  }

  private announce(network: string): void {
    const { guard, events } = this.options;
    guard.run('etcd sets', () => events.onDecided(network));
  }

  private refuse(key: string, why: string): void {
    const text = `etcd: the key ${key.replace(/[^\x20-\x7e]/g, '?').slice(0, 200)} ${why}; nothing changes by it`;
    if (this.garbage.get(key) !== text) this.options.log(text);
    this.garbage.set(key, text);
  }
}

function refused(why: string): Stored {
  return { kind: 'refused', why };
}
