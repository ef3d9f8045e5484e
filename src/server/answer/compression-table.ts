import * as message from '../../dns/message.ts';
import type { ZoneImage } from '../../zones/image/image.ts';

// Imported names are looked up at each use, constants of this module are folded into the code: a tenth of the time.
const { POINTER_MAX } = message;

const POINTER_BITS = 14;
const GENERATIONS = 1 << (31 - POINTER_BITS);

/**
 * Which names of a zone's image already stand in the message, and where: what compression points to (RFC 1035 §4.1.4).
 * Nothing is cleared from message to message; places carry the generation they belong to.
 */
export class CompressionTable {
  /** By name id: generation and place. A place of an older generation is of another message. */
  private seen = new Int32Array(1024);
  private generation = 0;

  /** Nothing stands in the message that this image could point to. */
  begin(image: ZoneImage): void {
    if (this.seen.length < image.names) this.seen = new Int32Array(1 << (32 - Math.clz32(image.names)));
    this.generation++;
    if (this.generation === GENERATIONS) {
      this.seen.fill(0);
      this.generation = 1;
    }
  }

  /** Name `id` stands at `place` of the message. */
  note(id: number, place: number): void {
    if (place < POINTER_MAX) this.seen[id] = (this.generation << POINTER_BITS) | place;
  }

  /** Where name `id` stands in the message; 0: nowhere (the header is there). */
  of(id: number): number {
    const seen = this.seen[id];
    return seen >>> POINTER_BITS === this.generation ? seen & (POINTER_MAX - 1) : 0;
  }

  forget(id: number): void {
    this.seen[id] = 0;
  }
}
