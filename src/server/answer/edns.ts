import type { ServerConfig } from '../../config/types.ts';
import type { Edns } from '../../dns/decode-edns.ts';
import * as message from '../../dns/message.ts';
import { COOKIE_LENGTH } from './cookie.ts';

// Bindings of another module are looked up at each use in V8, constants of this module are not: a tenth of an answer's
// time.
const { EDE, OPTION, TYPE } = message;

const OPT_FIXED = 11;
const OPTION_HEAD = 4;
/** So that an identifier never crowds out an answer. */
const NSID_MAX = 128;
const TENTHS = 10; // the TCP timeout is in units of 100 ms, RFC 7828 §3.1

/** Writes the OPT record of an answer (RFC 6891 §6.1.2): our payload size, DO as asked, the options we answer. */
export class OptWriter {
  private nsid: Uint8Array | null = null;
  private payload = 1232;
  private idleTenths = 0;
  private readonly texts: ReadonlyMap<number, Uint8Array>;

  constructor(texts: ReadonlyMap<number, string>) {
    this.texts = new Map([...texts].map(([code, text]) => [code, new TextEncoder().encode(text)]));
  }

  configure(server: ServerConfig): void {
    this.nsid = server.nsid?.subarray(0, NSID_MAX) ?? null;
    this.payload = server.ednsSize;
    this.idleTenths = Math.min(0xffff, Math.round(server.tcpIdleSeconds * TENTHS));
  }

  /** Octets to keep free for the record; an extended error is added only where it fits. */
  size(edns: Edns, tcp: boolean, cookie: boolean): number {
    if (!edns.present) return 0;
    let size = OPT_FIXED;
    if (edns.nsid && this.nsid !== null) size += OPTION_HEAD + this.nsid.length;
    if (cookie) size += OPTION_HEAD + COOKIE_LENGTH;
    if (edns.keepalive && tcp) size += OPTION_HEAD + 2;
    return size;
  }

  /**
   * Writes it at `out[at]`; returns the offset after it. `rcode` is the whole extended code, `cookie` the whole COOKIE
   * or null, `error` an extended error or EDE.none. Identifier and error are left out when they do not fit before
   * `limit`.
   */
  write(
    out: Uint8Array,
    view: DataView,
    at: number,
    limit: number,
    edns: Edns,
    rcode: number,
    tcp: boolean,
    cookie: Uint8Array | null,
    error: number,
  ): number {
    out[at] = 0; // the root
    view.setInt32(at + 1, (TYPE.opt << 16) | this.payload);
    // Upper bits of the rcode, version 0, DO as in the query (RFC 3225 §3), all other flags clear.
    view.setInt32(at + 5, ((rcode >>> 4) << 24) | (edns.dnssecOk ? 0x8000 : 0));
    const options = at + OPT_FIXED;
    let to = options;
    if (cookie !== null) to = option(out, to, OPTION.cookie, cookie);
    if (edns.nsid && this.nsid !== null && to + OPTION_HEAD + this.nsid.length <= limit) {
      to = option(out, to, OPTION.nsid, this.nsid);
    }
    if (edns.keepalive && tcp) {
      to = optionHead(out, to, OPTION.keepalive, 2);
      out[to++] = this.idleTenths >>> 8;
      out[to++] = this.idleTenths;
    }
    if (error !== EDE.none) to = this.extendedError(out, to, limit, error);
    view.setInt16(at + 9, to - options);
    return to;
  }

  private extendedError(out: Uint8Array, at: number, limit: number, error: number): number {
    const text = this.texts.get(error);
    const length = 2 + (text?.length ?? 0);
    if (at + OPTION_HEAD + length > limit) return at;
    let to = optionHead(out, at, OPTION.extendedError, length);
    out[to++] = error >>> 8;
    out[to++] = error;
    if (text !== undefined) for (let i = 0; i < text.length; i++) out[to++] = text[i];
    return to;
  }
}

function optionHead(out: Uint8Array, at: number, code: number, length: number): number {
  out[at] = code >>> 8;
  out[at + 1] = code;
  out[at + 2] = length >>> 8;
  out[at + 3] = length;
  return at + OPTION_HEAD;
}

function option(out: Uint8Array, at: number, code: number, value: Uint8Array): number {
  let to = optionHead(out, at, code, value.length);
  for (let i = 0; i < value.length; i++) out[to++] = value[i];
  return to;
}
