/** What we have ready, written into etcd under a lease of its own, as far as it is not in force. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { WireName } from '../../../dns/name.ts';
import type { Guard } from '../../../system/guard.ts';
import type { ContentInForce, OwnContent, ReadyContent } from '../../../zones/agreement/content.ts';
import { type EtcdClient, isFault } from '../client/client.ts';
import type { Operation } from '../client/wire.ts';
import { type Keys, keyOf } from '../keys.ts';
import { Lease } from '../lease.ts';
import { pack } from '../packed.ts';
import { BUCKETS, bucketOf, HEAD, isReported, printReports } from './reports.ts';

export type OwnReportsOptions = {
  readonly client: EtcdClient;
  readonly keys: Keys;
  readonly vantage: string;
  /** Seconds of the lease. */
  readonly ttl: number;
  readonly inForce: (origin: WireName) => ContentInForce | null;
  readonly guard: Guard;
  readonly log: (text: string) => void;
};

/** So many keys, … */
const BATCH_KEYS = 64;
/** … and octets a transaction; etcd takes 1.5 MiB. */
const BATCH_OCTETS = 512 * 1024;
/** Reports come in swarms, and what is in force changes in batches. */
const GATHER_MS = 100;
/** Writing takes a fifth of the time at most. */
const SHARE = 5;

const NAME = 'etcd contents';
/** gRPC: there is no such lease. */
const NOT_FOUND = 5;

export class OwnReports {
  private readonly options: OwnReportsOptions;
  private readonly own = new Map<WireName, OwnContent>();
  private readonly buckets: Map<WireName, OwnContent>[] = Array.from({ length: BUCKETS }, () => new Map());
  private readonly dirty = new Set<number>();
  /** Buckets that etcd has of us. */
  private readonly written = new Set<number>();
  private lease: Lease | null = null;
  private hasHead = false;
  private running = false;
  private stopped = false;
  /** Buckets that are too large for a key, with a sentence; and why the last write failed, null: it did not. */
  private readonly tooLarge = new Map<number, string>();
  private failure: string | null = null;

  constructor(options: OwnReportsOptions) {
    this.options = options;
  }

  ready(contents: readonly ReadyContent[]): void {
    for (const { origin, ...own } of contents) {
      this.own.set(origin, own);
      this.update(origin);
    }
    this.request();
  }

  gone(origins: readonly WireName[]): void {
    for (const origin of origins) {
      this.own.delete(origin);
      this.update(origin);
    }
    this.request();
  }

  /** Other contents of these zones are in force. */
  changed(origins: readonly WireName[]): void {
    for (const origin of origins) this.update(origin);
    this.request();
  }

  /** What of ours is not simply in force. */
  reported(): Iterable<readonly [WireName, OwnContent]> {
    return this.buckets.flatMap((bucket) => [...bucket]);
  }

  of(origin: WireName): OwnContent | null {
    return this.buckets[bucketOf(origin)]?.get(origin) ?? null;
  }

  faults(): readonly string[] {
    return [...new Set(this.tooLarge.values()), ...(this.failure === null ? [] : [this.failure])];
  }

  /** Writes what is to be written, if it can: also to be called each interval. */
  request(): void {
    if (this.running || this.stopped || (this.dirty.size === 0 && this.hasHead && this.lease?.isAlive() === true))
      return;
    this.running = true;
    this.options.guard.run(NAME, this.work());
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.lease?.end();
  }

  private update(origin: WireName): void {
    const index = bucketOf(origin);
    const bucket = this.buckets[index];
    const own = this.own.get(origin);
    const isDue = own !== undefined && isReported(own, this.options.inForce(origin));
    if (!isDue && bucket?.delete(origin) !== true) return;
    if (isDue) bucket?.set(origin, own);
    this.dirty.add(index);
  }

  private async work(): Promise<void> {
    try {
      await sleep(GATHER_MS);
      for (let failed = false; !failed && !this.stopped; ) {
        const start = performance.now();
        const lease = await this.granted();
        if (lease === null || (this.dirty.size === 0 && this.hasHead)) return;
        failed = !(await this.write(lease));
        await sleep(Math.min(1000, SHARE * (performance.now() - start)));
      }
    } finally {
      this.running = false;
    }
  }

  /** One transaction. False: it failed, and is made again with the next look. */
  private async write(lease: Lease): Promise<boolean> {
    const { client, keys, vantage, log } = this.options;
    const operations: Operation[] = [];
    const taken: number[] = [];
    let octets = 0;
    if (!this.hasHead) {
      operations.push({ kind: 'put', key: keyOf(readyPrefix(keys), vantage, HEAD), value: '{"v":1}', lease: lease.id });
    }
    for (const index of this.dirty) {
      if (taken.length >= BATCH_KEYS || octets >= BATCH_OCTETS) break;
      taken.push(index);
      this.dirty.delete(index);
      const key = keyOf(readyPrefix(keys), vantage, String(index));
      const bucket = this.buckets[index];
      if (bucket === undefined || bucket.size === 0) {
        this.tooLarge.delete(index);
        if (this.written.has(index)) operations.push({ kind: 'delete', range: { key } });
        continue;
      }
      const packed = await pack(printReports(bucket));
      if (packed.problem !== null) {
        const text = `contents of zones cannot be agreed upon: a list of them ${packed.problem}`;
        if (this.tooLarge.size === 0) log(text);
        this.tooLarge.set(index, text);
        continue;
      }
      this.tooLarge.delete(index);
      octets += packed.value.length;
      operations.push({ kind: 'put', key, value: packed.value, lease: lease.id });
    }
    const answer = operations.length === 0 ? null : await client.txn({ compare: [], success: operations, failure: [] });
    if (answer?.ok === false) {
      for (const index of taken) this.dirty.add(index);
      const failure = `what zones have ready here cannot be put into etcd: ${answer.fault.text}`;
      if (this.failure === null) log(failure);
      this.failure = failure;
      // The lease may have gone with a wiped store.
      if (answer.fault.code === NOT_FOUND) this.allAgain(lease);
      return false;
    }
    this.failure = null;
    this.hasHead = true;
    for (const index of taken) {
      if (this.buckets[index]?.size === 0) this.written.delete(index);
      else this.written.add(index);
    }
    return true;
  }

  private async granted(): Promise<Lease | null> {
    if (this.lease?.isAlive() === true) return this.lease;
    const { client, guard, ttl } = this.options;
    const lease = await Lease.grant({ client, guard, ttl, onLost: () => this.allAgain(this.lease) });
    if (isFault(lease)) return null; // the looks say what is wrong
    if (this.stopped) {
      await lease.end();
      return null;
    }
    this.lease = lease;
    this.allDirty();
    return lease;
  }

  private allAgain(lease: Lease | null): void {
    if (lease !== null && this.lease !== lease) return;
    if (lease !== null) this.options.guard.run(NAME, lease.end());
    this.lease = null;
    this.allDirty();
  }

  /** Keys of an earlier lease, or of an earlier process, are written over. */
  private allDirty(): void {
    this.hasHead = false;
    for (let index = 0; index < BUCKETS; index++) {
      this.written.add(index);
      this.dirty.add(index);
    }
  }
}

export function readyPrefix(keys: Keys): string {
  return `${keys.all}ready/`;
}
