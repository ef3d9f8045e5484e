/**
 * The room for what `respond` leaves alone: signed messages, zone transfers, NOTIFY. One for each answering thread, with
 * the zones of that thread's responder.
 */

import type { StepRecord } from '../zones/journal-step.ts';
import type { LiveSlots } from '../zones/live-slots.ts';
import { lowerName, nameText, type WireName } from '../zones/name.ts';
import { serialCompare } from '../zones/serial.ts';
import { addressText } from './address-text.ts';
import { sendWholeZone, TransferStream } from './axfr.ts';
import { DECODED, nameEnd, Query, recordEnd } from './decode.ts';
import type { Client, SpecialHandler, ThreadTransfer } from './dns-thread.ts';
import { differenceRecords, packDifference, sendDifference } from './ixfr.ts';
import { CLASS, HEADER_LENGTH, OPCODE, RCODE, TCP_MAX, TYPE, UDP_PLAIN_MAX } from './message.ts';
import { NameParts } from './message-name.ts';
import { MessagePacker } from './message-packer.ts';
import type { Responder } from './respond.ts';
import type { Stats } from './stats.ts';
import { mayTransfer } from './transfer-access.ts';
import type { TransferHistory } from './transfer-history.ts';
import { captureVersion, versionCursor, type ZoneVersion } from './transfer-version.ts';
import {
  appendUnsigned,
  findTsig,
  serverTime,
  TSIG_ERROR,
  TSIG_ROOM,
  type TsigRecord,
  TsigSigner,
  verifyTsig,
} from './tsig.ts';
import type { ServedZone } from './zone-table.ts';

export type TransferHandlerOptions = {
  readonly responder: Responder;
  readonly slots: LiveSlots;
  readonly stats: Stats;
  readonly transfer: ThreadTransfer;
  readonly history: TransferHistory;
  readonly ednsSize: number;
  /** Takes in what the main thread has sent so far. */
  readonly catchUp: () => void;
  /** Epoch seconds. */
  readonly now: () => number;
  /** Hears of each transfer. */
  readonly log: (message: string) => void;
};

/** A request whose signature, if it has one, was checked and taken off. */
type Request = {
  readonly message: Uint8Array;
  readonly client: Client;
  readonly tsig: TsigRecord | null;
  /** Signs the answer; null: the request was not signed. */
  readonly signer: TsigSigner | null;
  readonly keyName: WireName | null;
};

export class TransferHandler implements SpecialHandler {
  private readonly options: TransferHandlerOptions;
  private readonly query = new Query();
  private transfer: ThreadTransfer;

  constructor(options: TransferHandlerOptions) {
    this.options = options;
    this.transfer = options.transfer;
  }

  /** Zones are the responder's. */
  apply(): void {}

  configure(transfer: ThreadTransfer): void {
    this.transfer = transfer;
  }

  packet(query: Uint8Array, length: number, out: Uint8Array, client: Client): number {
    const message = new Uint8Array(query.subarray(0, length));
    const request = this.open(message, client, out);
    if (typeof request === 'number') return request;
    const answer = this.answerOne(request, Math.min(out.length, this.payload(request.message)));
    out.set(answer);
    return answer.length;
  }

  async stream(query: Uint8Array, client: Client, send: (message: Uint8Array) => Promise<boolean>): Promise<void> {
    const out = new Uint8Array(TCP_MAX);
    // A copy, and no Buffer: the slice of a Buffer is not one.
    const request = this.open(new Uint8Array(query), client, out);
    if (typeof request === 'number') {
      if (request > 0) await send(out.subarray(0, request));
      return;
    }
    const zone = this.wantedZone(request);
    if (zone === 'no transfer' || typeof zone === 'number') {
      await send(this.answerOne(request, TCP_MAX));
      return;
    }
    const version = this.capture(zone);
    if (version === null) {
      await send(this.plain(request, RCODE.servFail, TCP_MAX));
      return;
    }
    const { signer } = request;
    const since = this.query.type === TYPE.ixfr ? ixfrSerial(request.message) : null;
    if (since !== null && serialCompare(since, version.serial) >= 0) {
      await send(this.soaOnly(request, version, TCP_MAX));
      return;
    }
    const head = replyHead(request.message, this.query.questionEnd, RCODE.noError, true);
    let open = true;
    const sendOpen = async (message: Uint8Array): Promise<boolean> => {
      open = await send(message);
      return open;
    };
    const stream = new TransferStream(head, { send: sendOpen, signer, now: this.options.now });
    const records = since === null ? null : this.differenceSince(version, since);
    this.logTransfer(request, version, since, records);
    const sent = records === null ? sendWholeZone(version, stream) : sendDifference(records, stream);
    // A peer that went away is no bug; a record that cannot be sent is, and what was sent must not look whole.
    if (!(await sent) && open) throw new Error('a transfer could not be finished');
  }

