/** Whole zones over a stream (RFC 5936): the SOA, everything else, the SOA again, many records a message. */

import { TCP_MAX } from '../../dns/message.ts';
import type { MessagePacker } from '../../dns/message-writer.ts';
import type { TsigSigner } from '../../dns/tsig.ts';
import { TSIG_ROOM } from '../../dns/tsig-record.ts';
import { appendRecord } from './reply-parts.ts';
import type { Slices } from './slices.ts';
import { versionCursor, type ZoneVersion } from './version.ts';

/** Beyond 16 KiB names cannot be pointed to, so larger messages would be larger altogether. */
const MESSAGE_OCTETS = 16_384;
const NO_OPT = new Uint8Array(0);

export type TransferTools = {
  /** Resolves to false when the peer is gone. */
  readonly send: (message: Uint8Array) => Promise<boolean>;
  /** Null: the request was not signed. Else every message is, though RFC 8945 §5.3.1 would allow gaps. */
  readonly signer: TsigSigner | null;
  /** Epoch seconds. */
  readonly now: () => number;
  /** Pauses for others: a fast reader takes a zone of a million records without one of its own. */
  readonly slices: Slices;
};

/** Sends records in as few messages as they fit in. Memory: one message, whatever the number of records. */
export class TransferStream {
  private readonly packer: MessagePacker;
  private readonly tools: TransferTools;
  private readonly head: Uint8Array;
  private readonly bareHead: Uint8Array;
  /** Still to be sent. */
  private opt: Uint8Array;

  /**
   * `head`: header with flags and identifier set, and the question, which only the first message repeats (§2.2). `opt`:
   * for the first message (§2.2.5), may be empty. `packer` is for this stream alone until its last promise is resolved.
   */
  constructor(head: Uint8Array, opt: Uint8Array, packer: MessagePacker, tools: TransferTools) {
    this.packer = packer;
    this.opt = opt;
    this.head = head;
    this.bareHead = head.slice(0, 12);
    this.bareHead[5] = 0; // QDCOUNT
    this.tools = tools;
    this.packer.begin(this.head);
  }

  /** Puts a record into the present message; false, with nothing done, where `add` must make room. */
  put(owner: Uint8Array, type: number, ttl: number, rdata: Uint8Array, rdataLength: number): boolean {
    return this.packer.add(owner, type, ttl, rdata, rdataLength, MESSAGE_OCTETS);
  }

  /** False: the peer is gone, or the record fits into no message at all. */
  async add(owner: Uint8Array, type: number, ttl: number, rdata: Uint8Array, rdataLength: number): Promise<boolean> {
    if (this.put(owner, type, ttl, rdata, rdataLength)) return true;
    if (this.packer.answers > 0) {
      if (!(await this.flush())) return false;
      if (this.put(owner, type, ttl, rdata, rdataLength)) return true;
    }
    const reserved = this.opt.length + (this.tools.signer === null ? 0 : TSIG_ROOM);
    return this.packer.add(owner, type, ttl, rdata, rdataLength, TCP_MAX - reserved);
  }

  /** Sends the last message. */
  end(): Promise<boolean> {
    return this.flush(true);
  }

  private async flush(last = false): Promise<boolean> {
    const { signer, send, now, slices } = this.tools;
    let length = appendRecord(this.packer.out, this.packer.finish(), this.opt);
    this.opt = NO_OPT;
    if (signer !== null) length = signer.sign(this.packer.out, length, now());
    const isOpen = await send(this.packer.out.subarray(0, length));
    if (!last && slices.isSpent()) await slices.next();
    this.packer.begin(this.bareHead);
    return isOpen;
  }
}

/** Streams a whole version. False: it could not be finished, and the connection must not look as if it had been. */
export async function sendWholeZone(version: ZoneVersion, stream: TransferStream): Promise<boolean> {
  const cursor = versionCursor(version);
  if (cursor === null || !cursor.next()) return false;
  const soa = { owner: cursor.owner.slice(), type: cursor.type, ttl: cursor.ttl, rdata: cursor.rdata.slice() };
  do {
    const { ownerOctets, type, ttl, rdataOctets, rdataLength } = cursor;
    // A promise for each record would take longer than the record.
    if (stream.put(ownerOctets, type, ttl, rdataOctets, rdataLength)) continue;
    if (!(await stream.add(cursor.owner, type, ttl, rdataOctets, rdataLength))) return false;
  } while (cursor.next());
  if (!(await stream.add(soa.owner, soa.type, soa.ttl, soa.rdata, soa.rdata.length))) return false;
  return stream.end();
}
