/** Reads what Edgewise keeps in etcd, with no line of its own code: what it writes must be what the documentation says. */
import { gunzipSync } from 'node:zlib';
import type { Say } from '../../src/health/judge/quorum.ts';
import type { Entry } from './log.ts';
import type { Change } from './watch-etcd.ts';

type Timeless = Entry extends infer E ? (E extends Entry ? Omit<E, 'at'> : never) : never;

type SetJson = {
  readonly serial: number;
  readonly live: readonly { readonly edge: string; readonly v4: string | null; readonly v6: string | null }[];
  readonly by: string;
  readonly token: string;
  readonly basis: Readonly<Record<string, number>>;
  readonly says: Readonly<Record<string, readonly Say[]>>;
};

type ViewJson = {
  readonly boot: string;
  readonly turn: number;
  readonly edges: readonly { readonly name: string; readonly up: boolean | null }[];
};

type ContentJson = { readonly hash: string; readonly serial: number };

/** Null: nothing that the checker judges. */
export function decoded({ cluster, revision, key, value, created }: Change, prefix: string): Timeless | null {
  const [kind, ...names] = key
    .slice(prefix.length + 1)
    .split('/')
    .map(decodeURIComponent);
  const at = { cluster, revision };
  switch (kind) {
    case 'leader':
      return { kind, ...at, holder: value === null ? null : { name: text(value), token: String(created) } };
    case 'sets': {
      const set = json<SetJson>(value);
      if (set === null) return null;
      const { serial, by, token, basis, says } = set;
      const addresses = set.live.flatMap(({ v4, v6 }) => [v4, v6]).filter((address) => address !== null);
      const edges = set.live.map(({ edge }) => edge).sort();
      return {
        kind: 'set',
        ...at,
        network: names[0],
        serial,
        edges,
        addresses: addresses.sort(),
        by,
        token,
        basis,
        says,
      };
    }
    case 'views': {
      const view = json<ViewJson>(value);
      if (view === null) return null;
      const up = Object.fromEntries(view.edges.map((edge) => [edge.name, edge.up]));
      return { kind: 'view', ...at, vantage: names[0], network: names[1], boot: view.boot, turn: view.turn, up };
    }
    case 'zones': {
      const content = json<ContentJson>(value);
      return content === null
        ? null
        : { kind: 'content', ...at, zone: names[0], serial: content.serial, hash: content.hash };
    }
    default:
      return null;
  }
}

function text(value: Buffer): string {
  const whole = String(value);
  return whole.startsWith('"') || whole.startsWith('{') ? String((JSON.parse(whole) as { name?: string }).name) : whole;
}

/** Large values are compressed. Null: deleted, or not what Edgewise writes. */
function json<T>(value: Buffer | null): T | null {
  try {
    const plain = JSON.parse(String(value)) as { readonly gzip?: string };
    return (plain.gzip === undefined ? plain : JSON.parse(String(gunzipSync(Buffer.from(plain.gzip, 'base64'))))) as T;
  } catch {
    return null;
  }
}