  /** Checks the signature. A number: the answer, or silence, is settled and stands in `out`. */
  private open(message: Uint8Array, client: Client, out: Uint8Array): Request | number {
    if (message.length < HEADER_LENGTH || (message[2] & 0x80) !== 0) return 0;
    const tsig = findTsig(message);
    if (tsig === 'malformed') return shortReply(message, out, RCODE.formErr);
    if (tsig === null) return { message, client, tsig, signer: null, keyName: null };
    const now = this.options.now();
    const verdict = verifyTsig(message, tsig, this.transfer.keys, now);
    if (verdict.ok) {
      const bare = withoutTsig(message, tsig);
      return { message: bare, client, tsig, signer: new TsigSigner(verdict.key, tsig.mac), keyName: verdict.key.name };
    }
    // RFC 8945 §5.2: NOTAUTH, with the TSIG error in a record that is signed if the key is proven.
    const bare = withoutTsig(message, tsig);
    const length = shortReply(bare, out, RCODE.notAuth);
    if (length === 0 || length + TSIG_ROOM > Math.max(out.length, UDP_PLAIN_MAX)) return length;
    const room = new Uint8Array(length + TSIG_ROOM + 64);
    room.set(out.subarray(0, length));
    const { key, error } = verdict;
    const signed =
      key === null
        ? appendUnsigned(room, length, tsig, error)
        : new TsigSigner(key, tsig.mac).sign(
            room,
            length,
            error === TSIG_ERROR.badTime ? tsig.time : now,
            error,
            error === TSIG_ERROR.badTime ? serverTime(now) : undefined,
          );
    if (signed > out.length) return length;
    out.set(room.subarray(0, signed));
    return signed;
  }

  /** What fits into one message: an ordinary answer, a refusal, the current SOA to IXFR. At most `limit` octets. */
  private answerOne(request: Request, limit: number): Uint8Array {
    const { message } = request;
    const zone = this.wantedZone(request);
    if (zone === 'no transfer') {
      // We are nobody's secondary: a NOTIFY is refused, whoever sends it (RFC 1996 §3.10).
      const notify = ((message[2] >>> 3) & 0xf) === OPCODE.notify;
      return notify ? this.plain(request, RCODE.refused, limit) : this.ordinary(request, limit);
    }
    if (typeof zone === 'number') return this.plain(request, zone, limit);
    // AXFR is for streams only (RFC 5936 §4.2).
    if (this.query.type === TYPE.axfr) return this.plain(request, RCODE.formErr, limit);
    const version = this.capture(zone);
    if (version === null) return this.plain(request, RCODE.servFail, limit);
    const since = ixfrSerial(message) ?? 0;
    const records = serialCompare(since, version.serial) >= 0 ? null : this.differenceSince(version, since);
    if (records !== null) {
      const packer = new MessagePacker();
      packer.begin(replyHead(message, this.query.questionEnd, RCODE.noError, true));
      const room = request.signer === null ? 0 : TSIG_ROOM;
      if (packDifference(records, packer, limit - room)) {
        this.logTransfer(request, version, since, records);
        return this.signed(request, packer.out, packer.finish());
      }
    }
    // One SOA: "take this, or come by TCP for the rest" (RFC 1995 §2).
    return this.soaOnly(request, version, limit);
  }

  /**
   * The zone that the request may transfer; a number: the rcode that says why it may not. NOTAUTH where we have no such
   * zone (RFC 5936 §2.2.1), FORMERR to IXFR without its SOA (RFC 1995 §3), REFUSED to strangers. `query` holds the request
   * afterwards.
   */
  private wantedZone({ message, client, keyName }: Request): ServedZone | number | 'no transfer' {
    const decoded = this.query.decode(message, message.length);
    const { type } = this.query;
    if (decoded !== DECODED.query || (type !== TYPE.axfr && type !== TYPE.ixfr)) return 'no transfer';
    if (this.query.class !== CLASS.in || this.query.edns.version !== 0) return 'no transfer';
    const zone = this.options.responder.zones.byName(lowerName(message, HEADER_LENGTH));
    if (zone === null) return RCODE.notAuth;
    const key = this.transfer.keys.find(({ name }) => name === keyName) ?? null;
    const network = zone.network === 0 ? null : (this.transfer.rows[zone.network] ?? null);
    const allowed = mayTransfer(this.transfer.allow, { address: client.address, key, zone: zone.origin, network });
    if (!allowed) return RCODE.refused;
    return type === TYPE.ixfr && ixfrSerial(message) === null ? RCODE.formErr : zone;
  }

  private logTransfer(
    { client, keyName }: Request,
    { zone, serial }: ZoneVersion,
    since: number | null,
    records: readonly StepRecord[] | null,
  ): void {
    const what = records === null ? `AXFR of ${serial}` : `IXFR from ${since} to ${serial}, ${records.length} records`;
    const by = keyName === null ? '' : ` with key ${nameText(keyName)}`;
    this.options.log(`${nameText(zone.origin)}: ${what}, to ${addressText(client.address)}${by}`);
  }

