import { nameEnd, recordEnd } from './decode.ts';
import type { Client, SpecialHandler } from './dns-thread.ts';
import { HEADER_LENGTH, OPCODE, RCODE, TYPE } from './message.ts';
import { NameParts } from './message-name.ts';

const CLASS_ANY = 255;
const TSIG_BADKEY = 17;

/**
 * What a server without transfers, keys and primaries says to the messages that `respond` calls SPECIAL: REFUSED to
 * transfers and NOTIFY, NOTAUTH with BADKEY to anything signed (no key is known, RFC 8945 §5.2.1), FORMERR to what cannot
 * be read. Returns the answer's length, 0 where there is none to give.
 */
export function refuseSpecial(query: Uint8Array, length: number, out: Uint8Array, _client: Client): number {
  if (length < HEADER_LENGTH || (query[2] & 0x80) !== 0) return 0;
  const parts = new NameParts();
  const oneQuestion = query[4] === 0 && query[5] === 1;
  const readable = oneQuestion && parts.read(query, HEADER_LENGTH, length);
  const end = readable ? HEADER_LENGTH + parts.length + 4 : HEADER_LENGTH;
  if (!readable || end > length) return reply(query, HEADER_LENGTH, out, RCODE.formErr);
  const records = readRecords(query, length, end);
  if (records === null) return reply(query, end, out, RCODE.formErr);
  const { tsigOwner, tsigAt } = records;
  if (tsigOwner >= 0) return refuseKey(query, end, out, tsigOwner, tsigAt);
  const at = reply(query, end, out, RCODE.refused);
  return records.edns ? writePlainOpt(out, at) : at;
}

/** `refuseSpecial` as the front ends call it. */
export const refusals: SpecialHandler = {
  packet: refuseSpecial,
  stream: async (query, client, send) => {
    const out = new Uint8Array(query.length + HEADER_LENGTH + 64);
    const length = refuseSpecial(query, query.length, out, client);
    if (length > 0) await send(out.subarray(0, length));
  },
  apply() {},
  configure() {},
};

type Records = { readonly tsigOwner: number; readonly tsigAt: number; readonly edns: boolean };

/** Walks all records; null: malformed, or TSIG not the last one (RFC 8945 §5.1). `tsigOwner` -1: not signed. */
function readRecords(query: Uint8Array, length: number, start: number): Records | null {
  const count = (place: number) => (query[place] << 8) | query[place + 1];
  let tsigOwner = -1;
  let tsigAt = -1;
  let edns = false;
  let at = start;
  for (let left = count(6) + count(8) + count(10); left > 0; left--) {
    if (tsigOwner >= 0) return null;
    const fields = nameEnd(query, at, length);
    const next = recordEnd(query, fields, length);
    if (next < 0) return null;
    const type = count(fields);
    if (type === TYPE.tsig) {
      tsigOwner = at;
      tsigAt = fields;
    } else if (type === TYPE.opt) edns = true;
    at = next;
  }
  return at === length ? { tsigOwner, tsigAt, edns } : null;
}

/** Header and question, without records. */
function reply(query: Uint8Array, end: number, out: Uint8Array, rcode: number): number {
  out.set(query.subarray(0, end));
  const opcode = (query[2] >>> 3) & 0xf;
  out[2] = 0x80 | (opcode << 3) | (opcode === OPCODE.query ? query[2] & 1 : 0);
  out[3] = rcode;
  out.fill(0, 4, HEADER_LENGTH);
  out[5] = end > HEADER_LENGTH ? 1 : 0;
  return end;
}

/** NOTAUTH with an unsigned TSIG record: the request's key name, algorithm, time and identifier, error BADKEY. */
function refuseKey(query: Uint8Array, end: number, out: Uint8Array, owner: number, fields: number): number {
  const rdata = fields + 10;
  const name = new NameParts();
  const algorithm = new NameParts();
  const rdataEnd = rdata + ((query[fields + 8] << 8) | query[fields + 9]);
  const known = name.read(query, owner, fields) && algorithm.read(query, rdata, rdataEnd);
  if (!known || rdata + algorithm.length + 16 > rdataEnd || end + name.length + algorithm.length + 26 > out.length)
    return reply(query, end, out, RCODE.formErr);
  let at = reply(query, end, out, RCODE.notAuth);
  const put = (octets: Uint8Array) => {
    out.set(octets, at);
    at += octets.length;
  };
  const timeAt = rdata + algorithm.length;
  put(query.subarray(owner, owner + name.length));
  put(Uint8Array.of(0, TYPE.tsig, 0, CLASS_ANY, 0, 0, 0, 0, 0, algorithm.length + 16));
  put(query.subarray(rdata, timeAt));
  put(query.subarray(timeAt, timeAt + 8)); // time signed and fudge
  put(Uint8Array.of(0, 0, query[0], query[1], 0, TSIG_BADKEY, 0, 0)); // no MAC, identifier, error, no other data
  out[11] = 1;
  return at;
}

function writePlainOpt(out: Uint8Array, at: number): number {
  out.set([0, 0, TYPE.opt, 4, 208, 0, 0, 0, 0, 0, 0], at); // 1232 octets of payload
  out[11] = 1;
  return at + 11;
}
