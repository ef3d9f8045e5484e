import type { ServerConfig } from '../../config/types.ts';
import * as decoding from '../../dns/decode.ts';
import { Query } from '../../dns/decode.ts';
import * as message from '../../dns/message.ts';
import { MessageViews } from '../../dns/message-view.ts';
import { padAnswer } from '../../dns/padding.ts';
import type { LiveSlots } from '../../live/slots.ts';
import type { Stats } from '../stats.ts';
import * as statistics from '../stats.ts';
import * as answerKind from './answer-kind.ts';
import { ZoneAnswer } from './answer-zone.ts';
import { ChaosNames, writeChaosText } from './chaos.ts';
import type { Client } from './client.ts';
import * as clients from './client.ts';
import * as cookies from './cookie.ts';
import { ServerCookies } from './cookie.ts';
import { OptWriter } from './edns.ts';
import type { PacketBuffers } from './packet-buffers.ts';
import { ERROR_TEXTS, metaRcode, REFUSAL_ERRORS } from './refusal.ts';
import * as repeats from './response-cache.ts';
import { ResponseCache } from './response-cache.ts';
import { type ServedZone, ZoneTable } from './zone-table.ts';
import type { ZoneUpdate } from './zone-update.ts';

// Imported names are looked up at each use, constants of this module are folded into the code: a tenth of the time.
const { KIND } = answerKind;
const { REPEAT_FLAG } = repeats;
const { COOKIE } = cookies;
const { DECODED } = decoding;
const { TRANSPORT } = clients;
const { CLASS, EDE, HEADER_LENGTH, RCODE, TCP_MAX, TYPE, UDP_PLAIN_MAX } = message;
const { EVENT, NO_ZONE } = statistics;

/** Not answered here: a transfer, NOTIFY or a signed message. What `out` holds means nothing. */
export const SPECIAL = -1;

// Octet 2 of the header.
const FLAG_QR = 0x80;
const FLAG_AA = 0x04;
const FLAG_TC = 0x02;
const FLAG_RD = 0x01;
const OPCODE_BITS = 0x78;

export type ResponderOptions = {
  readonly slots: LiveSlots;
  readonly stats: Stats;
  readonly server: ServerConfig;
  /** Epoch seconds, for the age of cookies. */
  readonly now?: () => number;
};

/**
 * Query octets in, answer octets out, whatever the transport. One for each thread; `respond` allocates nothing on the
 * usual path, so everything it works with is laid out here once.
 */
export class Responder {
  /** About the last answer, for rate limits: its (extended) rcode, one of KIND, … */
  lastRcode = 0;
  lastKind: number = KIND.error;
  /** … the zone's number (-1: none), the hash of the name that answers of this kind have in common, … */
  lastZone = -1;
  lastHash = 0;
  /** … and whether the client has shown a cookie of ours. */
  lastHadGoodCookie = false;

  readonly zones: ZoneTable = new ZoneTable();
  private readonly stats: Stats;
  private readonly slots: LiveSlots;
  private readonly query = new Query();
  private readonly views = new MessageViews();
  /** The answer being made. */
  private out: Uint8Array = new Uint8Array(0);
  private view: DataView = new DataView(this.out.buffer);
  private readonly answer: ZoneAnswer;
  private readonly repeats: ResponseCache;
  /** Where the query being answered lies if its answer is to be kept for the next time, and the numbers of both there. */
  private keptIn: PacketBuffers | null = null;
  private queryNumber = 0;
  private answerNumber = 0;
  private readonly opt = new OptWriter(ERROR_TEXTS);
  private readonly chaos = new ChaosNames();
  private ednsSize = 1232;
  private cookies: ServerCookies | null = null;
  private readonly now: () => number;
  /** The COOKIE option of the answer being made. */
  private cookie: Uint8Array | null = null;

