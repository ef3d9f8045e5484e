/** Which content of each zone is in force, as etcd has it: `PREFIX/zones/ZONE`, and `PREFIX/contents`, written with any. */
import { z } from 'zod';
import { nameKey, nameText, type WireName } from '../../../dns/name.ts';
import { serialMax } from '../../../dns/serial.ts';
import type { ContentInForce } from '../../../zones/agreement/content.ts';
import { type Header, type KeyValue, prefixEnd } from '../client/wire.ts';
import type { Look } from '../follower.ts';
import { type Keys, keyOf, namesIn } from '../keys.ts';
import { readPage } from '../page.ts';

type Known = { readonly content: ContentInForce; readonly revision: bigint };

export type RecordsFound =
  | { readonly ok: true; readonly isChanged: boolean; readonly apply: () => readonly WireName[] }
  | { readonly ok: false; readonly text: string };

/** Of some 200 octets each. */
const PAGE = 1000;
/** Ten times the zones that we are made for; more is somebody else's mistake. */
const RECORDS_MAX = 1_000_000;
const VALUE_MAX = 2048;
const SERIAL = z
  .int()
  .min(0)
  .max(2 ** 32 - 1);
const VALUE = z.object({
  v: z.literal(1),
  hash: z.string().min(1).max(512),
  serial: SERIAL.min(1),
  from: SERIAL,
  after: SERIAL,
});

export function counterKey(keys: Keys): string {
  return `${keys.all}contents`;
}

export function recordKey(keys: Keys, origin: WireName): string {
  return keyOf(zonesPrefix(keys), nameText(origin));
}

export function printRecord({ hash, serial, from, after }: ContentInForce): string {
  return JSON.stringify({ v: 1, hash, serial, from, after });
}

function zonesPrefix(keys: Keys): string {
  return `${keys.all}zones/`;
}

export class ContentRecords {
  private readonly keys: Keys;
  private readonly log: (text: string) => void;
  private records = new Map<WireName, Known>();
  private garbage = 0;
  /** All changes up to it are known. */
  private revision = 0n;
  private counter = 0n;
  private latest = 0;
  private clusterId: string | null = null;

  constructor(keys: Keys, log: (text: string) => void) {
    this.keys = keys;
    this.log = log;
  }

  get(origin: WireName): ContentInForce | null {
    return this.records.get(origin)?.content ?? null;
  }

  /** Mod revision of the key that is written with each change; 0: there was none yet. */
  get counterRevision(): bigint {
    return this.counter;
  }

  /** The latest serial that any content has, or that was noted; 0: none. */
  get highest(): number {
    return this.latest;
  }

  /** A content is about to get this serial: it may be stored even where no answer says so. */
  noteSerial(serial: number): void {
    this.latest = serialMax(this.latest, serial);
  }

  faults(): readonly string[] {
    if (this.garbage === 0) return [];
    return [`etcd: ${this.garbage} keys below ${zonesPrefix(this.keys)} cannot be read; nothing changes by them`];
  }

  /** What changed since the look before. */
  async look({ client, header, isReset }: Look): Promise<RecordsFound> {
    const { revision } = header;
    const counted = await client.range({ key: counterKey(this.keys), revision, keysOnly: true });
    if (!counted.ok) return { ok: false, text: counted.fault.text };
    const counter = counted.value.kvs[0]?.modRevision ?? 0n;
    // Deleted, though we know of it: whoever did that may have deleted the others, too.
    const isDeleted = revision >= this.counter && counter < this.counter;
    const isAnew = isReset || isDeleted;
    if (!isAnew && counter <= this.counter) {
      return { ok: true, isChanged: false, apply: () => this.take([], header, counter, false) };
    }
    const found: KeyValue[] = [];
    const end = prefixEnd(zonesPrefix(this.keys));
    // Without the filter etcd reads a page only, with it all.
    const since = isAnew || this.revision === 0n ? {} : { minModRevision: this.revision + 1n };
    for (let key = zonesPrefix(this.keys); ; ) {
      const answer = await readPage(client, { key, end, revision, ...since }, PAGE);
      if (!answer.ok) return { ok: false, text: answer.fault.text };
      const { kvs, more } = answer.value;
      found.push(...kvs);
      const last = kvs.at(-1);
      if (!more || last === undefined) break;
      if (found.length > RECORDS_MAX)
        return { ok: false, text: `etcd has more than ${RECORDS_MAX} zones below ${key}` };
      key = `${last.key}\0`;
    }
    return { ok: true, isChanged: true, apply: () => this.take(found, header, counter, isAnew) };
  }

  /** We stored these. */
  stored(contents: ReadonlyMap<WireName, ContentInForce>, { clusterId, revision }: Header): void {
    if (clusterId !== this.clusterId) return; // the next look says what that store has
    for (const [origin, content] of contents) this.records.set(origin, { content, revision });
    if (revision > this.counter) this.counter = revision;
  }

  /** Returns the zones whose content in force is another one. */
  private take(
    found: readonly KeyValue[],
    { clusterId, revision }: Header,
    counter: bigint,
    isAnew: boolean,
  ): readonly WireName[] {
    const before = this.records;
    if (isAnew) {
      this.records = new Map();
      this.garbage = 0;
    }
    const changed = new Set<WireName>();
    for (const kv of found) {
      const origin = this.originOf(kv);
      const content = origin === null ? null : contentOf(kv);
      if (origin === null || content === null) {
        if (this.garbage++ === 0)
          this.log(`etcd: the key ${kv.key.slice(0, 200)} cannot be read; nothing changes by it`);
        continue;
      }
      const known = this.records.get(origin);
      if (known !== undefined && known.revision >= kv.modRevision) continue;
      this.records.set(origin, { content, revision: kv.modRevision });
      this.noteSerial(content.serial);
      changed.add(origin);
    }
    if (isAnew) for (const origin of before.keys()) changed.add(origin);
    this.clusterId = clusterId;
    this.revision = revision;
    this.counter = isAnew || counter > this.counter ? counter : this.counter;
    return [...changed];
  }

  private originOf({ key }: KeyValue): WireName | null {
    const [name] = namesIn(key, zonesPrefix(this.keys), 1) ?? [];
    const origin = name === undefined ? null : nameKey(name);
    return origin !== null && recordKey(this.keys, origin) === key ? origin : null;
  }
}

function contentOf({ value }: KeyValue): ContentInForce | null {
  if (value.length > VALUE_MAX) return null;
  try {
    const { hash, serial, from, after } = VALUE.parse(JSON.parse(value.toString()));
    return { hash, serial, from, after };
  } catch {
    return null;
  }
}
