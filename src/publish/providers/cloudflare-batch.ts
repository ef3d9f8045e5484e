/** From corrections to Cloudflare's batches of changes. Pure. */

import { AUTOMATIC_TTL } from '../../config/providers/cloudflare.ts';
import { canonicalAddress } from '../../system/address.ts';
import type { AddressType, Correction } from './provider.ts';

/** A record as the API lists it. `ttl`: seconds, 1 is automatic. */
export type CloudflareRecord = {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly content: string;
  readonly ttl: number;
  readonly proxied: boolean;
  /** Kept by another of Cloudflare's products; the API refuses to change it. */
  readonly readOnly: boolean;
};

/** The records of one set. */
export type CloudflareOwn = { readonly records: readonly CloudflareRecord[] };

export type CloudflareCorrection = Correction<CloudflareOwn>;

type Content = {
  readonly type: AddressType;
  readonly name: string;
  readonly content: string;
  readonly ttl: number;
  readonly proxied: boolean;
};

/** The body of one `dns_records/batch` call: one transaction, carried out in the order of its keys. */
export type Batch = {
  readonly deletes: readonly { readonly id: string }[];
  /** What is not named here (comment, tags, settings) stays as it is. */
  readonly patches: readonly ({ readonly id: string } & Content)[];
  readonly posts: readonly Content[];
};

/** What one call may hold on Cloudflare's free plan; others allow 3500. */
export const BATCH_MAX = 200;

/** What proxying a name's records have; null: as found. */
export type Proxying = { readonly wanted: boolean | null; readonly namesProxied: ReadonlySet<string> };

/**
 * The changes for one set. Records of addresses that go are turned into those that come, so that identifiers, comments and
 * tags live on and nothing is missing meanwhile; only what is left over is created or deleted.
 */
export function changesOf({ name, type, was, to }: CloudflareCorrection, { wanted, namesProxied }: Proxying): Batch {
  const held = was?.own.records ?? [];
  if (to === null) return { deletes: held.map(({ id }) => ({ id })), patches: [], posts: [] };
  const missing = new Set(to.addresses);
  const kept: CloudflareRecord[] = [];
  const spare: CloudflareRecord[] = [];
  for (const record of held) {
    const address = canonicalAddress(record.content) ?? record.content;
    (missing.delete(address) ? kept : spare).push(record);
  }
  const content = (address: string, record: CloudflareRecord | null): Content => {
    // Cloudflare proxies all addresses of a name once it proxies one of them.
    const proxied = wanted ?? record?.proxied ?? (held.some((one) => one.proxied) || namesProxied.has(name));
    return { type, name, content: address, ttl: proxied ? AUTOMATIC_TTL : to.ttl, proxied };
  };
  const patches: ({ readonly id: string } & Content)[] = [];
  for (const record of kept) {
    const next = content(canonicalAddress(record.content) ?? record.content, record);
    if (next.ttl !== record.ttl || next.proxied !== record.proxied) patches.push({ id: record.id, ...next });
  }
  const coming = [...missing];
  for (const record of spare.slice(0, coming.length)) {
    patches.push({ id: record.id, ...content(coming.shift() ?? '', record) });
  }
  return {
    deletes: spare.slice(missing.size).map(({ id }) => ({ id })),
    patches,
    posts: coming.map((address) => content(address, null)),
  };
}

/**
 * Changes of several sets as calls of at most `max` operations: one transaction where they fit. Otherwise, and where a
 * whole set goes because the name's other family answers, what goes is called for last: changes of one call reach
 * Cloudflare's name servers one by one.
 */
export function batches(
  corrections: readonly CloudflareCorrection[],
  proxying: Proxying,
  max: number,
): readonly Batch[] {
  const changes = corrections.map((correction) => changesOf(correction, proxying));
  const deletes = changes.flatMap((change) => change.deletes);
  const patches = changes.flatMap((change) => change.patches);
  const posts = changes.flatMap((change) => change.posts);
  const coming = patches.length + posts.length;
  if (deletes.length + coming === 0) return [];
  const losesSet = coming > 0 && corrections.some(({ to }) => to === null);
  if (deletes.length + coming <= max && !losesSet) return [{ deletes, patches, posts }];
  return [
    ...chunks(patches, max).map((chunk) => ({ deletes: [], patches: chunk, posts: [] })),
    ...chunks(posts, max).map((chunk) => ({ deletes: [], patches: [], posts: chunk })),
    ...chunks(deletes, max).map((chunk) => ({ deletes: chunk, patches: [], posts: [] })),
  ];
}

function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
