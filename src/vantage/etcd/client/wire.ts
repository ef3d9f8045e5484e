/** What etcd's JSON gateway says: octets in base64, 64-bit integers as text, and what is 0, false or empty left out. */
import { z } from 'zod';

/** `refused`: etcd answered, and another member would say the same. `unreachable`: a change may have been made even so. */
export type EtcdFault = {
  readonly kind: 'refused' | 'unreachable';
  /** The gRPC status code; null: there was no answer that had one. */
  readonly code: number | null;
  /** A sentence that names the endpoint. */
  readonly text: string;
  /** The answer is longer than what is read: less must be asked for. */
  readonly isTooLarge?: boolean;
};

/** `clusterId`: revisions order only within one. */
export type Header = { readonly clusterId: string; readonly revision: bigint };

export type Answer<T> =
  | { readonly ok: true; readonly header: Header; readonly value: T }
  | { readonly ok: false; readonly fault: EtcdFault };

/** `lease` "0": none. A key that is not UTF-8 is no key of ours, and looks like none. */
export type KeyValue = {
  readonly key: string;
  readonly value: Buffer;
  readonly createRevision: bigint;
  readonly modRevision: bigint;
  readonly lease: string;
};

/**
 * One key, or with `end` all from `key` to before it (`prefixEnd`). `minModRevision`: only what was written since.
 * `revision`: as it was then, if it was not compacted since.
 */
export type Range = {
  readonly key: string;
  readonly end?: string;
  readonly keysOnly?: boolean;
  readonly limit?: number;
  readonly minModRevision?: bigint;
  readonly revision?: bigint;
};

/** In the order of the keys. `more`: there are more than the limit. */
export type RangeResult = { readonly kvs: readonly KeyValue[]; readonly more: boolean };

/** Equality with what the key has; 0: there is no such key. */
export type Compare = {
  readonly key: string;
  readonly target: 'create' | 'mod';
  readonly revision: bigint;
};

export type Operation =
  | { readonly kind: 'put'; readonly key: string; readonly value: string | Buffer; readonly lease?: string }
  | { readonly kind: 'delete'; readonly range: Range }
  | { readonly kind: 'range'; readonly range: Range };

/** At most 128 operations each (etcd's `--max-txn-ops`), and 1.5 MiB (`--max-request-bytes`). */
export type Transaction = {
  readonly compare: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure: readonly Operation[];
};

/** `ranges`: what the ranges among the operations found, in their order. */
export type TransactionResult = { readonly succeeded: boolean; readonly ranges: readonly RangeResult[] };

const int64 = z.string().regex(/^\d{1,20}$/);
const base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/);
const revision = int64.default('0').transform(BigInt);

const keyValue = z
  .object({
    key: base64,
    value: base64.default(''),
    create_revision: revision,
    mod_revision: revision,
    lease: int64.default('0'),
  })
  .transform(
    (kv): KeyValue => ({
      key: Buffer.from(kv.key, 'base64').toString(),
      value: Buffer.from(kv.value, 'base64'),
      createRevision: kv.create_revision,
      modRevision: kv.mod_revision,
      lease: kv.lease,
    }),
  );

const range = z.object({ kvs: z.array(keyValue).default([]), more: z.boolean().default(false) });

/** Every answer begins with it. */
export const headerSchema = z.object({ header: z.object({ cluster_id: int64, revision }) });
export const rangeSchema: z.ZodType<RangeResult> = range;
export const nothingSchema = z.object({}).transform(() => null);
export const tokenSchema = z.object({ token: z.string().min(1).max(8192) });
export const grantSchema = z
  .object({ ID: int64, TTL: int64 })
  .transform(({ ID, TTL }) => ({ id: ID, ttl: Number(TTL) }));
/** A lease that has ended has no time to live. */
export const keepAliveSchema = z.object({ TTL: int64.default('0') }).transform(({ TTL }) => Number(TTL));
export const transactionSchema = z
  .object({
    succeeded: z.boolean().default(false),
    responses: z.array(z.object({ response_range: range.nullish() })).default([]),
  })
  .transform(
    ({ succeeded, responses }): TransactionResult => ({
      succeeded,
      ranges: responses.flatMap(({ response_range: found }) => (found === undefined || found === null ? [] : [found])),
    }),
  );

export function encode(value: string | Buffer): string {
  return (typeof value === 'string' ? Buffer.from(value) : value).toString('base64');
}

/** The first key after all that begin with `prefix`, which is not empty and ends in ASCII. */
export function prefixEnd(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

export function rangeJson({
  key,
  end,
  keysOnly = false,
  limit = 0,
  minModRevision = 0n,
  revision: at = 0n,
}: Range): object {
  return {
    key: encode(key),
    ...(end === undefined ? {} : { range_end: encode(end) }),
    keys_only: keysOnly,
    limit: String(limit),
    min_mod_revision: String(minModRevision),
    revision: String(at),
  };
}

export function putJson(key: string, value: string | Buffer, lease = '0'): object {
  return { key: encode(key), value: encode(value), lease };
}

export function deleteJson({ key, end }: Range): object {
  return { key: encode(key), ...(end === undefined ? {} : { range_end: encode(end) }) };
}

export function transactionJson({ compare, success, failure }: Transaction): object {
  return {
    compare: compare.map(({ key, target, revision }) => ({
      key: encode(key),
      result: 'EQUAL',
      ...(target === 'mod'
        ? { target: 'MOD', mod_revision: String(revision) }
        : { target: 'CREATE', create_revision: String(revision) }),
    })),
    success: success.map(operationJson),
    failure: failure.map(operationJson),
  };
}

function operationJson(operation: Operation): object {
  if (operation.kind === 'put') return { request_put: putJson(operation.key, operation.value, operation.lease) };
  if (operation.kind === 'delete') return { request_delete_range: deleteJson(operation.range) };
  return { request_range: rangeJson(operation.range) };
}
