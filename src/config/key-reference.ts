/** Every key of a schema with what the reference says of it, found by walking the schema itself. */

import { stringify } from 'yaml';
import { z } from 'zod';
import { KEY_DOCS, type KeyDoc, readerOf, SCHEMA_FACTS } from './key-docs.ts';

export type ReferenceKey = {
  readonly name: string;
  /** From the top of the file: `server.listen`, `checks.NETWORK[].port`. */
  readonly path: string;
  readonly doc: KeyDoc;
  /** What may stand there, in words. */
  readonly value: string;
  /** Whether the file, or the section, does not load without it. */
  readonly isRequired: boolean;
  /** As it is written in the file; null: `doc.otherwise` says what holds, or it is required. */
  readonly default: string | null;
  readonly schema: z.ZodType;
  readonly below: Below;
};

/** What is below a value. `list` and `map`: it is one of these values, whose keys they are. */
export type Below = {
  /** `[]` of a list, `.NETWORK` of a map from networks; empty for a section. */
  readonly step: string;
  readonly keys: readonly ReferenceKey[];
  /** By the value of the key `by`, such as `kind`. */
  readonly kinds: readonly { readonly by: string; readonly is: string; readonly keys: readonly ReferenceKey[] }[];
};

const NOTHING: Below = { step: '', keys: [], kinds: [] };

/** The keys of a section, in the order of the schema. Throws where one has no description. */
export function referenceKeys(schema: z.ZodType, path = ''): readonly ReferenceKey[] {
  const last = chain(schema).at(-1);
  if (!(last instanceof z.ZodObject)) return [];
  return Object.entries(last.shape as Readonly<Record<string, z.ZodType>>).map(([name, one]) =>
    referenceKey(name, one, path === '' ? name : `${path}.${name}`),
  );
}

function referenceKey(name: string, schema: z.ZodType, path: string): ReferenceKey {
  const doc = KEY_DOCS.get(schema);
  if (doc === undefined) throw new Error(`${path} has no description`);
  return {
    name,
    path,
    doc,
    value: doc.value ?? valueText(schema),
    isRequired: doc.otherwise === undefined && !schema.safeParse(undefined).success,
    default: doc.default ?? defaultText(schema),
    schema,
    below: below(schema, path),
  };
}

function below(schema: z.ZodType, path: string): Below {
  const core = chain(schema).at(-1);
  if (core instanceof z.ZodObject) return { ...NOTHING, keys: referenceKeys(core, path) };
  if (core instanceof z.ZodArray) return deeper(core.element as z.ZodType, path, '[]');
  if (core instanceof z.ZodRecord) return deeper(core.valueType as z.ZodType, path, '.NETWORK');
  if (core instanceof z.ZodDiscriminatedUnion) {
    const by = core.def.discriminator;
    const kinds = (core.options as readonly z.ZodType[]).map((option) => {
      const keys = referenceKeys(option, path);
      const is = keys.find(({ name }) => name === by)?.value ?? '';
      return { by, is, keys };
    });
    return { ...NOTHING, kinds };
  }
  return NOTHING;
}

/** Of the values in a list or a map. */
function deeper(schema: z.ZodType, path: string, step: string): Below {
  const found = below(schema, `${path}${step}`);
  return { ...found, step: `${step}${found.step}` };
}

/** The schema and what it wraps, from the outside to the core that says what kind of value is read. */
function chain(schema: z.ZodType): readonly z.ZodType[] {
  const inner = unwrapped(schema);
  return inner === null ? [schema] : [schema, ...chain(inner)];
}

function unwrapped(schema: z.ZodType): z.ZodType | null {
  const reader = readerOf(schema);
  if (reader !== null) return reader;
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return schema.unwrap() as z.ZodType;
  if (!(schema instanceof z.ZodPipe)) return null;
  // A preprocessed one reads with what comes after the transformation, a transformed one with what is before it.
  return (schema.in instanceof z.ZodTransform ? schema.out : schema.in) as z.ZodType;
}

function valueText(schema: z.ZodType): string {
  const wrapped = chain(schema);
  const core = wrapped.at(-1);
  if (core instanceof z.ZodEnum) return oneOf(core.options);
  if (core instanceof z.ZodLiteral) return oneOf([...core.values]);
  for (const one of wrapped) {
    const expected = SCHEMA_FACTS.get(one)?.expected;
    if (expected === undefined) continue;
    const item = core instanceof z.ZodArray ? chain(core.element as z.ZodType).at(-1) : undefined;
    return item instanceof z.ZodEnum ? `${expected}: ${item.options.join(', ')}` : expected;
  }
  return '';
}

function oneOf(options: readonly unknown[]): string {
  const texts = options.map(String);
  return texts.length < 2 ? texts.join() : `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)}`;
}

/** The value that an absent key gives, as it is written in the file. Null: it is no plain value, or there is none. */
function defaultText(schema: z.ZodType): string | null {
  for (const one of chain(schema)) {
    const fallback = SCHEMA_FACTS.get(one)?.fallback;
    if (fallback === undefined) continue;
    const { value } = fallback;
    if (Array.isArray(value)) {
      return value.length === 0 || value.some((item) => typeof item === 'object') ? null : flowYaml(value);
    }
    return typeof value === 'object' || value === undefined ? null : flowYaml(value);
  }
  return null;
}

/** A value in one line of YAML. */
export function flowYaml(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 }).trim();
}

/** All keys of a reference, each before those below it. */
export function everyKey(keys: readonly ReferenceKey[]): readonly ReferenceKey[] {
  return keys.flatMap((one) => [
    one,
    ...everyKey(one.below.keys),
    ...one.below.kinds.flatMap((kind) => everyKey(kind.keys)),
  ]);
}
