/** Secrets of a target: `KEY_file` names a file, `KEY_env` a variable of the environment. */
import { Secret } from '../../system/secret.ts';
import { type Found, fault, type Get } from '../checks/keys.ts';
import { optional, parsed, path } from '../fields.ts';
import { readSecretFile } from '../secret-file.ts';
import type { Path } from '../yaml-source.ts';

export function secretFile(what: string) {
  return optional(path(`the file that holds ${what}`), null);
}

export function secretVariable(what: string) {
  const expected = `the name of the environment variable that holds ${what}`;
  return optional(
    parsed<string>(expected, (value) => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(value) ? value : null)),
    null,
  );
}

/** A file or a variable; at most one of them is given. */
export type SecretSource = { readonly file: string | null; readonly variable: string | null };

export type SecretSettled = { readonly secret: Secret | null; readonly faults: readonly Found[] };

/** Reads the secret; null where none is named, or with a fault at its key. `name`: `url` of `url_file`. */
export function settleSecret(name: string, source: SecretSource, at: Path, head: string): SecretSettled {
  if (source.file !== null) {
    const read = readSecretFile(source.file);
    const place: Path = [...at, `${name}_file`];
    if (!read.ok) return { secret: null, faults: [fault(place, 'unreadable-file', read.fault.message)] };
    const { warning } = read;
    const faults: Found[] =
      warning === null ? [] : [{ severity: 'warning', code: 'open-secret', path: place, message: warning.message }];
    return { secret: read.secret, faults };
  }
  if (source.variable === null) return { secret: null, faults: [] };
  const text = (process.env[source.variable] ?? '').trim();
  if (text !== '') return { secret: new Secret(text), faults: [] };
  const message = `${head}.${name}_env: the environment variable ${source.variable} is not set`;
  return { secret: null, faults: [fault([...at, `${name}_env`], 'bad-value', message)] };
}

/** Of `keys`, which exclude each other, more than one is given, or none though one is `needed`. */
export function oneOf(get: Get, at: Path, head: string, keys: readonly string[], needed: boolean): readonly Found[] {
  const given = keys.filter((key) => (get(...at, key) ?? null) !== null);
  if (given.length > 1) {
    const message = `${head}.${given[1]}: ${given[0]} is given, too; expected one of them`;
    return [fault([...at, given[1]], 'bad-value', message)];
  }
  if (given.length === 1 || !needed) return [];
  return [{ ...fault(at, 'missing-key', `${head}: missing; expected one of ${keys.join(', ')}`) }];
}
