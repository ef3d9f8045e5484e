/**
 * Octets of an HTTP/1 response in, its head and its body out. Pure.
 *
 * What edgemanage's client (Python's requests) and curl both take is taken here as well, because an edge that its
 * visitors see is up whatever RFC 9112 says of its server: lines that end in LF alone, folded fields, a length said
 * twice, a length beside chunks, padded chunk sizes, interim answers nobody asked for. The body is compared afterwards
 * in any case, so nothing wrong passes for it. Everything is bounded: these octets come from strangers.
 */

/**
 * Octets up to the end of the head, interim answers included. requests takes a hundred fields, curl lines of 100 kB.
 */
export const HEAD_MAX = 262_144;

/** Interim answers (RFC 9110 section 15.2) before the real one; an edge that sends more does not mean us. */
const INTERIM_MAX = 10;
/** Characters kept of a chunk's size line; an extension behind it is read over. */
const CHUNK_LINE_MAX = 64;
/** Hexadecimal digits of a chunk's size: below 2^52. */
const CHUNK_DIGITS_MAX = 13;

/** Field names in lower case → values, in the order they came; latin1 text. */
export type Fields = ReadonlyMap<string, readonly string[]>;

export type ResponseHead = { readonly status: number; readonly fields: Fields };

/** How a response ended, or what ended it. */
export type ResponseEnd =
  | { readonly kind: 'complete' }
  /** The connection ended first. */
  | { readonly kind: 'truncated' }
  | { readonly kind: 'broken'; readonly why: string }
  | { readonly kind: 'head-too-large' }
  /** Of a body, or of framing around hardly any. */
  | { readonly kind: 'too-large'; readonly why: string };

type State = 'status' | 'fields' | 'length' | 'close' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailers' | 'over';

/** Reads one response that comes in pieces. `body` gets each piece of the body, its framing removed. */
export class ResponseReader {
  /** Null until all of it has come. */
  head: ResponseHead | null = null;
  /** Null while more is expected; nothing is read afterwards. */
  end: ResponseEnd | null = null;
  /** Of the body, so far. */
  octets = 0;
  /** What the body's length was said to be; null: not said, or in chunks. */
  expected: number | null = null;

  private state: State = 'status';
  /** The beginning of a line whose end has not come; latin1. */
  private partial = '';
  private headOctets = 0;
  private wireOctets = 0;
  private interim = 0;
  private status = 0;
  private fields = new Map<string, string[]>();
  /** Values of the field that a folded line would continue. */
  private lastValues: string[] | null = null;
  /** Of the body, or of the chunk, still to come. */
  private left = 0;
  private readonly bodyMax: number;
  private readonly wireMax: number;
  private readonly body: (piece: Buffer) => void;

  /** `bodyMax`: octets of a body after which it is too large. */
  constructor(bodyMax: number, body: (piece: Buffer) => void) {
    this.bodyMax = bodyMax;
    this.wireMax = 2 * bodyMax + HEAD_MAX; // framing as large as the largest body
    this.body = body;
  }

  /** The next octets from the wire. */
  push(piece: Buffer): void {
    this.wireOctets += piece.length;
    for (let at = 0; at < piece.length && this.end === null; ) at = this.take(piece, at);
    if (this.end === null && this.wireOctets > this.wireMax) {
      const why = `${this.wireOctets} octets on the wire for ${this.octets} of a body`;
      this.finish({ kind: 'too-large', why });
    }
  }

  /** The edge ended the connection. */
  close(): void {
    if (this.end !== null) return;
    // Nothing of the body is missing after the last chunk.
    if (this.state === 'close' || this.state === 'trailers') this.finish({ kind: 'complete' });
    else if (this.state === 'status' && !couldBeStatus(this.partial)) this.finish(notHttp(this.partial));
    else this.finish({ kind: 'truncated' });
  }

