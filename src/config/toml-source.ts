/** A TOML text with a way back from every value to the line and column where an operator wrote it. */
import { parse, TomlError } from 'smol-toml';
import { errorText } from '../system/error-text.ts';
import type { Span } from '../system/fault.ts';
import type { ConfigFault } from './fault.ts';
import { placesOf } from './text-places.ts';
import type { Path } from './yaml-source.ts';

/** `value`: the tables as plain objects; null where `faults` has an error. */
export type TomlSource = {
  readonly file: string;
  readonly value: unknown;
  readonly faults: readonly ConfigFault[];
  /** The value at `path` or its key; where the path leads nowhere, the deepest key on the way. */
  spanOf(path: Path, what: 'key' | 'value'): Span;
};

/** Deeper than any configuration; both readers here call themselves once a level. */
const DEPTH_MAX = 50;

/** Reads TOML 1.0. Never throws; only the first syntax error can be reported. */
export function readToml(file: string, given: string): TomlSource {
  const text = given.replace(/^\uFEFF/, '');
  const spanAt = placesOf(file, text);
  try {
    const value = parse(text, { maxDepth: DEPTH_MAX });
    const places = new Places(text);
    return { file, value, faults: [], spanOf: (path, what) => spanAt(places.find(path, what)) };
  } catch (error) {
    const offset = error instanceof TomlError ? offsetOf(text, error.line, error.column) : 0;
    const message = errorText(error)
      .split('\n', 1)[0]
      .replace(/^Invalid TOML document: /, '');
    const fault: ConfigFault = { severity: 'error', code: 'toml-syntax', at: spanAt(offset), message };
    return { file, value: null, faults: [fault], spanOf: () => spanAt(0) };
  }
}

/** Line and column count from 1. */
function offsetOf(text: string, line: number, column: number): number {
  let start = 0;
  for (let n = 1; n < line; n++) {
    const end = text.indexOf('\n', start);
    if (end < 0) break;
    start = end + 1;
  }
  return Math.min(text.length, start + column - 1);
}

type Place = { readonly key: number; readonly value: number };

/**
 * Where keys and values begin, of a text that is known to be TOML: it only walks over strings, brackets and comments.
 * Keys are compared without regard to case, as goavail's reader of TOML does.
 */
class Places {
  private readonly places = new Map<string, Place>();
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
    this.readAll();
  }

  find(path: Path, what: 'key' | 'value'): number {
    for (let length = path.length; length > 0; length--) {
      const place = this.places.get(placeKey(path.slice(0, length)));
      // A missing key is shown at the section that lacks it.
      if (place !== undefined) return what === 'key' || length < path.length ? place.key : place.value;
    }
    return 0;
  }

  private readAll(): void {
    const lengths = new Map<string, number>();
    let table: Path = [];
    for (this.skipBlank(); this.at < this.text.length; this.skipBlank()) {
      const before = this.at;
      if (this.text[this.at] === '[') {
        const many = this.text[this.at + 1] === '[';
        this.at += many ? 2 : 1;
        const keyAt = this.at;
        table = this.readKey();
        const index = lengths.get(placeKey(table)) ?? 0;
        this.note(table, keyAt, keyAt);
        if (many) {
          lengths.set(placeKey(table), index + 1);
          table = [...table, index];
          this.note(table, keyAt, keyAt);
        }
        this.skipPast(']');
        if (many) this.skipPast(']');
      } else {
        this.readPair(table, 0);
      }
      if (this.at === before) this.at++; // no text may keep it here for ever
    }
  }

  private readPair(table: Path, depth: number): void {
    this.skipSpace();
    const keyAt = this.at;
    const path = [...table, ...this.readKey()];
    this.skipPast('=');
    this.skipSpace();
    this.note(path, keyAt, this.at);
    this.readValue(path, depth);
  }

  private readValue(path: Path, depth: number): void {
    const open = this.text[this.at];
    if (open === '"' || open === "'") {
      this.readString();
    } else if ((open === '[' || open === '{') && depth <= DEPTH_MAX) {
      const close = open === '[' ? ']' : '}';
      this.at++;
      for (let i = 0; ; i++) {
        this.skipBlank(',');
        if (this.at >= this.text.length || this.text[this.at] === close) break;
        const before = this.at;
        if (open === '{') this.readPair(path, depth + 1);
        else {
          this.note([...path, i], this.at, this.at);
          this.readValue([...path, i], depth + 1);
        }
        if (this.at === before) this.at++;
      }
      this.at++;
    } else {
      while (this.at < this.text.length && !/[,\]}#\n]/.test(this.text[this.at])) this.at++;
    }
  }

  /** A key with its dots, each part bare or quoted. */
  private readKey(): Path {
    const parts: string[] = [];
    for (;;) {
      this.skipSpace();
      const from = this.at;
      const quote = this.text[this.at];
      if (quote === '"' || quote === "'") {
        this.readString();
        parts.push(unquoted(this.text.slice(from, this.at)));
      } else {
        while (/[\w-]/.test(this.text[this.at] ?? '')) this.at++;
        parts.push(this.text.slice(from, this.at));
      }
      this.skipSpace();
      if (this.text[this.at] !== '.') return parts;
      this.at++;
    }
  }

  private readString(): void {
    const quote = this.text[this.at];
    const triple = this.text.startsWith(quote.repeat(3), this.at);
    const end = triple ? quote.repeat(3) : quote;
    this.at += end.length;
    while (this.at < this.text.length && !this.text.startsWith(end, this.at)) {
      this.at += quote === '"' && this.text[this.at] === '\\' ? 2 : 1;
    }
    this.at += end.length;
    // A quotation mark or two may come before the closing three.
    while (triple && this.text[this.at] === quote) this.at++;
  }

  private skipSpace(): void {
    while (this.text[this.at] === ' ' || this.text[this.at] === '\t') this.at++;
  }

  /** White space, ends of lines, comments, and what is in `also`. */
  private skipBlank(also = ''): void {
    for (; this.at < this.text.length; this.at++) {
      const char = this.text[this.at];
      if (char === '#') {
        const end = this.text.indexOf('\n', this.at);
        this.at = end < 0 ? this.text.length - 1 : end;
      } else if (!' \t\r\n'.includes(char) && !also.includes(char)) return;
    }
  }

  private skipPast(char: string): void {
    this.skipSpace();
    if (this.text[this.at] === char) this.at++;
  }

  private note(path: Path, key: number, value: number): void {
    const name = placeKey(path);
    if (!this.places.has(name)) this.places.set(name, { key, value });
    // The tables on the way (of a dotted key, of [a.b]) may have no line of their own.
    for (let length = path.length - 1; length > 0; length--) {
      const above = placeKey(path.slice(0, length));
      if (!this.places.has(above)) this.places.set(above, { key, value: key });
    }
  }
}

function placeKey(path: Path): string {
  return JSON.stringify(path).toLowerCase();
}

/** Of a quoted key as it is in the text; escapes other than JSON's leave it as it is. */
function unquoted(text: string): string {
  if (text.startsWith("'")) return text.slice(1, -1);
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : text;
  } catch {
    return text;
  }
}
