/** What the other vantages have ready; read by the decider only. */
import type { WireName } from '../../../dns/name.ts';
import type { OwnContent } from '../../../zones/agreement/content.ts';
import type { KeyValue } from '../client/wire.ts';
import type { Look } from '../follower.ts';
import { type Keys, namesIn } from '../keys.ts';
import { Mirror } from '../mirror.ts';
import { unpack } from '../packed.ts';
import { readyPrefix } from './own-reports.ts';
import { HEAD, parseReports } from './reports.ts';

type Bucket = ReadonlyMap<WireName, OwnContent>;
type Read = { readonly key: string; readonly vantage: string; readonly name: string; readonly bucket: Bucket | null };

export type OthersFound =
  | { readonly ok: true; readonly isChanged: boolean; readonly apply: () => void }
  | { readonly ok: false; readonly text: string };

export class OthersReports {
  private readonly keys: Keys;
  private readonly members: readonly string[];
  private readonly vantage: string;
  private mirror: Mirror;
  private readonly alive = new Set<string>();
  private readonly buckets = new Map<string, Map<string, Bucket>>();
  private readonly garbage = new Set<string>();

  constructor(keys: Keys, members: readonly string[], vantage: string) {
    this.keys = keys;
    this.members = members;
    this.vantage = vantage;
    this.mirror = new Mirror(readyPrefix(keys));
  }

  async look(look: Look): Promise<OthersFound> {
    const found = await this.mirror.read(look);
    if (!found.ok) return found;
    const reads = await Promise.all(found.changed.map((kv) => this.read(kv)));
    const apply = (): void => {
      found.commit();
      for (const key of found.gone) this.forget(key);
      for (const read of reads) this.take(read);
    };
    return { ok: true, isChanged: found.isChanged, apply };
  }

  /** We do not decide any more. */
  clear(): void {
    this.mirror = new Mirror(readyPrefix(this.keys));
    this.alive.clear();
    this.buckets.clear();
    this.garbage.clear();
  }

  /** Vantages whose leases are alive. */
  heard(): ReadonlySet<string> {
    return this.alive;
  }

  /** By zone: by vantage what it has. */
  collect(into: Map<WireName, Map<string, OwnContent>>): void {
    for (const [vantage, buckets] of this.buckets) {
      for (const bucket of buckets.values()) {
        for (const [origin, own] of bucket) {
          const reports = into.get(origin);
          if (reports === undefined) into.set(origin, new Map([[vantage, own]]));
          else reports.set(vantage, own);
        }
      }
    }
  }

  faults(): readonly string[] {
    return [...this.garbage].map((key) => `etcd: the key ${key.slice(0, 200)} cannot be read; nothing changes by it`);
  }

  private async read({ key, value }: KeyValue): Promise<Read> {
    const [vantage = '', name = ''] = namesIn(key, readyPrefix(this.keys), 2) ?? [];
    if (name === HEAD || name === '') return { key, vantage, name, bucket: null };
    const packed = await unpack(value);
    return { key, vantage, name, bucket: packed.problem === null ? parseReports(packed.value) : null };
  }

  private take({ key, vantage, name, bucket }: Read): void {
    if (vantage === this.vantage || !this.members.includes(vantage)) return;
    this.garbage.delete(key);
    if (name === HEAD) {
      this.alive.add(vantage);
      return;
    }
    const buckets = this.buckets.get(vantage) ?? new Map<string, Bucket>();
    this.buckets.set(vantage, buckets);
    if (bucket !== null) buckets.set(name, bucket);
    else {
      buckets.delete(name);
      if (this.garbage.size < 10) this.garbage.add(key);
    }
  }

  private forget(key: string): void {
    this.garbage.delete(key);
    const [vantage = '', name = ''] = namesIn(key, readyPrefix(this.keys), 2) ?? [];
    if (name === HEAD) this.alive.delete(vantage);
    else this.buckets.get(vantage)?.delete(name);
  }
}