  /** Reads from `at` on; returns where it stopped. */
  private take(piece: Buffer, at: number): number {
    switch (this.state) {
      case 'length':
        return this.takeBody(piece, at, () => this.finish({ kind: 'complete' }));
      case 'chunk':
        return this.takeBody(piece, at, () => {
          this.state = 'chunk-end';
        });
      case 'close':
        this.deliver(piece.subarray(at));
        return piece.length;
      case 'status':
      case 'fields':
      case 'chunk-size':
      case 'chunk-end':
      case 'trailers':
        return this.takeLine(piece, at);
      case 'over':
        return piece.length;
      default:
        return this.state satisfies never;
    }
  }

  private takeBody(piece: Buffer, at: number, done: () => void): number {
    const to = Math.min(piece.length, at + this.left);
    this.left -= to - at;
    this.deliver(piece.subarray(at, to));
    if (this.left === 0 && this.end === null) done();
    return to;
  }

  private deliver(piece: Buffer): void {
    this.octets += piece.length;
    if (this.octets > this.bodyMax) this.finish(bodyTooLarge(this.octets, this.bodyMax));
    else this.body(piece);
  }

  private takeLine(piece: Buffer, at: number): number {
    const lf = piece.indexOf(0x0a, at);
    const to = lf === -1 ? piece.length : lf + 1;
    const inHead = this.state === 'status' || this.state === 'fields';
    if (inHead) {
      this.headOctets += to - at;
      if (this.headOctets > HEAD_MAX) {
        this.finish({ kind: 'head-too-large' });
        return to;
      }
    }
    const kept = inHead ? HEAD_MAX : CHUNK_LINE_MAX - this.partial.length;
    const text = piece.toString('latin1', at, Math.min(lf === -1 ? to : lf, at + Math.max(0, kept)));
    const line = this.partial === '' ? text : this.partial + text;
    if (lf === -1) {
      this.partial = line;
      // What is not HTTP need not end its line for us to see it.
      if (this.state === 'status' && !couldBeStatus(line)) this.finish(notHttp(line));
      return to;
    }
    this.partial = '';
    this.line(line.endsWith('\r') ? line.slice(0, -1) : line);
    return to;
  }

  private line(line: string): void {
    switch (this.state) {
      case 'status':
        this.statusLine(line);
        return;
      case 'fields':
        if (line === '') this.headEnds();
        else this.field(line);
        return;
      case 'chunk-size':
        this.chunkSize(line);
        return;
      case 'chunk-end':
        if (line !== '') {
          this.finish({ kind: 'broken', why: `a chunk longer than its size: ${shown(line)}` });
          return;
        }
        this.state = 'chunk-size';
        return;
      case 'trailers':
        if (line === '') this.finish({ kind: 'complete' });
        return;
      default:
        return;
    }
  }

  private statusLine(line: string): void {
    const match = /^HTTP\/\d(?:\.\d+)?[ \t]+(\d{3})(?!\d)/i.exec(line);
    if (match === null) {
      this.finish(notHttp(line));
      return;
    }
    this.status = Number(match[1]);
    if (this.status < 100) {
      this.finish({ kind: 'broken', why: `a status below 100: ${shown(line)}` });
      return;
    }
    this.fields = new Map();
    this.lastValues = null;
    this.state = 'fields';
  }

  private field(line: string): void {
    if (line.startsWith(' ') || line.startsWith('\t')) {
      // RFC 9112 section 5.2: a user agent takes a folded line for a blank and the rest of the value.
      const last = this.lastValues?.pop();
      if (last !== undefined) this.lastValues?.push(`${last} ${line.trim()}`);
      return;
    }
    const colon = line.indexOf(':');
    if (colon === -1) return; // no field; both clients read on
    const name = line.slice(0, colon).toLowerCase();
    const values = this.fields.get(name) ?? [];
    if (values.length === 0) this.fields.set(name, values);
    values.push(line.slice(colon + 1).trim());
    this.lastValues = values;
  }

