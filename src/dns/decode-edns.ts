import * as message from './message.ts';

// Bindings of another module are looked up at each use in V8, constants of this module are not: a tenth of an answer's
// time.
const { OPTION } = message;

/** What a query's OPT record says (RFC 6891 §6.1). The query path has one object for all queries. */
export class Edns {
  present = false;
  version = 0;
  /** Requestor's UDP payload size as sent. */
  size = 0;
  dnssecOk = false;
  /** Asks for the server's identifier, RFC 5001. */
  nsid = false;
  /** Asks for the TCP timeout, RFC 7828. */
  keepalive = false;
  /** Has padding, so the answer gets some where it is encrypted, RFC 7830 §4. */
  padding = false;
  /** Place of the cookie's first octet in the query, and its length; length -1: no cookie (RFC 7873 §4). */
  cookieAt = 0;
  cookieLength = -1;

  clear(): void {
    this.present = false;
    this.version = 0;
    this.size = 0;
    this.dnssecOk = false;
    this.nsid = false;
    this.keepalive = false;
    this.padding = false;
    this.cookieAt = 0;
    this.cookieLength = -1;
  }

  copy(): Edns {
    return Object.assign(new Edns(), this);
  }

  /**
   * Reads the OPT record whose type field is at `query[at]` and whose rdata ends at `end`. False when an option runs
   * past the rdata. Options of a version above 0 are not looked at: their layout is not known.
   */
  read(query: Uint8Array, at: number, end: number): boolean {
    this.present = true;
    this.size = (query[at + 2] << 8) | query[at + 3];
    this.version = query[at + 5];
    this.dnssecOk = (query[at + 6] & 0x80) !== 0;
    if (this.version !== 0) return true;
    let option = at + 10;
    while (option < end) {
      if (option + 4 > end) return false;
      const code = (query[option] << 8) | query[option + 1];
      const length = (query[option + 2] << 8) | query[option + 3];
      if (option + 4 + length > end) return false;
      if (code === OPTION.nsid) this.nsid = true;
      else if (code === OPTION.keepalive) this.keepalive = true;
      else if (code === OPTION.padding) this.padding = true;
      else if (code === OPTION.cookie && this.cookieLength < 0) {
        // RFC 7873 §5.2: of several COOKIE options the first one counts.
        this.cookieAt = option + 4;
        this.cookieLength = length;
      }
      option += 4 + length;
    }
    return true;
  }
}
