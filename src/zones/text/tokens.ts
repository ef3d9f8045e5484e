/**
 * Master-file octets in, tokens out (RFC 1035 §5.1): words, quoted strings and ends of lines. Comments, blanks and
 * parentheses are consumed here. A token is a range of the text, never a string, so a record costs no allocation.
 */
export const TOKEN = {
  end: 0, // end of the entry: a line's end outside parentheses, or the end of the text
  word: 1,
  quoted: 2, // `start`..`end` lie inside the quotes
  unterminated: 3, // a quoted string that its line does not close
  unbalanced: 4, // `)` without `(`, or the text ends inside `(`
  binary: 5, // a NUL octet: this is no text
} as const;

const BYTE_ORDER_MARK: readonly number[] = [0xef, 0xbb, 0xbf];

const NUL = 0x00;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const OPEN = 0x28;
const CLOSE = 0x29;
const SEMICOLON = 0x3b;
const BACKSLASH = 0x5c;

const LAST = 1; // ends a word
const ESCAPE = 2;
/** What an octet does inside a word; 0: it belongs to it. */
const IN_WORD: Uint8Array = (() => {
  const table = new Uint8Array(256);
  for (const octet of [NUL, TAB, LF, CR, SPACE, QUOTE, OPEN, CLOSE, SEMICOLON]) table[octet] = LAST;
  table[BACKSLASH] = ESCAPE;
  return table;
})();

const LINE_SHOWN = 4096; // octets

/** A position in the text: line and column count from 1, columns in characters. */
export type Position = { readonly line: number; readonly col: number; readonly text: string };

type TokensState = {
  readonly at: number;
  readonly depth: number;
  readonly nowLine: number;
  readonly nowLineStart: number;
};

export class Tokens {
  readonly text: Uint8Array;
  /** Whether the text begins with a byte order mark; it is passed over. */
  readonly hasByteOrderMark: boolean;
  /** One of `TOKEN`, of the token last read. */
  kind: number = TOKEN.end;
  start = 0;
  end = 0;
  /** Line of the token last read, from 1. */
  line = 1;
  /** Line of the entry's first token. */
  entryLine = 1;
  /** Whether a backslash occurs in the token. */
  escaped = false;
  private at = 0;
  private depth = 0;
  private nowLine = 1;
  private nowLineStart = 0;
  private lineStart = 0;
  private held = false;
  private entryStart = 0;
  private entryLineStart = 0;

  constructor(text: Uint8Array) {
    this.text = text;
    this.hasByteOrderMark = BYTE_ORDER_MARK.every((octet, i) => text[i] === octet);
    if (this.hasByteOrderMark) this.at = BYTE_ORDER_MARK.length;
  }

  /** Whether entries are left; asked between entries only. */
  get done(): boolean {
    return this.at >= this.text.length;
  }

  /** Whether the entry about to be read begins with a blank; asked between entries only. */
  get startsBlank(): boolean {
    const octet = this.text[this.at];
    return octet === SPACE || octet === TAB;
  }

  /** Notes that an entry begins with the token last read. */
  markEntry(): void {
    this.entryStart = this.start;
    this.entryLine = this.line;
    this.entryLineStart = this.lineStart;
  }

  /** The following `next` returns the token last read once more. */
  hold(): void {
    this.held = true;
  }

  /** The state before the word or the quoted string of one line last read, for `restore`. */
  beforeToken(): TokensState {
    const { kind, start, depth, nowLine, nowLineStart } = this;
    return { at: kind === TOKEN.quoted ? start - 1 : start, depth, nowLine, nowLineStart };
  }

  restore(state: TokensState): void {
    this.at = state.at;
    this.depth = state.depth;
    this.nowLine = state.nowLine;
    this.nowLineStart = state.nowLineStart;
    this.held = false;
  }