  constructor({ slots, stats, server, now = epochSeconds }: ResponderOptions) {
    this.stats = stats;
    this.slots = slots;
    this.now = now;
    this.repeats = new ResponseCache(slots);
    this.answer = new ZoneAnswer(slots, this.zones);
    this.configure(server);
  }

  apply(updates: readonly ZoneUpdate[]): void {
    this.repeats.clear(); // first: an update may throw
    this.zones.apply(updates);
  }

  configure(server: ServerConfig): void {
    this.ednsSize = Math.max(UDP_PLAIN_MAX, server.ednsSize);
    this.answer.minimal = server.minimal;
    this.opt.configure(server);
    this.chaos.configure(server.version, server.id);
    const secrets = server.cookieSecrets;
    this.cookies = secrets === null || secrets.length === 0 ? null : new ServerCookies(secrets);
    this.repeats.clear();
  }

  /**
   * Answers the first `length` octets of `query` into `out` (another buffer, of at least 512 octets; 65,535 for TCP; one of
   * few that come again) and returns the answer's length; 0: no reply; SPECIAL: not for this function.
   */
  respond(query: Uint8Array, length: number, out: Uint8Array, client: Client): number {
    this.keptIn = null;
    return this.fresh(query, length, out, this.views.of(out), client);
  }

  look(packets: PacketBuffers, count: number): void {
    this.repeats.look(packets, count);
  }

  /** The same for query `i` of a UDP front end, into answer `k`. What comes again is answered as it was the last time. */
  respondIn(packets: PacketBuffers, i: number, k: number, client: Client): number {
    const { repeats } = this;
    const length = packets.lengths[i];
    const size = repeats.find(packets, i, length, k);
    if (size > 0) return this.repeated(client.transport, size);
    this.keptIn = repeats.wanted ? packets : null;
    this.queryNumber = i;
    this.answerNumber = k;
    return this.fresh(packets.queries[i], length, packets.answers[k], packets.answerViews[k], client);
  }

  private fresh(query: Uint8Array, length: number, out: Uint8Array, view: DataView, client: Client): number {
    const { counters } = this.stats;
    this.lastHadGoodCookie = false;
    this.lastKind = KIND.error;
    this.lastZone = -1;
    this.lastHash = 0;
    this.out = out;
    this.view = view;
    const decoded = this.query.decode(query, length, view);
    if (decoded === DECODED.drop) {
      counters[EVENT.dropped] += 1;
      return 0;
    }
    if (decoded === DECODED.special) return SPECIAL;
    this.cookie = null;
    if (this.query.edns.present) {
      counters[EVENT.edns] += 1;
      if (!this.takeCookie(query, client)) return this.refuse(query, client, RCODE.formErr, EDE.none);
    }
    if (decoded === DECODED.notImp) {
      const rcode = this.query.edns.version === 0 ? RCODE.notImp : RCODE.badVers;
      return this.refuse(query, client, rcode, EDE.none);
    }
    if (decoded === DECODED.formErr) {
      // RFC 7873 §5.4: without a question, a client asks for a cookie.
      const rcode = this.query.isEmpty && this.cookie !== null ? RCODE.noError : RCODE.formErr;
      return this.refuse(query, client, rcode, EDE.none);
    }
    return this.question(query, client);
  }

  /** An answer with this rcode and no records to what is SPECIAL, signature taken off; as `respond` in all else. */
  refuseSpecial(query: Uint8Array, length: number, out: Uint8Array, client: Client, rcode: number): number {
    this.out = out;
    this.view = this.views.of(out);
    if (this.query.decode(query, length, this.view) === DECODED.drop) return 0;
    this.cookie = null;
    if (!this.takeCookie(query, client)) return this.refuse(query, client, RCODE.formErr, EDE.none);
    if (this.query.edns.version !== 0) return this.refuse(query, client, RCODE.badVers, EDE.none);
    return this.refuse(query, client, rcode, REFUSAL_ERRORS.get(rcode) ?? EDE.none);
  }

