/** What Edgewise keeps in etcd, as entries of the log. */
import { gunzipSync } from 'node:zlib';
import { decodeDecidedSet, decodeView } from '../../src/health/state/vantage-view.ts';
import type { Entry } from './log.ts';
import type { Change } from './watch-etcd.ts';

type Timeless = Entry extends infer E ? (E extends Entry ? Omit<E, 'at'> : never) : never;

type ContentJson = { readonly hash: string; readonly serial: number };

/** Null: nothing that the checker judges, or garbage. */
export function decoded(change: Change, prefix: string): Timeless | null {
  try {
    return entryOf(change, prefix);
  } catch {
    return null;
  }
}

function entryOf({ cluster, revision, key, value, created }: Change, prefix: string): Timeless | null {
  const [kind, ...names] = key
    .slice(prefix.length + 1)
    .split('/')
    .map(decodeURIComponent);
  const at = { cluster, revision };
  switch (kind) {
    case 'leader':
      return { kind, ...at, holder: value === null ? null : { name: String(value), token: String(created) } };
    case 'sets': {
      const set = decodeDecidedSet(plain(value));
      if (set.problem !== null) return null;
      const { serial, by, token, basis, says, live, memory, canarySerials } = set.value;
      const addresses = live.flatMap(({ v4, v6 }) => [v4, v6]).filter((address) => address !== null);
      return {
        ...{ kind: 'set', ...at, network: names[0], serial, by, token },
        edges: live.map(({ edge }) => edge).sort(),
        addresses: addresses.sort(),
        basis: Object.fromEntries(basis),
        says: Object.fromEntries(says),
        canaries: memory.activeCanaries,
        canarySerials: Object.fromEntries(canarySerials),
      };
    }
    case 'views': {
      const view = decodeView(plain(value));
      if (view.problem !== null) return null;
      const { boot, turn, edges } = view.value;
      const up = Object.fromEntries(edges.map((edge) => [edge.name, edge.up]));
      return { kind: 'view', ...at, vantage: names[0], network: names[1], boot, turn, up };
    }
    case 'zones': {
      const content = json<ContentJson>(value);
      return content === null
        ? null
        : { kind: 'content', ...at, zone: names[0].replace(/\.$/, ''), serial: content.serial, hash: content.hash };
    }
    default:
      return null;
  }
}

/** Large values are compressed. Nothing: deleted, or no text. */
function plain(value: Buffer | null): string {
  const stored = String(value ?? '');
  const { gzip } = (json<{ readonly gzip?: string }>(value) ?? {}) as { readonly gzip?: string };
  return gzip === undefined ? stored : String(gunzipSync(Buffer.from(gzip, 'base64')));
}

/** Null: deleted, or no JSON. */
function json<T>(value: Buffer | null): T | null {
  try {
    return JSON.parse(String(value)) as T;
  } catch {
    return null;
  }
}
