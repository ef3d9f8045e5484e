import { LIVE_MAX } from '../config/limits.ts';
import type { LiveVersion } from '../zones/image/live-version.ts';

/**
 * What the live names of a zone answer right now, in shared memory.
 *
 * A slot belongs to a network; a zone whose canary is active has a slot of its own. One writer (the main thread), any
 * number of reading threads, a sequence lock per slot: odd while it is written, so a reader that saw the same even
 * number before and after has seen one version.
 *
 * ```
 * word 0      sequence
 * word 1      serial: the zone's SOA serial is the larger of this and its own (0: never written)
 * word 2      number of IPv4 addresses
 * word 3      number of IPv6 addresses
 * word 4      families answered with SERVFAIL: 1 for A, 2 for AAAA (`UNANSWERED`)
 * word 5 …    IPv4 addresses, network byte order as octets
 * …           IPv6 addresses, 16 octets each
 * ```
 */
const HEAD = 5;
const SLOT_WORDS = HEAD + LIVE_MAX + 4 * LIVE_MAX;

/**
 * Word offsets inside a slot, for readers that copy straight into a packet (`slotWord` gives the slot's first word).
 */
export const SLOT = {
  sequence: 0,
  serial: 1,
  count4: 2,
  count6: 3,
  unanswered: 4,
  v4: HEAD,
  v6: HEAD + LIVE_MAX,
} as const;

/** Bits of word 4. */
export const UNANSWERED = { v4: 1, v6: 2 } as const;

export class LiveSlots {
  readonly shared: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly octets: Uint8Array;

  private constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.words = new Int32Array(shared);
    this.octets = new Uint8Array(shared);
  }

  /** `slots` is fixed for the life of the buffer; memory is committed by the system only where a slot is written. */
  static create(slots: number): LiveSlots {
    return new LiveSlots(new SharedArrayBuffer(slots * SLOT_WORDS * 4));
  }

  /** The same slots in another thread. */
  static attach(shared: SharedArrayBuffer): LiveSlots {
    return new LiveSlots(shared);
  }

  get size(): number {
    return this.words.length / SLOT_WORDS;
  }

  slotWord(slot: number): number {
    return slot * SLOT_WORDS;
  }

  /** The slot's sequence number: even, and another one after each change. */
  sequence(slot: number): number {
    return Atomics.load(this.words, slot * SLOT_WORDS + SLOT.sequence);
  }

  /** Replaces a slot's version. Addresses beyond `LIVE_MAX` of a family are left out. Main thread only. */
  write(slot: number, { serial, v4, v6, unanswered }: LiveVersion): void {
    const base = slot * SLOT_WORDS;
    const { words, octets } = this;
    Atomics.add(words, base, 1);
    words[base + SLOT.serial] = serial | 0;
    words[base + SLOT.count4] = Math.min(v4.length, LIVE_MAX);
    words[base + SLOT.count6] = Math.min(v6.length, LIVE_MAX);
    words[base + SLOT.unanswered] = unanswered === undefined ? 0 : UNANSWERED[unanswered];
    for (const [i, address] of v4.slice(0, LIVE_MAX).entries()) octets.set(address, (base + SLOT.v4 + i) * 4);
    for (const [i, address] of v6.slice(0, LIVE_MAX).entries()) octets.set(address, (base + SLOT.v6 + 4 * i) * 4);
    Atomics.add(words, base, 1);
  }

  /** One whole version, copied. For transfers, snapshots and tests; the query path reads the words itself. */
  read(slot: number): LiveVersion {
    const base = slot * SLOT_WORDS;
    const { words, octets } = this;
    for (;;) {
      const before = Atomics.load(words, base);
      if ((before & 1) === 1) continue;
      const serial = words[base + SLOT.serial] >>> 0;
      const v4 = copies(octets, (base + SLOT.v4) * 4, words[base + SLOT.count4], 4);
      const v6 = copies(octets, (base + SLOT.v6) * 4, words[base + SLOT.count6], 16);
      const flags = words[base + SLOT.unanswered];
      if (Atomics.load(words, base) !== before) continue;
      if (flags === 0) return { serial, v4, v6 };
      return { serial, v4, v6, unanswered: flags === UNANSWERED.v4 ? 'v4' : 'v6' };
    }
  }
}

function copies(octets: Uint8Array, start: number, count: number, size: number): Uint8Array[] {
  return Array.from(
    { length: count },
    (_, i) => new Uint8Array(octets.subarray(start + i * size, start + (i + 1) * size)),
  );
}