  private differenceSince(version: ZoneVersion, serial: number): readonly StepRecord[] | null {
    const difference = this.options.history.difference(version, serial);
    return difference === null ? null : differenceRecords(version, difference);
  }

  private capture(zone: ServedZone): ZoneVersion | null {
    const { slots, responder, catchUp } = this.options;
    return captureVersion(slots, () => responder.zones.byName(zone.origin), catchUp);
  }

  /** The responder's answer to the request without its signature, signed. */
  private ordinary(request: Request, limit: number): Uint8Array {
    const { message, client, signer } = request;
    const room = signer === null ? 0 : TSIG_ROOM;
    const out = new Uint8Array(TCP_MAX + TSIG_ROOM);
    const space = Math.max(limit - room, 300);
    const length = this.options.responder.respond(message, message.length, out.subarray(0, space), client);
    return length <= 0 ? new Uint8Array(0) : this.signed(request, out, length);
  }

  private plain(request: Request, rcode: number, limit: number): Uint8Array {
    const head = replyHead(request.message, this.query.questionEnd, rcode, false);
    const out = new Uint8Array(head.length + TSIG_ROOM);
    out.set(head);
    this.options.stats.countAnswer(request.client.transport, rcode);
    const answer = this.signed(request, out, head.length);
    return answer.length <= limit ? answer : head;
  }

  private soaOnly(request: Request, version: ZoneVersion, limit: number): Uint8Array {
    const cursor = versionCursor(version);
    if (cursor === null || !cursor.next()) return this.plain(request, RCODE.servFail, limit);
    const packer = new MessagePacker();
    packer.begin(replyHead(request.message, this.query.questionEnd, RCODE.noError, true));
    packer.add(cursor.owner, cursor.type, cursor.ttl, cursor.rdataOctets, cursor.rdataLength, limit);
    return this.signed(request, packer.out, packer.finish());
  }

  private signed({ signer }: Request, out: Uint8Array, length: number): Uint8Array {
    return out.slice(0, signer === null ? length : signer.sign(out, length, this.options.now()));
  }

  private payload(message: Uint8Array): number {
    this.query.decode(message, message.length);
    const { edns } = this.query;
    return edns.present ? Math.max(UDP_PLAIN_MAX, Math.min(edns.size, this.options.ednsSize)) : UDP_PLAIN_MAX;
  }
}

/** Header and question of an answer. */
function replyHead(message: Uint8Array, questionEnd: number, rcode: number, authoritative: boolean): Uint8Array {
  const head = message.slice(0, questionEnd);
  const opcode = (message[2] >>> 3) & 0xf;
  head[2] = 0x80 | (opcode << 3) | (authoritative ? 4 : 0) | (opcode === OPCODE.query ? message[2] & 1 : 0);
  head[3] = rcode;
  head.fill(0, 4, HEADER_LENGTH);
  head[5] = questionEnd > HEADER_LENGTH ? 1 : 0;
  return head;
}

/** The question with an rcode, in `out`; the header alone where the question cannot be read. */
function shortReply(message: Uint8Array, out: Uint8Array, rcode: number): number {
  const name = new NameParts();
  const readable = message[4] === 0 && message[5] === 1 && name.read(message, HEADER_LENGTH, message.length);
  const fields = HEADER_LENGTH + name.length;
  const end = readable && fields + 4 <= message.length ? fields + 4 : HEADER_LENGTH;
  const head = replyHead(message, end, rcode, false);
  out.set(head);
  return head.length;
}

/** The message as it was before it was signed. */
function withoutTsig(message: Uint8Array, tsig: TsigRecord): Uint8Array {
  const bare = message.slice(0, tsig.start);
  const additional = ((bare[10] << 8) | bare[11]) - 1;
  bare[10] = additional >>> 8;
  bare[11] = additional;
  return bare;
}

/** Serial in the SOA of an IXFR request's authority section (RFC 1995 §3); null: there is none. */
function ixfrSerial(message: Uint8Array): number | null {
  const { length } = message;
  if (((message[8] << 8) | message[9]) !== 1) return null;
  const question = nameEnd(message, HEADER_LENGTH, length) + 4;
  const fields = nameEnd(message, question, length);
  const end = recordEnd(message, fields, length);
  if (end < 0 || ((message[fields] << 8) | message[fields + 1]) !== TYPE.soa) return null;
  const at = nameEnd(message, nameEnd(message, fields + 10, end), end);
  if (at < 0 || at + 20 !== end) return null;
  return ((message[at] << 24) | (message[at + 1] << 16) | (message[at + 2] << 8) | message[at + 3]) >>> 0;
}
