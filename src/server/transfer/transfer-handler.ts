/**
 * The room for what `respond` leaves alone: signed messages, zone transfers, NOTIFY. One for each answering thread, with
 * the zones of that thread's responder.
 */

import type { ServerConfig } from '../../config/types.ts';
import { DECODED, Query } from '../../dns/decode.ts';
import { CLASS, EDE, HEADER_LENGTH, OPCODE, RCODE, TCP_MAX, TYPE, UDP_PLAIN_MAX } from '../../dns/message.ts';
import { MessagePacker } from '../../dns/message-writer.ts';
import { lowerName, nameText } from '../../dns/name.ts';
import { serialCompare } from '../../dns/serial.ts';
import type { LiveSlots } from '../../live/slots.ts';
import { addressText } from '../../system/address-text.ts';
import type { StepRecord } from '../../zones/journal/step.ts';
import { OptWriter } from '../answer/edns.ts';
import { type Client, TRANSPORT } from '../answer/front-end.ts';
import type { Responder } from '../answer/respond.ts';
import type { ServedZone } from '../answer/zone-table.ts';
import { NO_ZONE, type Stats } from '../stats.ts';
import { mayTransfer } from './access.ts';
import { sendWholeZone, TransferStream } from './axfr.ts';
import type { NonPlainHandler, ThreadTransfer } from './handler-types.ts';
import type { TransferHistory } from './history.ts';
import { differenceRecords, packDifference, sendDifference } from './ixfr.ts';
import { appendRecord, ixfrSerial, replyHead, signatureTrouble } from './message.ts';
import { openRequest, type Request } from './request.ts';
import { Slices } from './turns.ts';
import { captureVersion, versionCursor, type ZoneVersion } from './version.ts';

/** For an error about a signature, with its record. */
const ERROR_ROOM = 1024;
/** Rooms for signed answers come in steps of so many octets. */
const ROOM_STEP = 64;
const QUESTION_ROOM = 320;
const NO_OPT = new Uint8Array(0);
/** Of 74 KiB each. */
const SPARE_MAX = 8;

export type TransferHandlerOptions = {
  readonly responder: Responder;
  readonly slots: LiveSlots;
  readonly stats: Stats;
  readonly transfer: ThreadTransfer;
  readonly history: TransferHistory;
  readonly server: ServerConfig;
  /** Takes in what the main thread has sent so far. */
  readonly catchUp: () => void;
  /** Epoch seconds. */
  readonly now: () => number;
  /** Hears of each transfer. */
  readonly log: (message: string) => void;
};

/** See `wantedZone`. */
type Wanted = ServedZone | number | 'no transfer';

export class TransferHandler implements NonPlainHandler {
  private readonly options: TransferHandlerOptions;
  private readonly query = new Query();
  /** Answers of one message are made in its room, one at a time: what is not sent at once must be copied. */
  private readonly packer = new MessagePacker();
  /** Its room by size: the responder wants buffers of which there are few. */
  private readonly rooms = new Map<number, Uint8Array>();
  /** Of streams that are done: making one takes longer than most transfers. */
  private readonly spare: MessagePacker[] = [];
  private readonly opt = new OptWriter(new Map());
  private readonly slices = new Slices();
  private transfer: ThreadTransfer;
  private ednsSize: number;

  constructor(options: TransferHandlerOptions) {
    this.options = options;
    this.transfer = options.transfer;
    this.ednsSize = options.server.ednsSize;
    this.opt.configure(options.server);
  }

  configure(transfer: ThreadTransfer, server: ServerConfig): void {
    this.transfer = transfer;
    this.ednsSize = server.ednsSize;
    this.opt.configure(server);
  }

  packet(query: Uint8Array, length: number, out: Uint8Array, client: Client): number {
    const message = new Uint8Array(query.subarray(0, length));
    const request = this.open(message, client, out);
    if (typeof request === 'number') return request;
    const limit = Math.min(out.length, this.payload(request.message));
    const answer = this.answerOne(request, this.wantedZone(request), limit);
    if (answer.length > out.length) return 0;
    out.set(answer);
    return answer.length;
  }

