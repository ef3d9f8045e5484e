/** `edgewise check --effective`: every key with the value that counts, and the line that it is from. */
import { resolve } from 'node:path';
import { hasErrors } from '../system/fault.ts';
import { type Below, flowYaml, type ReferenceKey, referenceKeys } from './key-reference.ts';
import { configSchema } from './load.ts';
import { readTextFile } from './read-text.ts';
import { valueAt } from './schema-fault.ts';
import { type Path, readYaml, type YamlSource } from './yaml-source.ts';

const SECRET = '"(secret)"';
const UNSHOWN = '"(not shown)"';

/**
 * YAML with the values of `file` as they are written there, defaults where it has none, and where each comes from in a
 * comment; what holds without a plain default is a comment of its own. Secrets are not shown. Null: the file cannot be
 * read as YAML.
 */
export function effectiveText(file: string): string | null {
  const read = readTextFile(resolve(file));
  if (!read.ok) return null;
  const source = readYaml(file, read.text);
  if (hasErrors(source.faults)) return null;
  const lines = sectionLines(source, referenceKeys(configSchema), [], '');
  return `${lines.map(aligned).join('\n')}\n`;
}

/** Its value, and where that comes from. */
type Line = { readonly text: string; readonly from: string };

/** The column at which a short line's comment begins. */
const COMMENT_COLUMN = 48;

function aligned({ text, from }: Line): string {
  return from === '' ? text : `${text.padEnd(COMMENT_COLUMN - 1)} # ${from}`;
}

function sectionLines(source: YamlSource, keys: readonly ReferenceKey[], at: Path, indent: string): readonly Line[] {
  return keys.flatMap((key) => keyLines(source, key, [...at, key.name], indent));
}

function keyLines(source: YamlSource, key: ReferenceKey, at: Path, indent: string): readonly Line[] {
  const head = `${indent}${key.name}:`;
  const value = valueAt(source.value, at) ?? null;
  if (value === null) {
    if (key.below.keys.length > 0 && key.below.step === '' && key.doc.otherwise === DEFAULTS_OF_ITS_KEYS) {
      return [{ text: head, from: 'default' }, ...sectionLines(source, key.below.keys, at, `${indent}  `)];
    }
    if (key.default !== null) return [{ text: `${head} ${key.default}`, from: 'default' }];
    // What has no effect, or is missing, is no setting.
    if (key.isRequired || key.doc.otherwise === 'nothing') return [];
    return [{ text: `${indent}# ${key.name}: ${plain(key.doc.otherwise ?? '')}`, from: '' }];
  }
  const from = `${source.file}:${source.spanOf(at, 'key').line}`;
  if (key.doc.isSecret === true && typeof value !== 'boolean') return [{ text: `${head} ${SECRET}`, from }];
  const below = belowLines(source, key.below, key.below.step, at, `${indent}  `);
  if (below !== null) return [{ text: head, from }, ...below];
  // Something else is there than what is expected, and it may be the secret.
  return [{ text: `${head} ${hasSecret(key.below) ? UNSHOWN : flowYaml(value)}`, from }];
}

function hasSecret(below: Below): boolean {
  return [below.keys, ...below.kinds.map(({ keys }) => keys)]
    .flat()
    .some((key) => key.doc.isSecret === true || hasSecret(key.below));
}

/** Said of sections whose keys have defaults of their own. */
const DEFAULTS_OF_ITS_KEYS = 'the defaults of its keys';

/** What is below a value, a line a key. `step`: what leads there. Null: the value has no keys, and is one line. */
function belowLines(source: YamlSource, below: Below, step: string, at: Path, indent: string): readonly Line[] | null {
  const value = valueAt(source.value, at);
  if (typeof value !== 'object' || value === null) return null;
  if (Object.keys(value).length === 0) return null;
  if (Array.isArray(value)) {
    // A list may stand for the section that holds it, as under `checks`.
    const inner = step.startsWith('[]') ? { below, step: step.slice(2) } : listed(below);
    if (inner === null) return null;
    const items = value.map((_, i) => belowLines(source, inner.below, inner.step, [...at, i], `${indent}  `));
    if (items.some((lines) => lines === null)) return null;
    return items.flatMap((lines) => asItem(lines ?? [], indent));
  }
  if (step.startsWith('.NETWORK')) {
    return Object.keys(value).flatMap((name): readonly Line[] => {
      const path = [...at, name];
      const from = `${source.file}:${source.spanOf(path, 'key').line}`;
      const lines = belowLines(source, below, step.slice('.NETWORK'.length), path, `${indent}  `);
      const head = `${indent}${flowYaml(name)}:`;
      if (lines !== null) return [{ text: head, from }, ...lines];
      return [{ text: `${head} ${hasSecret(below) ? UNSHOWN : flowYaml(valueAt(source.value, path))}`, from }];
    });
  }
  if (below.keys.length > 0) return sectionLines(source, below.keys, at, indent);
  const kind = below.kinds.find(({ by, is }) => valueAt(source.value, [...at, by]) === is);
  return kind === undefined ? null : sectionLines(source, kind.keys, at, indent);
}

/** Of a section, what its only list holds. */
function listed(below: Below): { readonly below: Below; readonly step: string } | null {
  const inner = below.keys.find((key) => key.below.step.startsWith('[]'));
  return inner === undefined ? null : { below: inner.below, step: inner.below.step.slice(2) };
}

/** The lines of a section as an entry of a list: `- ` before the first. */
function asItem(lines: readonly Line[], indent: string): readonly Line[] {
  const first = lines.findIndex(({ text }) => !text.trimStart().startsWith('#'));
  if (first < 0) return lines;
  const { text, from } = lines[first];
  return [{ text: `${indent}- ${text.trimStart()}`, from }, ...lines.filter((_, i) => i !== first)];
}

function plain(text: string): string {
  return text.replaceAll('`', '');
}