  /** Counts an answer of `size` octets that was given before, as if it were new. */
  private repeated(transport: number, size: number): number {
    const { repeats, stats } = this;
    const { rcode, flags } = repeats;
    this.lastHadGoodCookie = false;
    this.lastRcode = rcode;
    this.lastKind = repeats.kind;
    this.lastZone = repeats.zone;
    this.lastHash = repeats.nameHash;
    if ((flags & REPEAT_FLAG.edns) !== 0) stats.counters[EVENT.edns] += 1;
    if ((flags & REPEAT_FLAG.truncated) !== 0) stats.counters[EVENT.truncated] += 1;
    stats.countQuery(transport, repeats.type, repeats.network);
    stats.countAnswer(transport, rcode);
    return size;
  }

  /** Judges the query's cookie and prepares ours. False: it is malformed (RFC 7873 §5.2.2). */
  private takeCookie(query: Uint8Array, client: Client): boolean {
    const { edns } = this.query;
    const { cookies } = this;
    if (cookies === null || edns.cookieLength < 0) return true;
    const verdict = cookies.check(query, edns.cookieAt, edns.cookieLength, client.address, this.now());
    if (verdict === COOKIE.malformed) return false;
    this.cookie = cookies.option;
    if (verdict === COOKIE.good) {
      this.stats.counters[EVENT.cookie_good] += 1;
      this.lastHadGoodCookie = true;
    } else if (verdict === COOKIE.bad) this.stats.counters[EVENT.cookie_bad] += 1;
    return true;
  }

  private question(query: Uint8Array, client: Client): number {
    const { type, edns } = this.query;
    const { transport } = client;
    // RFC 6891 §6.1.3: a version we do not know is told ours, whatever the question.
    if (edns.version !== 0) return this.refuse(query, client, RCODE.badVers, EDE.none);
    if (this.query.class !== CLASS.in) return this.otherClass(query, client);
    if (type >= TYPE.tkey || type === TYPE.opt) {
      if (type === TYPE.ixfr || (type === TYPE.axfr && transport >= TRANSPORT.tcp)) return SPECIAL;
      const rcode = metaRcode(type);
      if (rcode !== RCODE.noError) return this.refuse(query, client, rcode, EDE.notSupported);
    }
    const zone = this.zones.answering(this.query.name, type);
    this.stats.countQuery(transport, type, zone === null ? NO_ZONE : zone.network);
    if (zone === null) return this.refuse(query, client, RCODE.refused, EDE.notAuthoritative);
    if (zone.catalog && !this.asksForSoaOf(zone)) return this.refuse(query, client, RCODE.refused, EDE.prohibited);
    return this.zoneAnswer(query, client, zone);
  }

  /** All that a secondary asks of a catalog besides transfers. Who may not transfer it must not read it (RFC 9432 §7). */
  private asksForSoaOf(zone: ServedZone): boolean {
    return this.query.type === TYPE.soa && this.query.name.labels === zone.originLabels;
  }

  private zoneAnswer(query: Uint8Array, client: Client, zone: ServedZone): number {
    const { answer, out, view } = this;
    const { type, name, edns, questionEnd } = this.query;
    const tcp = client.transport >= TRANSPORT.tcp;
    const limit = this.limit(out, tcp);
    const { keptIn } = this;
    const sequence = keptIn === null || zone.slot < 0 ? 0 : this.slots.sequence(zone.slot);
    answer.writer.begin(out, view, questionEnd, limit - this.opt.size(edns, tcp, this.cookie !== null));
    answer.answer(query, name, type, zone, tcp);
    this.lastZone = zone.zone;
    this.lastKind = answer.kind;
    this.lastHash = answer.hash;
    if (answer.truncated) this.stats.counters[EVENT.truncated] += 1;
    const flags = (answer.authoritative ? FLAG_AA : 0) | (answer.truncated ? FLAG_TC : 0);
    view.setInt32(6, (answer.answers << 16) | answer.authorities);
    view.setInt16(10, answer.additionals);
    const size = this.finish(query, answer.writer.at, limit, client, answer.rcode, flags, answer.error);
    if (keptIn !== null && answer.kind !== KIND.error && !answer.leftZone && this.cookie === null) {
      this.keep(keptIn, size, zone, sequence);
    }
    return size;
  }

