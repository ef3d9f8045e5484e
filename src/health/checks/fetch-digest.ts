import { createHash, type Hash, hash } from 'node:crypto';

/** Bodies up to here are summed in one go, which costs a third; longer ones as they come, in constant memory. */
const HELD_OCTETS = 65_536;
/** And in so many pieces: each holds a buffer of its own. */
const HELD_PIECES = 64;

/** MD5 of a body that comes in pieces. */
export class BodyDigest {
  #held: Buffer[] = [];
  #octets = 0;
  #hash: Hash | null = null;

  update(chunk: Buffer): void {
    this.#octets += chunk.length;
    if (this.#hash === null && (this.#octets > HELD_OCTETS || this.#held.length === HELD_PIECES)) {
      this.#hash = createHash('md5');
      for (const held of this.#held) this.#hash.update(held);
      this.#held = [];
    }
    if (this.#hash === null) this.#held.push(chunk);
    else this.#hash.update(chunk);
  }

  /** Lowercase hex. Asked once, at the end. */
  hex(): string {
    if (this.#hash !== null) return this.#hash.digest('hex');
    const [first] = this.#held;
    return hash('md5', this.#held.length === 1 && first !== undefined ? first : Buffer.concat(this.#held), 'hex');
  }
}
