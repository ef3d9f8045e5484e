import type { ServerConfig } from '../../config/types.ts';
import * as decoding from '../../dns/decode.ts';
import * as message from '../../dns/message.ts';
import { MessageViews } from '../../dns/message-view.ts';
import { padAnswer } from '../../dns/padding.ts';
import type { LiveSlots } from '../../live/slots.ts';
import type { Stats } from '../stats.ts';
import * as statistics from '../stats.ts';
import { ChaosNames, writeChaosText } from './chaos.ts';
import * as cookies from './cookie.ts';
import { ServerCookies } from './cookie.ts';
import { OptWriter } from './edns.ts';
import type { Answerer, Client, PacketBuffers } from './front-end.ts';
import * as frontEnd from './front-end.ts';
import * as outcome from './outcome.ts';
import { ERROR_TEXTS, type Kind, metaTypeRcode, REFUSAL_ERRORS } from './outcome.ts';
import { QueryContext } from './query-context.ts';
import { ResponseCache } from './response-cache.ts';
import { ZoneAnswer } from './zone-answer.ts';
import { type ServedZone, ZoneTable } from './zone-table.ts';
import type { ZoneUpdate } from './zone-update.ts';

// Bindings of another module are looked up at each use in V8, constants of this module are not: a tenth of an answer's
// time.
const { KIND } = outcome;
const { COOKIE } = cookies;
const { DECODED } = decoding;
const { NOT_PLAIN_QUERY, TRANSPORT } = frontEnd;
const { CLASS, EDE, HEADER_LENGTH, RCODE, TCP_MAX, TYPE, UDP_PLAIN_MAX } = message;
const { EVENT, NO_ZONE } = statistics;

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
 * Query octets in, answer octets out, whatever the transport. One for each thread; answering allocates nothing on the
 * usual path, so everything it works with is laid out here once.
 */
export class Responder implements Answerer {
  readonly zones: ZoneTable = new ZoneTable();
  private readonly stats: Stats;
  private readonly context = new QueryContext();
  private readonly views = new MessageViews();
  private readonly zoneAnswer: ZoneAnswer;
  private readonly cache: ResponseCache;
  private readonly opt = new OptWriter(ERROR_TEXTS);
  private readonly chaos = new ChaosNames();
  private ednsSize = 1232;
  private cookies: ServerCookies | null = null;
  private readonly now: () => number;

  constructor({ slots, stats, server, now = epochSeconds }: ResponderOptions) {
    this.stats = stats;
    this.now = now;
    this.cache = new ResponseCache(slots, (zone) => this.zones.byNumber(zone));
    this.zoneAnswer = new ZoneAnswer(slots, this.zones);
    this.configure(server);
  }

  /** Throws, with some of the updates made, where an image cannot be used. */
  apply(updates: readonly ZoneUpdate[]): void {
    try {
      for (const zone of this.zones.apply(updates)) this.cache.expire(zone);
    } catch (error) {
      this.cache.clear();
      throw error;
    }
  }

  configure(server: ServerConfig): void {
    this.ednsSize = Math.max(UDP_PLAIN_MAX, server.ednsSize);
    this.zoneAnswer.minimal = server.minimal;
    this.opt.configure(server);
    this.chaos.configure(server.version, server.id);
    const secrets = server.cookieSecrets;
    this.cookies = secrets === null || secrets.length === 0 ? null : new ServerCookies(secrets);
    this.cache.clear();
  }

  get lastKind(): Kind {
    return this.context.kind;
  }
  get lastHash(): number {
    return this.context.nameHash;
  }
  get lastHadGoodCookie(): boolean {
    return this.context.hadGoodCookie;
  }

  /**
   * Answers the first `length` octets of `query` into `out` (another buffer, of at least 512 octets; 65,535 for TCP;
   * one of a few that are used again) and returns the answer's length; 0: no reply; NOT_PLAIN_QUERY: nothing that this
   * answers.
   */
  respond(query: Uint8Array, length: number, out: Uint8Array, client: Client): number {
    const { context } = this;
    context.isWanted = false;
    context.begin(query, length, out, this.views.of(out), client);
    return this.answer(context);
  }

