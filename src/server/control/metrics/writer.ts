const LINE_END = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Prometheus' exposition text as octets, written in place: strings put together piece by piece cost five times as much.
 */
export class MetricsWriter {
  private octets: Uint8Array;
  private length = 0;

  /** `expected`: how many octets it will be, as far as that is known. */
  constructor(expected: number) {
    this.octets = new Uint8Array(Math.max(1 << 16, expected));
  }

  /** What was written. */
  get written(): Uint8Array {
    return this.octets.subarray(0, this.length);
  }

  /** Text as it is. */
  text(text: string): void {
    this.reserve(text.length);
    const { octets } = this;
    let to = this.length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) {
        this.encoded(text);
        return;
      }
      octets[to++] = code;
    }
    this.length = to;
  }

  /** A label's value: backslashes, quotes and line ends are escaped. */
  labelValue(value: string): void {
    this.reserve(2 * value.length);
    const { octets } = this;
    let to = this.length;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) {
        this.encoded(value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n'));
        return;
      }
      if (code === QUOTE || code === BACKSLASH || code === LINE_END) octets[to++] = BACKSLASH;
      octets[to++] = code === LINE_END ? 0x6e : code;
    }
    this.length = to;
  }

  /** A sample's value. */
  number(value: number): void {
    if (Number.isFinite(value)) this.text(String(value));
    else this.text(Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf');
  }

  private encoded(text: string): void {
    const encoded = new TextEncoder().encode(text);
    this.reserve(encoded.length);
    this.octets.set(encoded, this.length);
    this.length += encoded.length;
  }

  private reserve(count: number): void {
    if (this.length + count <= this.octets.length) return;
    const larger = new Uint8Array(Math.max(2 * this.octets.length, this.length + count));
    larger.set(this.octets);
    this.octets = larger;
  }
}
