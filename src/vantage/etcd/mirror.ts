/** What has changed below a prefix since the look before: the keys are listed, and only values that are new are read. */
import { type KeyValue, prefixEnd } from './client/wire.ts';
import type { Look } from './follower.ts';
import { readPage } from './page.ts';

/** We have some thousand; more is somebody else's mistake. */
const KEYS_MAX = 10_000;
/** Values in one answer: ours, of 1 MiB each in base64, stay below what an answer may have. */
const BATCH = 4;

export type Changes =
  | {
      readonly ok: true;
      readonly changed: readonly KeyValue[];
      readonly gone: readonly string[];
      readonly isChanged: boolean;
      /** From now on these are no changes any more. */
      readonly commit: () => void;
    }
  | { readonly ok: false; readonly text: string };

export class Mirror {
  private readonly prefix: string;
  private known: ReadonlyMap<string, bigint> = new Map();

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** Everything as it was at the look's revision. */
  async read({ client, header: { revision }, isReset }: Look): Promise<Changes> {
    const range = { key: this.prefix, end: prefixEnd(this.prefix), revision };
    const listed = await client.range({ ...range, keysOnly: true, limit: KEYS_MAX });
    if (!listed.ok) return { ok: false, text: listed.fault.text };
    if (listed.value.more) return { ok: false, text: `etcd has more than ${KEYS_MAX} keys below ${this.prefix}` };
    const before = isReset ? new Map<string, bigint>() : this.known;
    const after = new Map(listed.value.kvs.map((kv) => [kv.key, kv.modRevision]));
    const wanted = [...after.keys()].filter((key) => before.get(key) !== after.get(key));
    const changed: KeyValue[] = [];
    for (let i = 0; i < wanted.length; i += BATCH) {
      const ranges = wanted.slice(i, i + BATCH).map((key) => ({ kind: 'range' as const, range: { key, revision } }));
      const answer = await client.txn({ compare: [], success: ranges, failure: [] });
      if (answer.ok) {
        changed.push(...answer.value.ranges.flatMap(({ kvs }) => kvs));
        continue;
      }
      if (answer.fault.isTooLarge !== true) return { ok: false, text: answer.fault.text };
      for (const { range } of ranges) {
        const alone = await readPage(client, range, 1);
        if (!alone.ok) return { ok: false, text: alone.fault.text };
        changed.push(...alone.value.kvs);
      }
    }
    const gone = [...this.known.keys()].filter((key) => !after.has(key));
    const commit = (): void => {
      this.known = after;
    };
    return { ok: true, changed, gone, isChanged: changed.length + gone.length > 0, commit };
  }
}