  async stream(query: Uint8Array, client: Client, send: (message: Uint8Array) => Promise<boolean>): Promise<void> {
    const out = new Uint8Array(ERROR_ROOM);
    // A copy, and no Buffer: the slice of a Buffer is not one.
    const request = this.open(new Uint8Array(query), client, out);
    if (typeof request === 'number') {
      if (request > 0) await send(out.subarray(0, request));
      return;
    }
    const zone = this.wantedZone(request);
    if (zone === 'no transfer' || typeof zone === 'number') {
      await send(this.answerOne(request, zone, TCP_MAX));
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
    const packer = this.spare.pop() ?? new MessagePacker();
    const stream = new TransferStream(head, this.optRecord(request), packer, {
      send: sendOpen,
      signer,
      now: this.options.now,
      slices: this.slices,
    });
    const records = since === null ? null : this.differenceSince(version, since);
    this.logTransfer(request, version, since, records);
    const sent = records === null ? sendWholeZone(version, stream) : sendDifference(records, stream);
    const whole = await sent;
    if (this.spare.length < SPARE_MAX) this.spare.push(packer);
    // A peer that went away is no bug; a record that cannot be sent is, and what was sent must not look whole.
    if (!whole && open) throw new Error('a transfer could not be finished');
  }

  private open(message: Uint8Array, client: Client, out: Uint8Array): Request | number {
    const request = openRequest(message, client, this.transfer.keys, this.options.now(), out);
    if (typeof request === 'number' && request > 0) {
      this.countRefused(message, client);
      this.options.stats.countAnswer(client.transport, out[3] & 0xf);
      if (this.transfer.quiet !== true) {
        this.options.log(`refused, ${signatureTrouble(out.slice(0, request))}: ${addressText(client.address)}`);
      }
    }
    return request;
  }

  /** Counts a query that was refused over its signature, as one of the zone that it asked. */
  private countRefused(message: Uint8Array, { transport }: Client): void {
    const { query } = this;
    query.decode(message, message.length);
    if (query.opcode !== OPCODE.query || query.questionEnd === HEADER_LENGTH) return;
    const { zones } = this.options.responder;
    const transfer = query.type === TYPE.axfr || query.type === TYPE.ixfr;
    const zone = transfer ? zones.byName(lowerName(message, HEADER_LENGTH)) : zones.answering(query.name, query.type);
    this.options.stats.countQuery(transport, query.type, zone?.network ?? NO_ZONE);
  }

  /** What fits into one message: an ordinary answer, a refusal, the current SOA to IXFR. At most `limit` octets. */
  private answerOne(request: Request, zone: Wanted, limit: number): Uint8Array {
    const { message } = request;
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
      const { packer } = this;
      packer.begin(replyHead(message, this.query.questionEnd, RCODE.noError, true));
      const opt = this.optRecord(request);
      if (packDifference(records, packer, limit - opt.length - (request.signer?.recordLength ?? 0))) {
        this.logTransfer(request, version, since, records);
        return this.signed(request, packer.out, appendRecord(packer.out, packer.finish(), opt));
      }
    }
    // One SOA: "take this, or come by TCP for the rest" (RFC 1995 §2).
    return this.soaOnly(request, version, limit);
  }

