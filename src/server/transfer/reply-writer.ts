import type { ServerConfig } from '../../config/types.ts';
import { EDE, RCODE } from '../../dns/message.ts';
import { MessagePacker } from '../../dns/message-writer.ts';
import type { StepRecord } from '../../zones/journal/step.ts';
import { OptWriter } from '../answer/edns.ts';
import { TRANSPORT } from '../answer/front-end.ts';
import type { Responder } from '../answer/respond.ts';
import type { Stats } from '../stats.ts';
import { packDifference } from './ixfr.ts';
import { appendRecord, replyHead } from './reply-parts.ts';
import type { Request } from './request.ts';
import { versionCursor, type ZoneVersion } from './version.ts';

/** Buffers for the responder come in steps of so many octets: it wants few that are used again. */
const BUFFER_STEP = 64;
const BUFFER_MIN = 320; // holds any question
const NO_OPT = new Uint8Array(0);

/**
 * Answers of one message. Each is made in the same buffer, so it is to be sent or copied before the next one is made.
 * They are signed where the request was. `limit`: octets that the whole answer may have.
 */
export class ReplyWriter {
  private readonly responder: Responder;
  private readonly stats: Stats;
  /** Epoch seconds. */
  private readonly now: () => number;
  private readonly packer = new MessagePacker();
  /** Beginnings of the packer's buffer, by size. */
  private readonly buffers = new Map<number, Uint8Array>();
  private readonly opt = new OptWriter(new Map());

  constructor(responder: Responder, stats: Stats, now: () => number) {
    this.responder = responder;
    this.stats = stats;
    this.now = now;
  }

  configure(server: ServerConfig): void {
    this.opt.configure(server);
  }

  /** The responder's answer to the request without its signature. Empty: there is none. */
  ordinary(request: Request, limit: number): Uint8Array {
    const { message, client } = request;
    const out = this.buffer(limit, request);
    return this.signed(request, this.responder.respond(message, message.length, out, client));
  }

  /** Nothing but an rcode; question and OPT as in the request. Empty: there is no answer. */
  bare(request: Request, rcode: number, limit: number): Uint8Array {
    const { message, client } = request;
    const out = this.buffer(limit, request);
    return this.signed(request, this.responder.refuse(message, message.length, out, client, rcode));
  }

  /** The version's SOA alone, SERVFAIL where it has none. */
  soa(request: Request, version: ZoneVersion, limit: number): Uint8Array {
    const cursor = versionCursor(version);
    if (cursor === null || !cursor.next()) return this.bare(request, RCODE.servFail, limit);
    const { packer } = this;
    packer.begin(replyHead(request.message, request.questionEnd, RCODE.noError, true));
    packer.add(cursor.owner, cursor.type, cursor.ttl, cursor.rdataOctets, cursor.rdataLength, limit);
    this.stats.countAnswer(request.client.transport, RCODE.noError);
    return this.signed(request, appendRecord(packer.out, packer.finish(), this.optRecord(request)));
  }

  /** A whole difference; null: it does not fit. */
  difference(request: Request, records: readonly StepRecord[], limit: number): Uint8Array | null {
    const { packer } = this;
    const opt = this.optRecord(request);
    packer.begin(replyHead(request.message, request.questionEnd, RCODE.noError, true));
    if (!packDifference(records, packer, limit - opt.length - (request.signer?.recordLength ?? 0))) return null;
    return this.signed(request, appendRecord(packer.out, packer.finish(), opt));
  }

  /** OPT of the answer (RFC 6891 §6.1.1); empty: the request has none. */
  optRecord({ client, edns }: Request): Uint8Array {
    if (!edns.present) return NO_OPT;
    const stream = client.transport >= TRANSPORT.tcp;
    const out = new Uint8Array(this.opt.size(edns, stream, false));
    this.opt.write(out, new DataView(out.buffer), 0, out.length, edns, RCODE.noError, stream, null, EDE.none);
    return out;
  }

  private signed({ signer }: Request, length: number): Uint8Array {
    const { out } = this.packer;
    if (length <= 0) return out.subarray(0, 0);
    return out.subarray(0, signer === null ? length : signer.sign(out, length, this.now()));
  }

  /** The part of the packer's buffer that the answer may fill before it is signed. */
  private buffer(limit: number, { signer }: Request): Uint8Array {
    const free = limit - (signer?.recordLength ?? 0);
    const size = Math.max(free - (free % BUFFER_STEP), BUFFER_MIN);
    let buffer = this.buffers.get(size);
    if (buffer === undefined) {
      buffer = this.packer.out.subarray(0, size);
      this.buffers.set(size, buffer);
    }
    return buffer;
  }
}
