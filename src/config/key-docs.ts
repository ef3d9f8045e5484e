/**
 * What the reference says of each key. A section takes only keys that are described, and docs/configuration.md,
 * edgemanage.yaml(5) and `edgewise check --effective` are made from the descriptions (`key-reference.ts`).
 */
import { z } from 'zod';

type Details = {
  /** As it is written in the file, where the schema's own value has another form. */
  readonly default?: string;
  /** In words: what holds where the key is left out and there is no plain default. */
  readonly otherwise?: string;
  /** As it is written in the file. */
  readonly example?: string;
  /** In words: what may stand there, where the kind of the value does not say it. */
  readonly value?: string;
  /** The value is never shown. */
  readonly isSecret?: true;
  /** A path of the reference under which the keys of this value are described: `checks.NETWORK[]`. */
  readonly like?: string;
};

export type KeyDoc = Details & {
  /** One to three sentences; `…` marks keys, values and commands. */
  readonly description: string;
  /** `edgemanage`: its own key, of the same meaning. */
  readonly origin: 'edgemanage' | 'edgewise';
};

/** What the wrappers of `fields.ts` know of a schema. */
export type SchemaFacts = {
  /** In words, such as "seconds, 0 to 60". */
  readonly expected?: string;
  /** What an absent key gives, in the form that the program uses. */
  readonly fallback?: { readonly value: unknown };
};

export const KEY_DOCS = z.registry<KeyDoc>();
export const SCHEMA_FACTS = z.registry<SchemaFacts>();

declare const DOCUMENTED: unique symbol;
/** The schema of a key that has a description. */
export type Documented<Schema extends z.ZodType = z.ZodType> = Schema & { readonly [DOCUMENTED]: true };

/** A key of ours, with its description. */
export function key<Schema extends z.ZodType>(
  schema: Schema,
  description: string,
  details: Details = {},
): Documented<Schema> {
  return described(schema, { ...details, description, origin: 'edgewise' });
}

/** A key that edgemanage has as well. */
export function edgemanageKey<Schema extends z.ZodType>(
  schema: Schema,
  description: string,
  details: Details = {},
): Documented<Schema> {
  return described(schema, { ...details, description, origin: 'edgemanage' });
}

/** A copy, since several keys may be of one schema. */
function described<Schema extends z.ZodType>(schema: Schema, doc: KeyDoc): Documented<Schema> {
  const copy = schema.clone();
  KEY_DOCS.add(copy, doc);
  return copy as unknown as Documented<Schema>;
}

/** The schema itself, of which the reference can say what is expected. */
export function withFacts<Schema extends z.ZodType>(schema: Schema, facts: SchemaFacts): Schema {
  SCHEMA_FACTS.add(schema, facts);
  return schema;
}

/** By a schema that only hands its value over: the schema by which that is read. */
const READ_BY = new WeakMap<z.core.$ZodType, z.ZodType>();

/** `schema`, of which the reference shows the keys of `by`. */
export function readBy<Schema extends z.ZodType>(schema: Schema, by: z.ZodType): Schema {
  READ_BY.set(schema, by);
  return schema;
}

/** The schema that `readBy` named for this one, or for the one that it is a copy of. */
export function readerOf(schema: z.ZodType): z.ZodType | null {
  const { parent } = schema._zod;
  return READ_BY.get(schema) ?? (parent === undefined ? null : (READ_BY.get(parent) ?? null));
}