  /**
   * The zone that the request may transfer, counted; a number: the rcode that says why it may not. NOTAUTH where we have no such
   * zone (RFC 5936 §2.2.1), FORMERR to IXFR without its SOA (RFC 1995 §3), REFUSED to strangers. `query` holds the request
   * afterwards.
   */
  private wantedZone({ message, client, keyName }: Request): Wanted {
    const decoded = this.query.decode(message, message.length);
    const { type } = this.query;
    if (decoded !== DECODED.query || (type !== TYPE.axfr && type !== TYPE.ixfr)) return 'no transfer';
    if (this.query.class !== CLASS.in || this.query.edns.version !== 0) return 'no transfer';
    const zone = this.options.responder.zones.byName(lowerName(message, HEADER_LENGTH));
    this.options.stats.countQuery(client.transport, type, zone?.network ?? NO_ZONE);
    if (zone === null) return RCODE.notAuth;
    const tls = client.transport === TRANSPORT.tls;
    // RFC 9103 §7: over TLS only by its newest version, and by a client that said what it speaks.
    if (tls && client.carriesTransfers !== true) return RCODE.refused;
    const key = this.transfer.keys.find(({ name }) => name === keyName) ?? null;
    const network = zone.network === 0 ? null : (this.transfer.rows[zone.network] ?? null);
    const allowed = mayTransfer(this.transfer.allow, { address: client.address, key, zone: zone.origin, network, tls });
    if (!allowed) {
      if (this.transfer.quiet !== true) {
        const signed = keyName === null ? 'not signed' : `signed with ${nameText(keyName)}`;
        const who = `${addressText(client.address)}${tls ? ' over TLS' : ''}, ${signed}`;
        this.options.log(`${nameText(zone.origin)}: refused, no rule allows this transfer: ${who}`);
      }
      return RCODE.refused;
    }
    return type === TYPE.ixfr && ixfrSerial(message) === null ? RCODE.formErr : zone;
  }

  private logTransfer(
    { client, keyName }: Request,
    { zone, serial }: ZoneVersion,
    since: number | null,
    records: readonly StepRecord[] | null,
  ): void {
    this.options.stats.countAnswer(client.transport, RCODE.noError);
    if (this.transfer.quiet === true) return;
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
    const out = this.room(limit - (signer?.recordLength ?? 0));
    const length = this.options.responder.respond(message, message.length, out, client);
    return length <= 0 ? new Uint8Array(0) : this.signed(request, this.packer.out, length);
  }

  /** The packer's room, or as much of its beginning. At least what holds any question. */
  private room(limit: number): Uint8Array {
    const size = Math.max(limit - (limit % ROOM_STEP), QUESTION_ROOM);
    let room = this.rooms.get(size);
    if (room === undefined) {
      room = this.packer.out.subarray(0, size);
      this.rooms.set(size, room);
    }
    return room;
  }

  /** Only an rcode; the question and OPT are as in the request. */
  private plain(request: Request, rcode: number, limit: number): Uint8Array {
    const { message, client, signer } = request;
    const out = this.room(limit - (signer?.recordLength ?? 0));
    const length = this.options.responder.refuse(message, message.length, out, client, rcode);
    return length <= 0 ? new Uint8Array(0) : this.signed(request, this.packer.out, length);
  }

  private soaOnly(request: Request, version: ZoneVersion, limit: number): Uint8Array {
    const cursor = versionCursor(version);
    if (cursor === null || !cursor.next()) return this.plain(request, RCODE.servFail, limit);
    const { packer } = this;
    packer.begin(replyHead(request.message, this.query.questionEnd, RCODE.noError, true));
    packer.add(cursor.owner, cursor.type, cursor.ttl, cursor.rdataOctets, cursor.rdataLength, limit);
    this.options.stats.countAnswer(request.client.transport, RCODE.noError);
    return this.signed(request, packer.out, appendRecord(packer.out, packer.finish(), this.optRecord(request)));
  }

  /** OPT for the answer to the request that `query` holds (RFC 6891 §6.1.1); empty: it had none itself. */
  private optRecord({ client }: Request): Uint8Array {
    const { edns } = this.query;
    if (!edns.present) return NO_OPT;
    const stream = client.transport >= TRANSPORT.tcp;
    const out = new Uint8Array(this.opt.size(edns, stream, false));
    this.opt.write(out, new DataView(out.buffer), 0, out.length, edns, RCODE.noError, stream, null, EDE.none);
    return out;
  }

  private signed({ signer }: Request, out: Uint8Array, length: number): Uint8Array {
    return out.subarray(0, signer === null ? length : signer.sign(out, length, this.options.now()));
  }

  private payload(message: Uint8Array): number {
    this.query.decode(message, message.length);
    const { edns } = this.query;
    return edns.present ? Math.max(UDP_PLAIN_MAX, Math.min(edns.size, this.ednsSize)) : UDP_PLAIN_MAX;
  }
}
