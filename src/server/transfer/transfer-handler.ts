import type { ServerConfig } from '../../config/types.ts';
import { RCODE, TCP_MAX, TYPE, UDP_PLAIN_MAX } from '../../dns/message.ts';
import { MessagePacker } from '../../dns/message-writer.ts';
import { nameText, type WireName } from '../../dns/name.ts';
import { serialCompare } from '../../dns/serial.ts';
import type { LiveSlots } from '../../live/slots.ts';
import { addressText } from '../../system/address-text.ts';
import type { StepRecord } from '../../zones/journal/step.ts';
import { type Client, TRANSPORT } from '../answer/front-end.ts';
import type { Responder } from '../answer/respond.ts';
import type { ServedZone } from '../answer/zone-table.ts';
import { NO_ZONE, type Stats } from '../stats.ts';
import { mayTransfer } from './access.ts';
import { sendWholeZone, TransferStream } from './axfr.ts';
import type { NonPlainHandler, ThreadTransfer } from './handler-types.ts';
import type { TransferHistory } from './history.ts';
import { differenceRecords, sendDifference } from './ixfr.ts';
import { replyHead, signatureFault } from './reply-parts.ts';
import { ReplyWriter } from './reply-writer.ts';
import { openRequest, type Request, withQuestion } from './request.ts';
import { Slices } from './slices.ts';
import { captureVersion, type ZoneVersion } from './version.ts';

/** Octets of a refusal of a signature, with its record. */
const REFUSAL_MAX = 1024;
/** Packers kept for reuse, 74 KiB each. */
const SPARE_MAX = 8;
/**
 * Octets of changes that are condensed for one packet: its sender's address may be forged, and few differences shrink
 * so.
 */
const PACKET_CHANGES_MAX = 64 * 1024;

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
  /** For a line about each transfer and each refusal. */
  readonly log: (message: string) => void;
};

/** A request for a whole zone or a difference. */
type TransferRequest = Request & { readonly wants: Extract<Request['wants'], { readonly zone: WireName }> };
type Permission =
  | { readonly kind: 'allowed'; readonly zone: ServedZone }
  | { readonly kind: 'refused'; readonly rcode: number };

/**
 * Answers what is no plain query: signed messages, zone transfers, NOTIFY. One for each answering thread, with the
 * zones of that thread's responder. It keeps nothing of a request in its fields: transfers of several clients run at
 * once.
 */
export class TransferHandler implements NonPlainHandler {
  private readonly options: TransferHandlerOptions;
  private readonly reply: ReplyWriter;
  /** Of streams that are done: making one takes longer than most transfers. */
  private readonly sparePackers: MessagePacker[] = [];
  private readonly slices = new Slices();
  private transfer: ThreadTransfer;
  private ednsSize: number;

  constructor(options: TransferHandlerOptions) {
    this.options = options;
    this.reply = new ReplyWriter(options.responder, options.stats, options.now);
    this.transfer = options.transfer;
    this.ednsSize = options.server.ednsSize;
    this.reply.configure(options.server);
  }

  configure(transfer: ThreadTransfer, server: ServerConfig): void {
    this.transfer = transfer;
    this.ednsSize = server.ednsSize;
    this.reply.configure(server);
  }

  packet(query: Uint8Array, length: number, out: Uint8Array, client: Client): number {
    const request = this.open(query.subarray(0, length), client, out);
    if (typeof request === 'number') return request;
    const { edns } = request;
    const payload = edns.present ? Math.max(UDP_PLAIN_MAX, Math.min(edns.size, this.ednsSize)) : UDP_PLAIN_MAX;
    const answer = this.packetAnswer(request, Math.min(out.length, payload));
    if (answer.length > out.length) return 0;
    out.set(answer);
    return answer.length;
  }

  async stream(query: Uint8Array, client: Client, send: (message: Uint8Array) => Promise<boolean>): Promise<void> {
    const out = new Uint8Array(REFUSAL_MAX);
    // No Buffer: its slices are views of the same memory.
    const message = new Uint8Array(query.buffer, query.byteOffset, query.length);
    const request = this.open(message, client, out);
    if (typeof request === 'number') {
      if (request > 0) await send(out.subarray(0, request));
      return;
    }
    if (!isTransfer(request)) {
      await send(this.withoutTransfer(request, TCP_MAX));
      return;
    }
    const permission = this.permit(request);
    if (permission.kind === 'refused') {
      await send(this.reply.bare(request, permission.rcode, TCP_MAX));
      return;
    }
    const version = this.capture(permission.zone);
    if (version === null) {
      await send(this.reply.bare(request, RCODE.servFail, TCP_MAX));
      return;
    }
    const since = request.wants.kind === 'ixfr' ? request.wants.since : null;
    if (since !== null && serialCompare(since, version.serial) >= 0) {
      await send(this.reply.soa(request, version, TCP_MAX));
      return;
    }
    await this.streamVersion(request, version, since, send);
  }

  /** A whole zone, or what it differs in from the one with serial `since`. */
  private async streamVersion(
    request: Request,
    version: ZoneVersion,
    since: number | null,
    send: (message: Uint8Array) => Promise<boolean>,
  ): Promise<void> {
    let open = true;
    const packer = this.sparePackers.pop() ?? new MessagePacker();
    const head = replyHead(request.message, request.questionEnd, RCODE.noError, true);
    const stream = new TransferStream(head, this.reply.optRecord(request), packer, {
      send: async (message) => {
        open = await send(message);
        return open;
      },
      signer: request.signer,
      now: this.options.now,
      slices: this.slices,
    });
    const records = since === null ? null : this.differenceSince(version, since);
    this.noteTransfer(request, version, since, records);
    const isWhole = await (records === null ? sendWholeZone(version, stream) : sendDifference(records, stream));
    if (this.sparePackers.length < SPARE_MAX) this.sparePackers.push(packer);
    // A peer that went away is no bug; a record that cannot be sent is, and what was sent must not look whole.
    if (!isWhole && open) throw new Error('a transfer could not be finished');
  }

