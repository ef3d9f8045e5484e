/** JSON that others may have written: on disk, or as an answer. */

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

/** The value of a text; null: it is no JSON, or the JSON null. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Keys that we do not know: they are kept for whoever does. */
export function otherKeys(value: JsonObject, known: readonly string[]): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(value).filter(([key]) => !known.includes(key)));
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A number, also one that is written as text, as in files made by hand; null: neither. */
export function numberFrom(value: unknown): number | null {
  const number = typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : value;
  return isFiniteNumber(number) ? number : null;
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
