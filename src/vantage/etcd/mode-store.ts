/** Modes in etcd: `PREFIX/modes/EDGE`, JSON; the edge's name is percent-encoded. */
import { z } from 'zod';
import { oneLine } from '../../system/printable.ts';
import type { EtcdClient } from './client/client.ts';
import { prefixEnd } from './client/wire.ts';
import type { StoredMode } from './mode-merge.ts';
import { readPage } from './page.ts';

/** Octets of a value: a comment of the greatest length, each character of four octets and escaped, and room. */
export const MODE_MAX_OCTETS = 16_384;

/** Characters. */
export const AUTHOR_MAX = 255;

const MOMENT = z.number().min(0).max(1e12);
const VALUE = z.object({
  v: z.literal(1),
  mode: z.enum(['available', 'unavailable', 'force', 'blindforce']),
  until: MOMENT.nullable(),
  comment: z.string().max(1000),
  by: z.string().max(64),
  at: MOMENT,
  // Missing where a version of before 2026-11-29 stored it; those ignore it.
  author: z.string().max(AUTHOR_MAX).optional(),
});

export type ModeEntry = { readonly key: string; readonly value: Buffer; readonly revision: bigint };

/** Modes as the store has them. `clusterId`: revisions order only within one. */
export type ModesRead =
  | { readonly ok: true; readonly clusterId: string; readonly entries: readonly ModeEntry[] }
  | { readonly ok: false; readonly why: string };

/** `refused`: another was stored meanwhile. */
export type ModePut =
  | { readonly kind: 'stored'; readonly revision: bigint }
  | { readonly kind: 'refused' }
  | { readonly kind: 'failed'; readonly why: string };

/** What `SharedModes` needs of etcd. Nothing rejects. */
export type ModeStore = {
  /** All that begins with the prefix, as new as anything that was stored before. */
  readonly read: (prefix: string) => Promise<ModesRead>;
  /** If the key still has this revision (0: there is none). */
  readonly put: (key: string, value: string, expected: bigint) => Promise<ModePut>;
};

export function modesPrefix(prefix: string): string {
  return `${prefix}/modes/`;
}

export function modeKey(prefix: string, edge: string): string {
  return modesPrefix(prefix) + encodeURIComponent(edge);
}

export function printMode({ mode, until, comment, by, at, author }: Omit<StoredMode, 'revision'>): string {
  return JSON.stringify({ v: 1, mode, until, comment, by, at, author });
}

/** Null: it is none that this version understands. */
export function parseMode({ value, revision }: ModeEntry): StoredMode | null {
  if (value.length > MODE_MAX_OCTETS) return null;
  try {
    const { mode, until, comment, by, at, author } = VALUE.parse(JSON.parse(value.toString('utf8')));
    const stored = { mode, until, comment: oneLine(comment), by: oneLine(by), at, revision };
    return author === undefined ? stored : { ...stored, author: oneLine(author) };
  } catch {
    return null;
  }
}

/** Keys in one answer: of values of the greatest length a part of what the client takes. */
const PAGE = 250;
/** Of somebody else's making: there is one for each edge. It also ends a walk that a key without meaning leads astray. */
const ENTRIES_MAX = 100_000;

export function etcdModeStore(client: Pick<EtcdClient, 'range' | 'txn'>): ModeStore {
  return {
    async read(prefix) {
      const entries: ModeEntry[] = [];
      for (let from = prefix; ; ) {
        const answer = await readPage(client, { key: from, end: prefixEnd(prefix) }, PAGE);
        if (!answer.ok) return { ok: false, why: answer.fault.text };
        const { kvs, more } = answer.value;
        entries.push(...kvs.map(({ key, value, modRevision }) => ({ key, value, revision: modRevision })));
        if (entries.length > ENTRIES_MAX)
          return { ok: false, why: `there are over ${ENTRIES_MAX} keys below ${prefix}` };
        const last = kvs.at(-1);
        if (!more || last === undefined) return { ok: true, clusterId: answer.header.clusterId, entries };
        from = `${last.key}\0`;
      }
    },
    async put(key, value, expected) {
      const answer = await client.txn({
        compare: [{ key, target: 'mod', revision: expected }],
        success: [{ kind: 'put', key, value }],
        failure: [],
      });
      if (!answer.ok) return { kind: 'failed', why: answer.fault.text };
      return answer.value.succeeded ? { kind: 'stored', revision: answer.header.revision } : { kind: 'refused' };
    },
  };
}