  respondIn(packets: PacketBuffers, i: number, k: number, client: Client): number {
    const { context, cache } = this;
    const cached = cache.find(context, packets, i, k);
    if (cached > 0) {
      this.countCached(context, client);
      return cached;
    }
    context.begin(packets.queries[i], packets.lengths[i], packets.answers[k], packets.answerViews[k], client);
    const size = this.answer(context);
    if (context.isWanted && context.zone !== null) {
      cache.keep(context, packets, i, k, size, context.zone, this.zoneAnswer.writer.liveBlock);
    }
    return size;
  }

  /**
   * An answer with this rcode and no records to what is no plain query, signature taken off; as `respond` in all else.
   */
  refuse(query: Uint8Array, length: number, out: Uint8Array, client: Client, rcode: number): number {
    const { context } = this;
    context.begin(query, length, out, this.views.of(out), client);
    if (context.query.decode(query, length, context.view) === DECODED.drop) return 0;
    if (!this.takeCookie(context)) return this.bare(context, RCODE.formErr, EDE.none);
    if (context.query.edns.version !== 0) return this.bare(context, RCODE.badVers, EDE.none);
    return this.bare(context, rcode, REFUSAL_ERRORS.get(rcode) ?? EDE.none);
  }

  private answer(context: QueryContext): number {
    const { query, octets } = context;
    const { counters } = this.stats;
    const decoded = query.decode(octets, context.length, context.view);
    if (decoded === DECODED.drop) {
      counters[EVENT.dropped] += 1;
      return 0;
    }
    if (decoded === DECODED.notPlain) return NOT_PLAIN_QUERY;
    if (query.edns.present) {
      counters[EVENT.edns] += 1;
      if (!this.takeCookie(context)) return this.bare(context, RCODE.formErr, EDE.none);
    }
    switch (decoded) {
      case DECODED.query:
        return this.byClassAndType(context);
      case DECODED.notImp:
        return this.bare(context, query.edns.version === 0 ? RCODE.notImp : RCODE.badVers, EDE.none);
      case DECODED.formErr: {
        // RFC 7873 §5.4: without a question, a client asks for a cookie.
        const asksForCookie = query.isEmpty && context.cookie !== null;
        return this.bare(context, asksForCookie ? RCODE.noError : RCODE.formErr, EDE.none);
      }
      default:
        return decoded satisfies never;
    }
  }

  /** Counts an answer that came from the cache as if it were new. */
  private countCached({ query, rcode, network, isTruncated }: QueryContext, { transport }: Client): void {
    const { stats } = this;
    if (query.edns.present) stats.counters[EVENT.edns] += 1;
    if (isTruncated) stats.counters[EVENT.truncated] += 1;
    stats.countQuery(transport, query.type, network);
    stats.countAnswer(transport, rcode);
  }

  /** Checks the query's cookie and prepares ours. False: it is malformed (RFC 7873 §5.2.2). */
  private takeCookie(context: QueryContext): boolean {
    const { edns } = context.query;
    const { cookies } = this;
    if (cookies === null || edns.cookieLength < 0) return true;
    const { octets, client } = context;
    const verdict = cookies.check(octets, edns.cookieAt, edns.cookieLength, client.address, this.now());
    switch (verdict) {
      case COOKIE.malformed:
        return false;
      case COOKIE.good:
        this.stats.counters[EVENT.cookie_good] += 1;
        context.hadGoodCookie = true;
        break;
      case COOKIE.bad:
        this.stats.counters[EVENT.cookie_bad] += 1;
        break;
      case COOKIE.first:
        break;
      default:
        verdict satisfies never;
    }
    context.cookie = cookies.option;
    return true;
  }

  private byClassAndType(context: QueryContext): number {
    const { query } = context;
    const { type } = query;
    const { transport } = context.client;
    // RFC 6891 §6.1.3: the answer to a version that we do not know says ours, whatever the question.
    if (query.edns.version !== 0) return this.bare(context, RCODE.badVers, EDE.none);
    if (query.class !== CLASS.in) return this.otherClass(context);
    if (type >= TYPE.tkey || type === TYPE.opt) {
      if (type === TYPE.ixfr || (type === TYPE.axfr && transport >= TRANSPORT.tcp)) return NOT_PLAIN_QUERY;
      const rcode = metaTypeRcode(type);
      if (rcode !== RCODE.noError) return this.bare(context, rcode, EDE.notSupported);
    }
    const zone = this.zones.answering(query.name, type);
    context.network = zone === null ? NO_ZONE : zone.network;
    this.stats.countQuery(transport, type, context.network);
    if (zone === null) return this.bare(context, RCODE.refused, EDE.notAuthoritative);
    // All that a secondary asks of a catalog besides transfers. Who may not transfer it must not read it (RFC 9432 §7).
    const reveals = zone.catalog && !(type === TYPE.soa && query.name.labels === zone.originLabels);
    return reveals ? this.bare(context, RCODE.refused, EDE.prohibited) : this.fromZone(context, zone);
  }