  private headEnds(): void {
    const { status } = this;
    if (status === 101) {
      this.finish({ kind: 'broken', why: 'status 101: an upgrade that nobody asked for' });
      return;
    }
    if (status < 200) {
      this.interim += 1;
      if (this.interim > INTERIM_MAX) {
        this.finish({ kind: 'broken', why: `more than ${INTERIM_MAX} interim answers (status ${status})` });
        return;
      }
      this.state = 'status';
      return;
    }
    const head: ResponseHead = { status, fields: this.fields };
    const framing = framingOf(head);
    this.head = head;
    switch (framing.kind) {
      case 'none':
        this.finish({ kind: 'complete' });
        return;
      case 'chunked':
        this.state = 'chunk-size';
        return;
      case 'close':
        this.state = 'close';
        return;
      case 'contradiction':
        this.finish({ kind: 'broken', why: `contradicting Content-Length: ${shown(framing.text)}` });
        return;
      case 'length':
        this.expected = framing.octets;
        this.left = framing.octets;
        this.state = 'length';
        if (framing.octets === 0) this.finish({ kind: 'complete' });
        else if (framing.octets > this.bodyMax) this.finish(bodyTooLarge(framing.octets, this.bodyMax));
        return;
      default:
        framing satisfies never;
    }
  }

  private chunkSize(line: string): void {
    // Padded as some servers do, so that they may fill the size in later; requests also takes 0x.
    const match = /^[ \t]*(?:0x)?0*([0-9a-f]*)/i.exec(line);
    const digits = match?.[1] ?? '';
    const hasSize = match !== null && /[0-9a-f]$/i.test(match[0]);
    if (!hasSize || digits.length > CHUNK_DIGITS_MAX) {
      this.finish({ kind: 'broken', why: `no chunk size but ${shown(line)}` });
      return;
    }
    this.left = digits === '' ? 0 : Number.parseInt(digits, 16);
    this.state = this.left === 0 ? 'trailers' : 'chunk';
  }

  private finish(end: ResponseEnd): void {
    this.end = end;
    this.state = 'over';
  }
}

type Framing =
  | { readonly kind: 'none' | 'chunked' | 'close' }
  | { readonly kind: 'length'; readonly octets: number }
  | { readonly kind: 'contradiction'; readonly text: string };

/** RFC 9112 section 6.3, but a length that is said twice is one, and one that is no number is none. */
function framingOf({ status, fields }: ResponseHead): Framing {
  if (status === 204 || status === 304) return { kind: 'none' };
  const codings = listOf(fields, 'transfer-encoding').map((coding) => coding.toLowerCase());
  if (codings.includes('chunked')) return { kind: 'chunked' };
  const lengths = listOf(fields, 'content-length');
  if (lengths.length === 0 || !lengths.every((length) => /^\+?\d+$/.test(length))) return { kind: 'close' };
  const numbers = lengths.map(Number);
  if (numbers.some((octets) => octets !== numbers[0])) return { kind: 'contradiction', text: lengths.join(', ') };
  return { kind: 'length', octets: numbers[0] };
}

/** Values of a field that is a list, whether it came in one line or in several. */
export function listOf(fields: Fields, name: string): readonly string[] {
  const values = fields.get(name);
  if (values === undefined) return [];
  return values
    .join(',')
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '');
}

/** The first value of a field; null: it did not come. */
export function firstOf(fields: Fields, name: string): string | null {
  return fields.get(name)?.[0] ?? null;
}

function couldBeStatus(line: string): boolean {
  return 'HTTP/'.startsWith(line.slice(0, 5).toUpperCase());
}

function notHttp(line: string): ResponseEnd {
  return { kind: 'broken', why: `no HTTP/1 status line but ${shown(line)}` };
}

function bodyTooLarge(octets: number, most: number): ResponseEnd {
  return { kind: 'too-large', why: `body of ${octets} octets or more, over ${most}` };
}

/** A stranger's text for a log: short, on one line, without control characters. */
export function shown(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not reach a log
  return JSON.stringify(text.slice(0, 100).replace(/[\x00-\x1f\x7f-\x9f]/g, '?'));
}
