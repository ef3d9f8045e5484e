/** A YAML text with a way back from every value to the line and column where an operator wrote it. */
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type Node, parseDocument, visit } from 'yaml';
import { errorText } from '../system/error-text.ts';
import { hasErrors, type Span } from '../system/fault.ts';
import type { ConfigFault } from './fault.ts';
import { placesOf } from './text-places.ts';
import { DEPTH_MAX, tooDeep } from './yaml-depth.ts';

export type Path = readonly (string | number)[];

export type YamlSource = {
  readonly file: string;
  readonly doc: Document;
  /** The plain value; null for an empty file and where `faults` forbids one. */
  readonly value: unknown;
  readonly faults: readonly ConfigFault[];
  /** First line with a syntax error; values above it are sound. Infinity: none; 0: there is no value at all. */
  readonly soundBefore: number;
  spanAt(offset: number): Span;
  /**
   * The value at `path`, or the key that leads to it; where the path leads nowhere, the deepest key on the way
   * (a missing key is shown at the section that lacks it).
   */
  spanOf(path: Path, what: 'key' | 'value'): Span;
};

/**
 * Reads as YAML 1.1, as the original's reader did: `yes`, `no`, `on` and `off` are booleans. Repeated keys are warnings
 * and the last one counts, as it did there. Never throws.
 */
export function readYaml(file: string, given: string): YamlSource {
  const text = given.replace(/^\uFEFF/, '');
  const deep = tooDeep(text);
  const doc = parseDocument(deep === null ? text : '', {
    version: '1.1',
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'error', // warnings are faults here, not text on standard error
  });
  plainTexts(doc);
  const spanAt = placesOf(file, text);
  const faults: ConfigFault[] = distinct(
    doc.errors.map(({ code, pos, message }) => ({
      severity: 'error',
      code: 'yaml-syntax',
      at: spanAt(pos[0]),
      message: code === 'MULTIPLE_DOCS' ? MULTIPLE_DOCUMENTS : message,
    })),
  ).slice(0, SYNTAX_FAULTS_SHOWN);
  if (deep !== null) {
    const message = `nested more than ${DEPTH_MAX} deep`;
    faults.push({ severity: 'error', code: 'yaml-syntax', at: spanAt(deep), message });
  }
  faults.push(...openAliases(doc, spanAt));
  let soundBefore = deep !== null ? 0 : Math.min(...faults.map(({ at }) => at?.line ?? 1), Number.POSITIVE_INFINITY);
  for (const warning of doc.warnings) {
    faults.push({ severity: 'warning', code: 'yaml-syntax', at: spanAt(warning.pos[0]), message: warning.message });
  }
  faults.push(...repeatedKeys(doc, spanAt));
  let value: unknown = null;
  try {
    value = doc.toJS();
  } catch (error) {
    soundBefore = 0;
    // Aliases nested so deep that their values would fill the memory, or one to nothing, which is reported above.
    const isBomb = error instanceof ReferenceError && /alias count/i.test(error.message);
    const message = isBomb ? 'aliases (*name) within aliases would make too much of this file' : errorText(error);
    if (!hasErrors(faults)) faults.push({ severity: 'error', code: 'yaml-syntax', at: spanAt(0), message });
  }
  const spanOf = (path: Path, what: 'key' | 'value'): Span => spanAt(offsetOf(doc, path, what));
  return { file, doc, value, faults, soundBefore, spanAt, spanOf };
}

/** The library's own message is for programmers. */
const MULTIPLE_DOCUMENTS = 'a second document begins here ("---"): only one is read, so join them or remove this line';

/** One slip can shift all that follows; the first few say where it is. */
const SYNTAX_FAULTS_SHOWN = 10;

/** The library reports every open bracket at the same place. */
function distinct(faults: readonly ConfigFault[]): ConfigFault[] {
  const key = ({ at, message }: ConfigFault): string => `${at?.line}:${at?.col} ${message}`;
  return [...new Map(faults.map((fault) => [key(fault), fault])).values()];
}

/**
 * What the original's reader took for text and YAML 1.1 does not: `y` and `n`, and numbers without a digit in the right
 * place (`.`, `e5`), of which the library makes NaN. Keys are names: `010` and `1e3` stay as they are written.
 */
function plainTexts(doc: Document): void {
  visit(doc, {
    Scalar(key, scalar) {
      const { value, source } = scalar;
      if (source === undefined) return;
      const isLetter = typeof value === 'boolean' && /^[yn]$/i.test(source);
      const isNoNumber = Number.isNaN(value) && !/^\.nan$/i.test(source);
      if (isLetter || isNoNumber || (key === 'key' && typeof value === 'number')) scalar.value = source;
    },
  });
}

function openAliases(doc: Document, spanAt: (offset: number) => Span): ConfigFault[] {
  const faults: ConfigFault[] = [];
  visit(doc, {
    Alias(_, alias) {
      if (alias.resolve(doc) !== undefined) return;
      const message = `nothing before this is called &${alias.source}`;
      faults.push({ severity: 'error', code: 'yaml-syntax', at: spanAt(alias.range?.[0] ?? 0), message });
    },
  });
  return faults;
}

function repeatedKeys(doc: Document, spanAt: (offset: number) => Span): ConfigFault[] {
  const faults: ConfigFault[] = [];
  visit(doc, {
    Map(_, map) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const text = String(key.value);
        if (seen.has(text) && text !== '<<') {
          const message = `"${text}" is given more than once; the last one counts`;
          faults.push({ severity: 'warning', code: 'duplicate-key', at: spanAt(key.range?.[0] ?? 0), message });
        }
        seen.add(text);
      }
    },
  });
  return faults;
}

function offsetOf(doc: Document, path: Path, what: 'key' | 'value'): number {
  let node: unknown = doc.contents;
  let keyAt = 0;
  let valueAt = startOf(node) ?? 0;
  for (const segment of path) {
    if (isAlias(node)) node = node.resolve(doc);
    if (isMap(node)) {
      // The last of repeated keys is the one in force.
      const pair = node.items.findLast(({ key }) => isScalar(key) && String(key.value) === String(segment));
      if (pair === undefined) return keyAt;
      keyAt = startOf(pair.key) ?? valueAt;
      node = pair.value;
      valueAt = startOf(node) ?? keyAt;
    } else if (isSeq(node) && typeof segment === 'number' && node.items[segment] !== undefined) {
      node = node.items[segment];
      valueAt = startOf(node) ?? valueAt;
      keyAt = valueAt;
    } else break;
  }
  // An absent value (`key:` and nothing) has a place, but it is the end of the line: the key says more.
  const empty = isScalar(node) && node.value === null && node.source === '';
  return what === 'key' || empty ? keyAt : valueAt;
}

function startOf(node: unknown): number | null {
  return isNode(node) ? ((node as Node).range?.[0] ?? null) : null;
}