  /**
   * What fits into one packet of at most `limit` octets: an ordinary answer, a refusal, a difference, the current SOA.
   */
  private packetAnswer(request: Request, limit: number): Uint8Array {
    if (!isTransfer(request)) return this.withoutTransfer(request, limit);
    const permission = this.permit(request);
    if (permission.kind === 'refused') return this.reply.bare(request, permission.rcode, limit);
    // AXFR is for streams only (RFC 5936 §4.2).
    if (request.wants.kind === 'axfr') return this.reply.bare(request, RCODE.formErr, limit);
    const version = this.capture(permission.zone);
    if (version === null) return this.reply.bare(request, RCODE.servFail, limit);
    const since = request.wants.since ?? 0;
    const records =
      serialCompare(since, version.serial) >= 0 ? null : this.differenceSince(version, since, PACKET_CHANGES_MAX);
    const answer = records === null ? null : this.reply.difference(request, records, limit);
    // One SOA: "take this, or come by TCP for the rest" (RFC 1995 §2).
    if (answer === null) return this.reply.soa(request, version, limit);
    this.noteTransfer(request, version, since, records);
    return answer;
  }

  /** We are no secondary: NOTIFY is refused, whoever sends it (RFC 1996 §3.10). All else is the responder's. */
  private withoutTransfer(request: Request, limit: number): Uint8Array {
    const { reply } = this;
    return request.wants.kind === 'notify' ? reply.bare(request, RCODE.refused, limit) : reply.ordinary(request, limit);
  }

  /** The request; a number: the length of its answer, which is settled and in `out`. */
  private open(message: Uint8Array, client: Client, out: Uint8Array): Request | number {
    const request = openRequest(message, client, this.transfer.keys, this.options.now(), out);
    if (!('kind' in request)) return request;
    if (request.length > 0) this.noteSettled(message, client, out.slice(0, request.length));
    return request.length;
  }

  /** Counts and logs a refusal over the signature. */
  private noteSettled(message: Uint8Array, { transport, address }: Client, answer: Uint8Array): void {
    const { stats, responder, log } = this.options;
    withQuestion(message, (type, name, wire) => {
      const isTransferType = type === TYPE.axfr || type === TYPE.ixfr;
      const zone = isTransferType ? responder.zones.byName(wire) : responder.zones.answering(name, type);
      stats.countQuery(transport, type, zone?.network ?? NO_ZONE);
    });
    stats.countAnswer(transport, answer[3] & 0xf);
    if (this.transfer.quiet !== true) log(`refused, ${signatureFault(answer)}: ${addressText(address)}`);
  }

  /**
   * Whether the request may transfer its zone; it is counted. NOTAUTH where we have no such zone (RFC 5936 §2.2.1),
   * FORMERR to IXFR without its SOA (RFC 1995 §3), REFUSED to strangers.
   */
  private permit({ client, keyName, wants }: TransferRequest): Permission {
    const { responder, stats } = this.options;
    const zone = responder.zones.byName(wants.zone);
    stats.countQuery(client.transport, wants.kind === 'axfr' ? TYPE.axfr : TYPE.ixfr, zone?.network ?? NO_ZONE);
    if (zone === null) return { kind: 'refused', rcode: RCODE.notAuth };
    const tls = client.transport === TRANSPORT.tls;
    // RFC 9103 §7: over TLS only by its newest version, and by a client that negotiated it.
    if (tls && client.carriesTransfers !== true) return { kind: 'refused', rcode: RCODE.refused };
    const key = this.transfer.keys.find(({ name }) => name === keyName) ?? null;
    const network = zone.network === 0 ? null : (this.transfer.rows[zone.network] ?? null);
    const asks = { address: client.address, key, zone: zone.origin, network, tls };
    if (!mayTransfer(this.transfer.allow, asks)) {
      this.logRefusal(zone, client, keyName === null ? 'not signed' : `signed with ${nameText(keyName)}`);
      return { kind: 'refused', rcode: RCODE.refused };
    }
    if (zone.isHeld) {
      if (this.transfer.quiet !== true) {
        const to = addressText(client.address);
        this.options.log(`${nameText(zone.origin)}: refused, its version is not in force on the vantages: ${to}`);
      }
      return { kind: 'refused', rcode: RCODE.refused };
    }
    return wants.kind === 'ixfr' && wants.since === null
      ? { kind: 'refused', rcode: RCODE.formErr }
      : { kind: 'allowed', zone };
  }

  private logRefusal({ origin }: ServedZone, { address, transport }: Client, signed: string): void {
    if (this.transfer.quiet === true) return;
    const who = `${addressText(address)}${transport === TRANSPORT.tls ? ' over TLS' : ''}, ${signed}`;
    this.options.log(`${nameText(origin)}: refused, no rule allows this transfer: ${who}`);
  }

  /** Counts and logs a transfer. */
  private noteTransfer(
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

  private differenceSince(version: ZoneVersion, serial: number, octetsMax?: number): readonly StepRecord[] | null {
    const difference = this.options.history.difference(version, serial, octetsMax);
    return difference === null ? null : differenceRecords(version, difference);
  }

  private capture(zone: ServedZone): ZoneVersion | null {
    const { slots, responder, catchUp } = this.options;
    return captureVersion(slots, () => responder.zones.byName(zone.origin), catchUp);
  }
}

function isTransfer(request: Request): request is TransferRequest {
  return request.wants.kind === 'axfr' || request.wants.kind === 'ixfr';
}