  /** Reads a token and returns its kind. After `TOKEN.end` comes the next line's first token. */
  next(): number {
    if (this.held) {
      this.held = false;
      return this.kind;
    }
    const { text } = this;
    let at = this.at;
    for (;;) {
      const octet = at < text.length ? text[at] : -1;
      switch (octet) {
        case SPACE:
        case TAB:
          at++;
          continue;
        case CR:
        case LF:
          if (this.depth > 0) {
            at = this.pastLine(at);
            continue;
          }
          this.begin(TOKEN.end, at, at);
          this.at = this.pastLine(at);
          return TOKEN.end;
        case SEMICOLON:
          at = this.endOfLine(at);
          continue;
        case OPEN:
          this.depth++;
          at++;
          continue;
        case CLOSE:
          if (this.depth > 0) {
            this.depth--;
            at++;
            continue;
          }
          this.at = at + 1;
          return this.begin(TOKEN.unbalanced, at, at + 1);
        case QUOTE:
          return this.quoted(at + 1);
        case NUL:
          this.at = at + 1;
          return this.begin(TOKEN.binary, at, at + 1);
        case -1:
          this.at = at;
          if (this.depth === 0) return this.begin(TOKEN.end, at, at);
          this.depth = 0;
          return this.begin(TOKEN.unbalanced, at, at);
        default:
          return this.word(at);
      }
    }
  }

  /** Reads up to the end of the entry, however it goes on. */
  skipEntry(): void {
    while (this.kind !== TOKEN.end || this.held) this.next();
  }

  /** The token as text, octets as latin1. For messages and rare words; the usual path compares octets. */
  asText(): string {
    return latin1(this.text, this.start, this.end);
  }

  /** Where the token last read begins. */
  position(): Position {
    return this.positionOf(this.start, this.line, this.lineStart);
  }

  /** Where the entry begins. */
  entryPosition(): Position {
    return this.positionOf(this.entryStart, this.entryLine, this.entryLineStart);
  }

  private positionOf(start: number, line: number, lineStart: number): Position {
    // Of a line as long as a file, only the beginning is looked at; further right, columns are octets.
    if (start - lineStart > LINE_SHOWN) return { line, col: start - lineStart + 1, text: '' };
    const col = visible(this.text.subarray(lineStart, start)).length + 1;
    const end = Math.min(this.endOfLine(lineStart), lineStart + LINE_SHOWN);
    return { line, col, text: visible(this.text.subarray(lineStart, end)) };
  }

  private word(from: number): number {
    const { text } = this;
    let at = from;
    this.begin(TOKEN.word, from, from);
    for (; at < text.length; at++) {
      const what = IN_WORD[text[at]];
      if (what === 0) continue;
      if (what === LAST) break;
      this.escaped = true;
      const next = text[at + 1]; // a line's end cannot be escaped in a word
      if (at + 1 < text.length && next !== LF && next !== CR) at++;
    }
    this.at = at;
    this.end = at;
    return TOKEN.word;
  }

  private quoted(from: number): number {
    const { text } = this;
    let at = from;
    this.begin(TOKEN.quoted, from, from);
    for (; at < text.length; at++) {
      const octet = text[at];
      if (octet === QUOTE) {
        this.end = at;
        this.at = at + 1;
        return TOKEN.quoted;
      }
      if (octet === BACKSLASH) {
        this.escaped = true;
        if (at + 1 < text.length) at++;
        if (text[at] === LF) {
          this.nowLine++;
          this.nowLineStart = at + 1;
        }
      } else if (octet === LF) break;
    }
    this.at = Math.min(at, text.length);
    this.end = this.at;
    this.start = from - 1;
    this.kind = TOKEN.unterminated;
    return TOKEN.unterminated;
  }

  private begin(kind: number, start: number, end: number): number {
    this.kind = kind;
    this.start = start;
    this.end = end;
    this.escaped = false;
    this.line = this.nowLine;
    this.lineStart = this.nowLineStart;
    return kind;
  }

  /** `at` is at CR or LF. A lone CR ends an entry too, but only LF counts a line. */
  private pastLine(at: number): number {
    let next = at + 1;
    if (this.text[at] === CR) {
      if (this.text[next] !== LF) return next;
      next++;
    }
    this.nowLine++;
    this.nowLineStart = next;
    return next;
  }

  private endOfLine(from: number): number {
    const stop = this.text.indexOf(LF, from);
    if (stop === -1) return this.text.length;
    return stop > from && this.text[stop - 1] === CR ? stop - 1 : stop;
  }
}

export function latin1(octets: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(octets[i]);
  return text;
}

const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Text for an operator's terminal: control characters replaced one for one, so that columns stay right. */
function visible(octets: Uint8Array): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to replace
  return UTF8.decode(octets).replace(/[\0-\x08\x0a-\x1f\x7f-\x9f]/g, '\ufffd');
}
