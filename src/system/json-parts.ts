/**
 * State on disk, read by a schema part by part: what does not fit is left out, and the rest is kept. Nobody writes these files by hand, but disks fail, versions change, and operators' scripts edit them.
 */
import { z } from 'zod';
import { isObject, numberFrom } from './json-object.ts';

/** `dropped`: what was left out, each with its key and what would have been right; empty: all of the value was read. */
export type Parts<T> = { readonly value: T; readonly dropped: readonly string[] };

type Path = readonly PropertyKey[];
/** What to leave out of an object or a list: a whole entry, or something within it. */
type Cuts = Map<PropertyKey, Cuts | 'whole'>;

/** A schema asks for what it finds missing at most as deep as state is nested. */
const PASSES_MAX = 12;

/**
 * Reads `value`. Of what does not fit the smallest part is left out: an entry, or the object that lacks it where it
 * cannot do without. An entry that is null where a value is expected is one that is missing, and is not mentioned.
 * Null: nothing of the value is left.
 */
export function readParts<T>(schema: z.ZodType<T>, value: unknown): Parts<T> | null {
  const dropped: string[] = [];
  let left = value;
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    const result = schema.safeParse(left);
    if (result.success) return { value: result.data, dropped };
    const cuts: Cuts = new Map();
    for (const { path, message } of result.error.issues) {
      const found = valueAt(left, path);
      const cut = found === undefined ? path.slice(0, -1) : path;
      if (path.length === 0 || cut.length === 0) return null;
      if (!addCut(cuts, cut) || found === null) continue;
      dropped.push(`${keyText(path)}: ${message}`);
    }
    left = without(left, cuts);
  }
  return null;
}

/** What was left out, for a sentence; null: nothing was. */
export function droppedText(dropped: readonly string[]): string | null {
  if (dropped.length === 0) return null;
  const more = dropped.length - SHOWN;
  return `${dropped.slice(0, SHOWN).join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

const SHOWN = 5;

/** False: it, or something around it, is left out already. */
function addCut(cuts: Cuts, path: Path): boolean {
  let level = cuts;
  for (const key of path.slice(0, -1)) {
    const next = level.get(key) ?? new Map();
    if (next === 'whole') return false;
    level.set(key, next);
    level = next;
  }
  const last = path[path.length - 1];
  const isNew = level.get(last) !== 'whole';
  level.set(last, 'whole');
  return isNew;
}

function without(value: unknown, cuts: Cuts): unknown {
  const kept = (entries: [PropertyKey, unknown][]): [PropertyKey, unknown][] =>
    entries.flatMap(([key, of]) => {
      const cut = cuts.get(key);
      if (cut === 'whole') return [];
      return [[key, cut === undefined ? of : without(of, cut)]];
    });
  if (Array.isArray(value)) return kept(value.map((of, i) => [i, of])).map(([, of]) => of);
  return typeof value === 'object' && value !== null ? Object.fromEntries(kept(Object.entries(value))) : value;
}

function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = Object.getOwnPropertyDescriptor(at, key)?.value;
  }
  return at;
}

/** `edgewise.live[3].v4`, with quotes where a key is no word. */
function keyText(path: Path): string {
  return path
    .map((key) => {
      if (typeof key === 'number') return `[${key}]`;
      const text = String(key);
      return /^\w+$/.test(text) ? `.${text}` : `[${JSON.stringify(text.slice(0, 100))}]`;
    })
    .join('')
    .replace(/^\./, '');
}

/** A finite number, also one that is written as text, as in files made by hand. */
export const NUMBER = z.unknown().transform((value, context) => {
  const number = numberFrom(value);
  if (number !== null) return number;
  context.addIssue(NO_NUMBER);
  return z.NEVER;
});
export const NO_NUMBER = 'expected a number';

export const TEXT = z.string({ error: 'expected text' });
export const FLAG = z.boolean({ error: 'expected true or false' });

/** A list. */
export function listOf<T>(item: z.ZodType<T>): z.ZodType<readonly T[]> {
  return z.array(item, { error: 'expected a list' });
}

/** An object with any keys, `__proto__` included, which a record of zod's leaves out. */
export function mapOf<T>(entry: z.ZodType<T>): z.ZodType<ReadonlyMap<string, T>> {
  return z.unknown().transform((value, context) => {
    if (!isObject(value)) {
      context.addIssue(NO_OBJECT);
      return z.NEVER;
    }
    const entries = new Map<string, T>();
    for (const [key, of] of Object.entries(value)) {
      const result = entry.safeParse(of);
      if (result.success) entries.set(key, result.data);
      else for (const issue of result.error.issues) context.addIssue(issueAt([key, ...issue.path], issue.message));
    }
    return entries;
  });
}

/** For schemas that read by hand. */
export function issueAt(path: PropertyKey[], message: string) {
  return { code: 'custom', path, message } as const;
}

export const NO_OBJECT = 'expected an object';

/** An object with these keys; others are left alone. */
export function objectOf<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.object(shape, { error: NO_OBJECT });
}

/** One of these texts. */
export function oneOf<const T extends string>(choices: readonly T[]) {
  return z.enum(choices, { error: `expected ${choices.join(', ')}` });
}
