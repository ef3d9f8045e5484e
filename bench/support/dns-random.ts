import { encodeOpt, encodeQuery, type QuerySpec, wireName } from '../../test/support/dns-query.ts';

/** Pseudo-random numbers (xorshift32), always the same for a seed, so that a run can be repeated. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 0 || 1;
  }

  /** A whole number from 0 to `bound` - 1. */
  below(bound: number): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return (this.state >>> 0) % bound;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  octets(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}

const ORDINARY_TYPES = [1, 2, 5, 6, 15, 16, 28, 33, 65, 255];
const TYPES = [12, 35, 39, 43, 46, 47, 64, 0, 41, 249, 250, 251, 252, 253, 254, 65_280];
const OPTIONS = [3, 5, 8, 9, 10, 11, 12, 15, 16, 65_001];
const LABELS = [
  'www',
  '*',
  'nope',
  'sub',
  'wild',
  'x',
  'alias',
  'dn',
  'ent',
  'c',
  'loop1',
  'big',
  'a'.repeat(63),
  'ns1',
  'foo',
];

/** Well-formed queries of all sorts about names at, above and below `origins`, as material to be spoilt. */
export function seedQueries(random: Random, origins: readonly string[], count: number): Uint8Array[] {
  return Array.from({ length: count }, () => encodeQuery(querySpec(random, origins)));
}

function querySpec(random: Random, origins: readonly string[]): QuerySpec {
  const labels = Array.from({ length: random.pick([0, 1, 1, 1, 2, 3]) }, () => random.pick(LABELS));
  const name = [...labels, random.pick(origins)].join('.');
  const opcode = random.below(20) === 0 ? random.below(16) : 0;
  const options = Array.from({ length: random.below(4) >> 1 }, (): [number, Uint8Array] => [
    random.pick(OPTIONS),
    random.octets(random.pick([0, 4, 8, 16, 24, 40])),
  ]);
  const size = random.pick([0, 100, 512, 600, 1232, 4096, 65_535]);
  const flags = random.below(2) * 0x8000;
  const edns = random.below(2) === 0 ? null : { size, flags, version: random.below(20) === 0 ? 1 : 0, options };
  const additional = random.below(10) === 0 ? [random.below(2) === 0 ? tsig(random) : encodeOpt({})] : [];
  return {
    name: wireName(name),
    type: random.below(5) === 0 ? random.pick(TYPES) : random.pick(ORDINARY_TYPES),
    class: random.below(12) === 0 ? random.pick([0, 3, 254, 255]) : 1,
    id: random.below(65_536),
    flags: (opcode << 11) | (random.below(2) << 8),
    edns,
    additional,
  };
}

/** A TSIG record that verifies with no key. */
function tsig(random: Random): Uint8Array {
  const mac = random.octets(32);
  const algorithm = wireName('hmac-sha256');
  const rdata = [...algorithm, ...random.octets(6), 1, 44, 0, 32, ...mac, ...random.octets(2), 0, 0, 0, 0];
  // The owner may be compressed (RFC 1035 §4.1.4): here against the question, or to wherever the pointer leads.
  const pointer = [0xc0, random.pick([12, 12, 16, random.below(256)])];
  const owner = random.pick([[...wireName('testkey')], pointer, [7, ...Buffer.from('testkey'), ...pointer]]);
  return Uint8Array.from([...owner, 0, 250, 0, 255, 0, 0, 0, 0, rdata.length >> 8, rdata.length & 255, ...rdata]);
}

/** Writes a packet made from `seeds` into `out` (1000 octets or more) and returns its length: as it is, or spoilt. */
export function nextPacket(random: Random, seeds: readonly Uint8Array[], out: Uint8Array): number {
  const way = random.below(10);
  if (way === 0) return noise(random, out);
  const seed = random.pick(seeds);
  out.set(seed);
  let length = seed.length;
  if (way < 5) return length;
  for (let changes = 1 + random.below(1 + random.below(4)); changes > 0; changes--)
    length = spoil(random, seeds, out, length);
  return length;
}

function noise(random: Random, out: Uint8Array): number {
  const length = random.below(300);
  for (let i = 0; i < length; i++) out[i] = random.below(256);
  if (random.below(2) === 0) out[2] &= 0x7f; // not a response, or nothing is looked at
  if (random.below(2) === 0) out.set([0, 1, 0, 0, 0, 0, 0, random.below(3)], 4);
  return length;
}

function spoil(random: Random, seeds: readonly Uint8Array[], out: Uint8Array, length: number): number {
  const at = random.below(Math.max(1, length));
  switch (random.below(8)) {
    case 0:
      out[at] ^= 1 << random.below(8);
      return length;
    case 1:
      out[at] = random.pick([0, 1, 0x3f, 0x40, 0x80, 0xc0, 0xc1, 0xff]);
      return length;
    case 2:
      return at; // cut
    case 3: {
      const more = Math.min(1 + random.below(40), 1000 - length);
      for (let i = 0; i < more; i++) out[length + i] = random.below(256);
      return length + Math.max(0, more);
    }
    case 4:
      out[4 + random.below(8)] = random.below(4); // counts that lie
      return length;
    case 5: {
      // A pointer, to anywhere.
      out[at] = 0xc0 | random.below(2);
      out[at + 1] = random.below(256);
      return Math.max(length, Math.min(at + 2, 1000));
    }
    case 6: {
      // The end of another query.
      const other = random.pick(seeds);
      const tail = other.subarray(random.below(other.length)).subarray(0, Math.max(0, 1000 - at));
      out.set(tail, at);
      return at + tail.length;
    }
    default:
      out.copyWithin(at, random.below(Math.max(1, length)), length); // something twice
      return length;
  }
}