  private fromZone(context: QueryContext, zone: ServedZone): number {
    const { zoneAnswer: answer } = this;
    const { out, view, cookie } = context;
    const { type, name, edns, questionEnd } = context.query;
    const tcp = context.client.transport >= TRANSPORT.tcp;
    const limit = this.limit(context);
    if (context.isWanted) context.sequence = this.cache.sequenceOf(zone);
    answer.writer.begin(out, view, questionEnd, limit - this.opt.size(edns, tcp, cookie !== null));
    answer.answer(context.octets, name, type, zone, tcp);
    context.kind = answer.kind;
    context.nameHash = answer.hash;
    if (answer.truncated) {
      context.isTruncated = true;
      this.stats.counters[EVENT.truncated] += 1;
    }
    if (answer.kind !== KIND.error && !answer.dependsOnOthers && cookie === null) context.zone = zone;
    const flags = (answer.authoritative ? FLAG_AA : 0) | (answer.truncated ? FLAG_TC : 0);
    view.setInt32(6, (answer.answers << 16) | answer.authorities);
    view.setInt16(10, answer.additionals);
    return this.finish(context, answer.writer.at, limit, answer.rcode, flags, answer.error);
  }

  /** Class CH has the server's version and identifier, if the operator wants that; no other class exists here. */
  private otherClass(context: QueryContext): number {
    const { octets, query, client, out, view } = context;
    const text = query.class === CLASS.ch ? this.chaos.find(octets, query.name.length, query.type) : null;
    if (text === null) return this.bare(context, RCODE.refused, EDE.notSupported);
    this.stats.countQuery(client.transport, query.type, NO_ZONE);
    const at = writeChaosText(out, query.questionEnd, text);
    context.kind = KIND.positive;
    view.setInt32(6, 1 << 16);
    view.setInt16(10, 0);
    return this.finish(context, at, out.length, RCODE.noError, FLAG_AA, EDE.none);
  }

  /** An answer without records. */
  private bare(context: QueryContext, rcode: number, error: number): number {
    context.view.setInt32(6, 0);
    context.view.setInt16(10, 0);
    return this.finish(context, context.query.questionEnd, this.limit(context), rcode, 0, error);
  }

  /** Octets that the answer may have. */
  private limit({ query, client, out }: QueryContext): number {
    const { edns } = query;
    let limit = TCP_MAX;
    if (client.transport < TRANSPORT.tcp) {
      // RFC 6891 §6.2.3: less than 512 means 512.
      limit = UDP_PLAIN_MAX;
      if (edns.present && edns.size > limit) limit = Math.min(edns.size, this.ednsSize);
    }
    return Math.min(limit, out.length);
  }

  /**
   * Writes identifier, flags and OPT and counts the answer; the counts of its sections are in place, its records end at
   * `end`. RD is copied to answers to QUERY only (RFC 1035 §4.1.1); RA, Z, AD and CD stay clear (RFC 4035 §3.1.6).
   * Returns the message's length.
   */
  private finish(
    context: QueryContext,
    end: number,
    limit: number,
    rcode: number,
    flags: number,
    error: number,
  ): number {
    const { octets, out, view, cookie } = context;
    const { edns, flags1, questionEnd } = context.query;
    const { transport } = context.client;
    const opcode = flags1 & OPCODE_BITS;
    out[0] = octets[0];
    out[1] = octets[1];
    out[2] = FLAG_QR | opcode | (opcode === 0 ? flags1 & FLAG_RD : 0) | flags;
    out[3] = rcode & 0xf;
    view.setInt16(4, questionEnd > HEADER_LENGTH ? 1 : 0);
    context.rcode = rcode;
    this.stats.countAnswer(transport, rcode);
    if (!edns.present) return end;
    view.setInt16(10, view.getInt16(10) + 1);
    const to = this.opt.write(out, view, end, limit, edns, rcode, transport >= TRANSPORT.tcp, cookie, error);
    return edns.padding && transport === TRANSPORT.tls ? padAnswer(out, view, end, to, limit) : to;
  }
}

function epochSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
