/** What readers of state on disk share: JSON objects whose keys others may have written. */

export type JsonObject = Readonly<Record<string, unknown>>;

export type ParsedObject =
  | { readonly ok: true; readonly value: JsonObject }
  | { readonly ok: false; readonly problem: string };

/** Reads a file's text. An empty file (the original made one before it wrote) is an object without keys. */
export function parseObject(text: string): ParsedObject {
  if (text.trim() === '') return { ok: true, value: {} };
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? { ok: true, value } : { ok: false, problem: 'not a JSON object' };
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : 'not JSON' };
  }
}

/** Keys that we do not know: they are kept for whoever does. */
export function otherKeys(value: JsonObject, known: readonly string[]): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(value).filter(([key]) => !known.includes(key)));
}

export function unknownForm(key: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem: `"${key}" has an unknown form` };
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object without keys that have no value: they say as much as keys that are missing. */
export function withoutNulls(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([, of]) => of !== null));
}

/** A number, also one that stands there as text, as hand-made files have it; null: neither. */
export function numberFrom(value: unknown): number | null {
  const number = typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : value;
  return isFiniteNumber(number) ? number : null;
}

/** The numbers of a list; what is none is left out. */
export function numbersFrom(values: readonly unknown[]): readonly number[] {
  return values.map(numberFrom).filter((number) => number !== null);
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

export function isOneOf<T extends string>(choices: readonly T[], value: unknown): value is T {
  return choices.some((choice) => choice === value);
}

/** The entries whose values are texts; none where `value` is no object. */
export function textMap(value: unknown): ReadonlyMap<string, string> {
  if (!isObject(value)) return new Map();
  return new Map(Object.entries(value).flatMap(([key, text]) => (typeof text === 'string' ? [[key, text]] : [])));
}

/** The entries whose values are numbers (`numberFrom`); none where `value` is no object. */
export function numberMap(value: unknown): ReadonlyMap<string, number> {
  if (!isObject(value)) return new Map();
  return new Map(
    Object.entries(value).flatMap(([key, text]) => {
      const number = numberFrom(text);
      return number === null ? [] : [[key, number] as const];
    }),
  );
}

export function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
