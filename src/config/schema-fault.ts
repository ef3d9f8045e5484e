/** What the schema found wrong, as faults at the place in the file where it stands. */
import type { z } from 'zod';
import type { ConfigCode, ConfigFault } from './fault.ts';
import type { Path, YamlSource } from './yaml-source.ts';

/** A text as read, with a way back to its places: YAML or TOML. */
export type Source = Pick<YamlSource, 'file' | 'value' | 'spanOf'>;

export function schemaFaults(source: Source, issues: readonly z.core.$ZodIssue[]): ConfigFault[] {
  return issues.flatMap((issue) => faultsOf(source, issue));
}

/** A wrong value that no schema saw: `path` leads to it. */
export function faultAt(
  source: Source,
  path: Path,
  fault: Pick<ConfigFault, 'severity' | 'code' | 'message'>,
  what: 'key' | 'value' = 'value',
): ConfigFault {
  return { ...fault, at: source.spanOf(path, what) };
}

function faultsOf(source: Source, issue: z.core.$ZodIssue): ConfigFault[] {
  const given = issue.path.filter((segment): segment is string | number => typeof segment !== 'symbol');
  const path = writtenPath(source.value, given);
  if (issue.code === 'unrecognized_keys') {
    // `section` writes one line a key.
    const messages = issue.message.split('\n');
    return issue.keys.map((key, i) =>
      faultAt(source, [...path, key], { severity: 'error', code: 'unknown-key', message: messages[i] }, 'key'),
    );
  }
  const value = valueAt(source.value, path);
  const name = pathText(path);
  const head = name === '' ? '' : `${name}: `;
  if (value === undefined) {
    const message = `${head}missing; ${issue.message}`;
    return [faultAt(source, path, { severity: 'error', code: 'missing-key', message }, 'key')];
  }
  const secret = path.some(
    (segment) => typeof segment === 'string' && /secret|crypto_key|slack_addr|^url$/.test(segment),
  );
  const message = `${head}${issue.message}${secret ? '' : `, got ${shown(value)}`}`;
  const fault = faultAt(source, path, { severity: 'error', code: codeOf(issue), message });
  return [secret && fault.at !== null ? { ...fault, at: { ...fault.at, text: '' } } : fault];
}

function codeOf(issue: z.core.$ZodIssue): ConfigCode {
  if (issue.code === 'invalid_type') return 'wrong-type';
  const { code } = (issue.code === 'custom' && issue.params) || {};
  return code === 'out-of-range' ? code : 'bad-value';
}

/** Below a syntax error nothing is certain: what looks missing or wrong there may be the error's own doing. */
export function soundFaults(source: YamlSource, faults: readonly ConfigFault[]): readonly ConfigFault[] {
  if (source.soundBefore === Number.POSITIVE_INFINITY) return faults;
  return faults.filter(
    ({ code, at }) => at?.file !== source.file || (code !== 'missing-key' && at.line < source.soundBefore),
  );
}

/** Undefined where the path leads nowhere. */
export function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const segment of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, segment)) return undefined;
    at = (at as { readonly [key: string | number]: unknown })[segment];
  }
  return at;
}

/**
 * Some keys take a single value for a list or a section: the schema's path then goes on below what was written. Others
 * take a list for a section that holds it (`checks`): the path then has a key that was not written.
 */
function writtenPath(value: unknown, path: Path): Path {
  for (let length = 0; length < path.length; length++) {
    const at = valueAt(value, path.slice(0, length));
    if (typeof at !== 'object' || at === null) return at === undefined || at === null ? path : path.slice(0, length);
    if (Array.isArray(at)) {
      if (typeof path[length] !== 'string') continue;
      return writtenPath(value, [...path.slice(0, length), ...path.slice(length + 1)]);
    }
    if (path[length] === 0) return path.slice(0, length);
  }
  return path;
}

/** `transfer.allow[2].from` */
export function pathText(path: Path): string {
  return path
    .map((segment, i) => (typeof segment === 'number' ? `[${segment}]` : i === 0 ? segment : `.${segment}`))
    .join('');
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return value instanceof Date ? 'a date' : 'a section';
  if (value === null) return 'nothing';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