  /** Keeps the answer that was just made: the same octets will be answered with it, until a zone or a live set changes. */
  private keep(packets: PacketBuffers, size: number, zone: ServedZone, sequence: number): void {
    const { repeats, answer } = this;
    const { edns, type, end } = this.query;
    repeats.type = type;
    repeats.network = zone.network;
    repeats.zone = zone.zone;
    repeats.kind = answer.kind;
    repeats.nameHash = answer.hash;
    repeats.rcode = answer.rcode;
    repeats.flags = (edns.present ? REPEAT_FLAG.edns : 0) | (answer.truncated ? REPEAT_FLAG.truncated : 0);
    const { queryNumber, answerNumber } = this;
    repeats.keep(packets, queryNumber, end, answerNumber, size, zone.slot, sequence, answer.writer.liveBlock);
  }

  /** Class CH tells version and identifier, if the operator wants it; no other class exists here. */
  private otherClass(query: Uint8Array, client: Client): number {
    const { class: queryClass, name, type } = this.query;
    const text = queryClass === CLASS.ch ? this.chaos.find(query, name.length, type) : null;
    if (text === null) return this.refuse(query, client, RCODE.refused, EDE.notSupported);
    this.stats.countQuery(client.transport, type, NO_ZONE);
    const at = writeChaosText(this.out, this.query.questionEnd, text);
    this.lastKind = KIND.positive;
    this.view.setInt32(6, 1 << 16);
    this.view.setInt16(10, 0);
    return this.finish(query, at, this.out.length, client, RCODE.noError, FLAG_AA, EDE.none);
  }

  /** An answer without records. */
  private refuse(query: Uint8Array, client: Client, rcode: number, error: number): number {
    this.view.setInt32(6, 0);
    this.view.setInt16(10, 0);
    const limit = this.limit(this.out, client.transport >= TRANSPORT.tcp);
    return this.finish(query, this.query.questionEnd, limit, client, rcode, 0, error);
  }

  private limit(out: Uint8Array, tcp: boolean): number {
    const { edns } = this.query;
    let limit = TCP_MAX;
    if (!tcp) {
      // RFC 6891 §6.2.3: less than 512 means 512.
      limit = UDP_PLAIN_MAX;
      if (edns.present && edns.size > limit) limit = Math.min(edns.size, this.ednsSize);
    }
    return Math.min(limit, out.length);
  }

  /**
   * Identifier, flags, OPT and statistics; the counts of the sections are there. RD is copied to answers to QUERY only (RFC
   * 1035 §4.1.1 knows it for these); RA, Z, AD and CD stay clear (RFC 4035 §3.1.6). Returns the message's length.
   */
  private finish(
    query: Uint8Array,
    end: number,
    limit: number,
    { transport }: Client,
    rcode: number,
    flags: number,
    error: number,
  ): number {
    const { out, view } = this;
    const { edns, flags1, questionEnd } = this.query;
    out[0] = query[0];
    out[1] = query[1];
    const opcode = flags1 & OPCODE_BITS;
    out[2] = FLAG_QR | opcode | (opcode === 0 ? flags1 & FLAG_RD : 0) | flags;
    out[3] = rcode & 0xf;
    view.setInt16(4, questionEnd > HEADER_LENGTH ? 1 : 0);
    this.lastRcode = rcode;
    this.stats.countAnswer(transport, rcode);
    if (!edns.present) return end;
    view.setInt16(10, view.getInt16(10) + 1);
    const to = this.opt.write(out, view, end, limit, edns, rcode, transport >= TRANSPORT.tcp, this.cookie, error);
    return edns.padding && transport === TRANSPORT.tls ? padAnswer(out, view, end, to, limit) : to;
  }
}

function epochSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
