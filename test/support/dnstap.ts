/** An independent reader of dnstap, for tests: any Protocol Buffers message to its fields, and Frame Streams to frames. */

export type Field = { readonly number: number; readonly value: bigint | Buffer };

/** Every field in order; throws where the octets are no message. */
export function protobufFields(octets: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      if (at >= octets.length || shift > 63n) throw new Error(`a varint ends early at ${at}`);
      const octet = octets[at++];
      value |= BigInt(octet & 127) << shift;
      if (octet < 128) return value;
    }
  };
  const bytes = (count: number): Buffer => {
    if (count > octets.length - at) throw new Error(`a field of ${count} octets ends early at ${at}`);
    at += count;
    return octets.subarray(at - count, at);
  };
  while (at < octets.length) {
    const key = varint();
    const number = Number(key >> 3n);
    const kind = Number(key & 7n);
    if (kind === 0) fields.push({ number, value: varint() });
    else if (kind === 1) fields.push({ number, value: bytes(8).readBigUInt64LE() });
    else if (kind === 2) fields.push({ number, value: bytes(Number(varint())) });
    else if (kind === 5) fields.push({ number, value: BigInt(bytes(4).readUInt32LE()) });
    else throw new Error(`wire type ${kind}`);
  }
  return fields;
}

const NAMES: { readonly [number: number]: string } = {
  1: 'type',
  2: 'family',
  3: 'protocol',
  4: 'queryAddress',
  5: 'responseAddress',
  6: 'queryPort',
  7: 'responsePort',
  8: 'querySeconds',
  9: 'queryNanoseconds',
  10: 'query',
  11: 'zone',
  12: 'responseSeconds',
  13: 'responseNanoseconds',
  14: 'response',
};

export type DecodedDnstap = {
  readonly identity: string | null;
  readonly version: string | null;
  /** By name; a number, or octets. */
  readonly message: { readonly [name: string]: number | Buffer };
};

/** One `Dnstap` of type MESSAGE; throws where it is none, or says a thing twice. */
export function decodeDnstap(octets: Buffer): DecodedDnstap {
  const outer = new Map<number, bigint | Buffer>();
  for (const { number, value } of protobufFields(octets)) {
    if (outer.has(number)) throw new Error(`field ${number} twice`);
    outer.set(number, value);
  }
  if (outer.get(15) !== 1n) throw new Error('not of type MESSAGE');
  const body = outer.get(14);
  if (!Buffer.isBuffer(body)) throw new Error('no message');
  const message: { [name: string]: number | Buffer } = {};
  for (const { number, value } of protobufFields(body)) {
    const name = NAMES[number];
    if (name === undefined || name in message) throw new Error(`message field ${number}`);
    message[name] = typeof value === 'bigint' ? Number(value) : value;
  }
  const text = (number: number): string | null => outer.get(number)?.toString() ?? null;
  return { identity: text(1), version: text(2), message };
}

/** The frames of a stream from its START on: control types and data. Throws where it ends within a frame. */
export function framesOf(stream: Buffer): (Buffer | number)[] {
  const frames: (Buffer | number)[] = [];
  for (let at = 0; at < stream.length; ) {
    const length = stream.readUInt32BE(at);
    const start = length === 0 ? at + 8 : at + 4;
    const size = length === 0 ? stream.readUInt32BE(at + 4) : length;
    if (start + size > stream.length) throw new Error('the stream ends within a frame');
    frames.push(length === 0 ? stream.readUInt32BE(start) : stream.subarray(start, start + size));
    at = start + size;
  }
  return frames;
}
