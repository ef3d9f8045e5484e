import { createHash, type Hash } from 'node:crypto';

/** What the body of an answer must be. Digests in lowercase hexadecimal; `text` must be somewhere in it. */
export type ExpectedBody =
  | { readonly kind: 'md5' | 'sha256'; readonly digest: string }
  | { readonly kind: 'text'; readonly text: Uint8Array };

/** Name of a digest, for people. */
const NAMES = { md5: 'MD5', sha256: 'SHA-256' } as const;

/** Compares a body with what is expected as its pieces come, in constant memory. */
export class BodyMatch {
  private readonly expected: ExpectedBody;
  private readonly hash: Hash | null;
  private readonly text: Buffer;
  /** The end of what came, in which the text may have begun. */
  private tail = Buffer.alloc(0);
  private found = false;

  constructor(expected: ExpectedBody) {
    this.expected = expected;
    this.hash = expected.kind === 'text' ? null : createHash(expected.kind);
    this.text = Buffer.from(expected.kind === 'text' ? expected.text : []);
  }

  take(piece: Uint8Array): void {
    if (this.hash !== null) {
      this.hash.update(piece);
      return;
    }
    if (this.found) return;
    const both = Buffer.concat([this.tail, piece]);
    this.found = both.includes(this.text);
    this.tail = both.subarray(Math.max(0, both.length - this.text.length + 1));
  }

  /** Once, at the end: null, or a clause that says what the body is instead. `octets`: its length. */
  problem(octets: number, where: string): string | null {
    const { expected } = this;
    if (expected.kind === 'text') {
      return this.found ? null : `the text that is expected is not in the ${octets} octets of the body (${where})`;
    }
    const digest = this.hash?.digest('hex');
    if (digest === expected.digest) return null;
    return `${NAMES[expected.kind]} ${digest} of ${octets} octets (${where}) instead of ${expected.digest}`;
  }
}
