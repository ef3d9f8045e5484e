import { sipHash } from './cookie-siphash.ts';

/** Octets of a whole COOKIE option as we send it: the client's 8 and our 16 (RFC 9018 §4). */
export const COOKIE_LENGTH = 24;
const CLIENT_LENGTH = 8;
const SERVER_LONGEST = 32;
const VERSION = 1;

// Seconds, RFC 9018 §4.3.
const OLDEST = 3600;
const FRESH = 1800;
const FUTURE = 300;

/** What a COOKIE option of a query is. */
export const COOKIE = {
  /** Not a length that RFC 7873 §4 allows: the query is FORMERR. */
  malformed: 0,
  /** Only the client's part. */
  first: 1,
  /** With a server part that is not ours, or is too old. */
  bad: 2,
  good: 3,
} as const;
export type CookieVerdict = (typeof COOKIE)[keyof typeof COOKIE];

/**
 * Server cookies in the form that all servers share (RFC 9018), so that machines of one anycast address understand each
 * other's. The first secret makes them; all are accepted, for rollover.
 */
export class ServerCookies {
  /** The whole option to send after `check`: the client's part and ours. */
  readonly option: Uint8Array = new Uint8Array(COOKIE_LENGTH);
  private readonly keys: readonly Int32Array[];
  /** Client part, version, reserved, time, address: what is hashed. */
  private readonly input = new Uint8Array(CLIENT_LENGTH + 8 + 16);
  private readonly hash = new Uint8Array(8);

  /** `secrets`: 16 octets each, at least one. */
  constructor(secrets: readonly Uint8Array[]) {
    this.keys = secrets.map((secret) => {
      const view = new DataView(secret.buffer, secret.byteOffset, 16);
      return Int32Array.from({ length: 4 }, (_, i) => view.getInt32(4 * i, true));
    });
  }

  /**
   * Judges the cookie `query[at..at + length)` of a client with this 16-octet address and prepares `option`: a cookie
   * of the first secret younger than half an hour comes back, others are replaced, so that clients leave a secret that
   * is rolled over at once (RFC 9018 §5). `now` in epoch seconds.
   */
  check(query: Uint8Array, at: number, length: number, address: Uint8Array, now: number): CookieVerdict {
    const serverLength = length - CLIENT_LENGTH;
    if (serverLength !== 0 && (serverLength < 8 || serverLength > SERVER_LONGEST)) return COOKIE.malformed;
    const { option } = this;
    for (let i = 0; i < CLIENT_LENGTH; i++) option[i] = query[at + i];
    const inputLength = this.putAddress(address);
    let verdict: CookieVerdict = serverLength === 0 ? COOKIE.first : COOKIE.bad;
    if (length === COOKIE_LENGTH && query[at + 8] === VERSION) {
      for (let i = CLIENT_LENGTH; i < COOKIE_LENGTH; i++) option[i] = query[at + i];
      // Serial arithmetic, so that it also works past 2038 and 2106.
      const age = (now - ((option[12] << 24) | (option[13] << 16) | (option[14] << 8) | option[15])) | 0;
      const secret = age <= OLDEST && age >= -FUTURE ? this.secretOf(inputLength) : -1;
      if (secret >= 0) verdict = COOKIE.good;
      if (secret === 0 && age <= FRESH) return verdict;
    }
    this.make(now, inputLength);
    return verdict;
  }

  /** Which of the secrets made the cookie in `option`; -1: none. */
  private secretOf(inputLength: number): number {
    let found = -1;
    for (let secret = this.keys.length - 1; secret >= 0; secret--) {
      this.sign(this.keys[secret], inputLength);
      let difference = 0; // all octets are compared, so that the time taken reveals nothing
      for (let i = 0; i < 8; i++) difference |= this.hash[i] ^ this.option[16 + i];
      if (difference === 0) found = secret;
    }
    return found;
  }

  private make(now: number, inputLength: number): void {
    const { option } = this;
    option[8] = VERSION;
    option[9] = 0;
    option[10] = 0;
    option[11] = 0;
    option[12] = now >>> 24;
    option[13] = now >>> 16;
    option[14] = now >>> 8;
    option[15] = now;
    this.sign(this.keys[0], inputLength);
    for (let i = 0; i < 8; i++) option[16 + i] = this.hash[i];
  }

  private sign(key: Int32Array, inputLength: number): void {
    for (let i = 0; i < 16; i++) this.input[i] = this.option[i];
    sipHash(key, this.input, inputLength, this.hash, 0);
  }

  /** Puts the address into the hash's input, 4 octets of an IPv4 one. Returns the input's length. */
  private putAddress(address: Uint8Array): number {
    const { input } = this;
    const from = isIpv4(address) ? 12 : 0;
    for (let i = from; i < 16; i++) input[16 + i - from] = address[i];
    return 32 - from;
  }
}

/** `::ffff:a.b.c.d` */
function isIpv4(address: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (address[i] !== 0) return false;
  return address[10] === 0xff && address[11] === 0xff;
}
