import { nameProblem, scanName, shownText } from './name.ts';
import { scanNumber, scanTtl, TOO_LARGE } from './number.ts';
import { type Problem, problem } from './problem.ts';
import { TOKEN, type Tokens } from './tokens.ts';

export const RDATA_MAX = 65535;

const SPARE = 512; // a name is written before its length is known

/** One for all readings: a record's rdata is copied out before the next is read, and reading never waits. */
const OUT = new Uint8Array(RDATA_MAX + SPARE);

/**
 * The cursor that a type's codec reads rdata with: tokens in, octets into `out[0..at)`. Every method returns null, or
 * the problem with the token just read.
 */
export class RdataScan {
  readonly out: Uint8Array = OUT;
  /** Octets written so far. */
  at = 0;
  tokens: Tokens;
  /** Wire form; what relative names end in. */
  origin: Uint8Array;

  constructor(tokens: Tokens, origin: Uint8Array) {
    this.tokens = tokens;
    this.origin = origin;
  }

  /** Reads a word that the entry must have; what is expected is named in the message. */
  word(what: string): Problem | null {
    return this.tokens.next() === TOKEN.word ? null : this.missing(what);
  }

  /** Reads a word or a quoted string that the entry must have. */
  text(what: string): Problem | null {
    const kind = this.tokens.next();
    return kind === TOKEN.word || kind === TOKEN.quoted ? null : this.missing(what);
  }

  /** Reads the next token and returns whether it is a word; if not, it will be read again. */
  more(): boolean {
    if (this.tokens.next() === TOKEN.word) return true;
    this.tokens.hold();
    return false;
  }

  /** As `more`, for words and quoted strings. */
  moreText(): boolean {
    const kind = this.tokens.next();
    if (kind === TOKEN.word || kind === TOKEN.quoted) return true;
    this.tokens.hold();
    return false;
  }

  /** The problem of an entry that ends, or goes wrong, where `what` is expected. */
  missing(what: string): Problem {
    if (this.tokens.kind === TOKEN.quoted) return problem('bad-word', `${what} must not be quoted`);
    return tokenProblem(this.tokens) ?? problem('missing-text', `the line ends where ${what} should be`);
  }

  /** The token as a message shows it. */
  shown(): string {
    return shownText(this.tokens.text, this.tokens.start, this.tokens.end);
  }

  /** One octet, the low one of `value`. */
  u8(value: number): Problem | null {
    if (this.at >= RDATA_MAX) return tooLong();
    this.out[this.at++] = value;
    return null;
  }

  octets(octets: Uint8Array): Problem | null {
    if (this.at + octets.length > RDATA_MAX) return tooLong();
    this.out.set(octets, this.at);
    this.at += octets.length;
    return null;
  }

  /** A big-endian number. */
  unsigned(value: number, size: 1 | 2 | 4): Problem | null {
    for (let i = size - 1; i >= 0; i--) this.out[this.at + i] = value >>> (8 * (size - 1 - i));
    return this.advance(size);
  }

  /** Counts in `count` octets that were put at `out[at]` directly; at most `SPARE` of them. */
  advance(count: number): Problem | null {
    if (this.at + count > RDATA_MAX) return tooLong();
    this.at += count;
    return null;
  }

  /** Reads a plain decimal number up to `max`. */
  number(what: string, max: number): number | Problem {
    return this.word(what) ?? this.numberOfToken(what, max);
  }

  /** The token just read as a plain decimal number up to `max`. */
  numberOfToken(what: string, max: number): number | Problem {
    const { text, start, end } = this.tokens;
    const value = scanNumber(text, start, end, max);
    if (value >= 0) return value;
    return value === TOO_LARGE
      ? problem('bad-number', `${what} ${this.shown()} is over ${max}`)
      : problem('bad-number', `"${this.shown()}" is not a number; ${what} goes here`);
  }

  /** Reads seconds, with or without units. */
  seconds(what: string): number | Problem {
    const failure = this.word(what);
    if (failure !== null) return failure;
    const { text, start, end } = this.tokens;
    const value = scanTtl(text, start, end);
    if (value >= 0) return value;
    return value === TOO_LARGE
      ? problem('bad-number', `${what} ${this.shown()} is over 4294967295 seconds`)
      : problem('bad-number', `"${this.shown()}" is no time in seconds such as 3600 or 1h30m; ${what} goes here`);
  }

  /** Reads a domain name. */
  name(what: string): Problem | null {
    const failure = this.word(what);
    if (failure !== null) return failure;
    return this.nameOfToken();
  }

  /** Writes the token just read as a domain name. */
  nameOfToken(): Problem | null {
    const { text, start, end } = this.tokens;
    const after = scanName(text, start, end, this.out, this.at, this.origin);
    if (after < 0) return nameProblem(after, text, start, end);
    return this.advance(after - this.at);
  }
}

function tooLong(): Problem {
  return problem('rdata-too-long', `the record's data is over ${RDATA_MAX} octets`);
}

/** What is wrong with the shape of the token itself; null: nothing. */
export function tokenProblem(tokens: Tokens): Problem | null {
  if (tokens.kind === TOKEN.unterminated) {
    return problem('unterminated-quote', 'the quoted string is not closed on its line');
  }
  if (tokens.kind === TOKEN.unbalanced) {
    return tokens.end > tokens.start
      ? problem('unbalanced-parenthesis', '")" without "(" before it')
      : problem('unbalanced-parenthesis', 'the file ends inside parentheses');
  }
  return tokens.kind === TOKEN.binary ? problem('bad-encoding', 'a NUL octet: this is not a text file') : null;
}
