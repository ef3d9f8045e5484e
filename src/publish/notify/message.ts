/** NOTIFY and its responses on the wire (RFC 1996). Responses are hostile octets: nothing is read but fixed places. */
import { HEADER_LENGTH, OPCODE, RCODE, TYPE } from '../../dns/message.ts';
import { LOWER } from '../../dns/name.ts';
import { rcodeName } from '../../dns/rcode-name.ts';
import { TSIG_ERROR } from '../../dns/tsig.ts';
import type { TsigRecord } from '../../dns/tsig-record.ts';

/** RFC 1996 §3: opcode NOTIFY, AA, the zone's SOA in question and answer. `soa`: from type to rdata, uncompressed. */
export function notifyMessage(id: number, zone: Uint8Array, soa: Uint8Array): Uint8Array {
  const header = [id >>> 8, id & 255, (OPCODE.notify << 3) | 4, 0, 0, 1, 0, 1, 0, 0, 0, 0];
  return Uint8Array.from([...header, ...questionOf(zone), 0xc0, HEADER_LENGTH, ...soa]);
}

function questionOf(zone: Uint8Array): readonly number[] {
  return [...zone, 0, TYPE.soa, 0, 1];
}

export type NotifyResponse = { readonly id: number; readonly opcode: number; readonly rcode: number };

/** The header of a response; null: too short to have one, or a query. */
export function readResponse(octets: Uint8Array): NotifyResponse | null {
  if (octets.length < HEADER_LENGTH || (octets[2] & 0x80) === 0) return null;
  return { id: (octets[0] << 8) | octets[1], opcode: (octets[2] >> 3) & 15, rcode: octets[3] & 15 };
}

/**
 * Whether a response repeats the question of the NOTIFY for `zone`: `whole`; `part`: none or its beginning, as servers
 * answer that refuse before they have read it; `other`: it is about something else.
 */
export function questionIn(octets: Uint8Array, zone: Uint8Array): 'whole' | 'part' | 'other' {
  const questions = (octets[4] << 8) | octets[5];
  if (questions === 0) return 'part';
  if (questions > 1) return 'other';
  const wanted = questionOf(zone);
  const length = Math.min(wanted.length, octets.length - HEADER_LENGTH);
  for (let i = 0; i < length; i++) {
    // Length octets are below `A`, so that they may be lowered, too; type and class are compared as they are.
    const octet = octets[HEADER_LENGTH + i];
    if ((i < zone.length ? LOWER[octet] : octet) !== wanted[i]) return 'other';
  }
  return length === wanted.length ? 'whole' : 'part';
}

/** What an operator may look for at the secondary. */
const HINTS: ReadonlyMap<number, string> = new Map([
  [RCODE.notAuth, 'it does not carry the zone from here, or does not know the key'],
  [RCODE.refused, 'its access list lacks the address that NOTIFY comes from, or the key'],
  [RCODE.notImp, 'it takes no NOTIFY'],
]);

const TSIG_ERRORS: ReadonlyMap<number, string> = new Map([
  [TSIG_ERROR.badSig, 'BADSIG: another secret'],
  [TSIG_ERROR.badKey, 'BADKEY: it has no such key'],
  [TSIG_ERROR.badTime, 'BADTIME: the clocks differ'],
  [TSIG_ERROR.badTrunc, 'BADTRUNC'],
]);

/** `was refused with NOTAUTH (BADKEY: it has no such key), unsigned`. `unsigned`: although a key is configured. */
export function refusalText(rcode: number, tsig: TsigRecord | null, unsigned: boolean): string {
  const why = TSIG_ERRORS.get(tsig?.error ?? 0) ?? HINTS.get(rcode);
  return `was refused with ${rcodeName(rcode)}${why === undefined ? '' : ` (${why})`}${unsigned ? ', unsigned' : ''}`;
}
