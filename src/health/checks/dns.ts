/** The check of kind `dns`: the edge is a name server, which must answer a query as expected. */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIP, isIPv6 } from 'node:net';
import { CHECK_SCHEMAS } from '../../config/section-checks.ts';
import type { WireName } from '../../dns/name.ts';
import { rcodeName } from '../../dns/rcode-name.ts';
import { rdataText } from '../../dns/rdata-text.ts';
import { type Asked, ednsQuery, type Reply, readReply } from '../../dns/reply.ts';
import type { Attempt, Check, CheckHead, Failure, ProbeTools, Target } from './check.ts';
import { codeOf, failOfConnection, RESET, sentence } from './connect-fail.ts';
import { type Ending, outcome } from './outcome.ts';

/** What a name server is asked, and what must come back. */
export type DnsTest = CheckHead & {
  readonly kind: 'dns';
  readonly port: number;
  /** `tcp`: from the start; `udp`: over TCP when the answer is truncated. */
  readonly transport: 'udp' | 'tcp';
  readonly query: WireName;
  /** Type code, of records that zones hold. */
  readonly type: number;
  /** The expected response code, that of EDNS included: 0 to 4095. */
  readonly rcode: number;
  /** Expected rdata in the form for comparison (`rdata-text.ts`); null: whatever is answered is right. */
  readonly data: readonly Uint8Array[] | null;
  /** All of `data` must be in the answer, or one of them, or all of them and nothing else. */
  readonly match: 'all' | 'any' | 'exact';
};

export const DNS_REASONS = [
  'refused', // no server listens at the port; a server that answers REFUSED has `rcode`
  'unreachable',
  'timeout', // `detail` has how many messages came that do not answer the query
  'rcode',
  'data',
  'malformed', // an answer to the query that is no sound message
  'closed', // TCP, by the edge, before the answer
  'other', // ours: no file descriptor, no local port, a bug
] as const;

export type DnsReason = (typeof DNS_REASONS)[number];

export const dnsCheck: Check<DnsTest, DnsReason> = {
  kind: 'dns',
  schema: CHECK_SCHEMAS.dns,
  reasons: DNS_REASONS,
  probe: probeDns,
};

/** A lost UDP query is sent again after so long, then after twice that, and so on. */
const RESEND_MS = 1000;
/** Records that a failure's detail shows, and characters of each. */
const SHOWN = 4;
const SHOWN_CHARS = 100;

type Answer = Exclude<Reply, { readonly kind: 'unrelated' | 'truncated' }>;
type Exchange = Reply | { readonly kind: 'error'; readonly error: Error } | { readonly kind: 'closed' } | Ending;

/** Reasons with which an answer came. */
const ANSWERED: ReadonlySet<DnsReason> = new Set<DnsReason>(['rcode', 'data', 'malformed']);

async function probeDns(
  { address, test }: Target<DnsTest>,
  deadline: number,
  { signal, stalls }: ProbeTools,
): Promise<Attempt<DnsReason>> {
  const started = performance.now();
  const where = { address, port: test.port, deadline, signal };
  const asked: Asked = { id: randomInt(0x10000), name: test.query, type: test.type };
  let connected: number | null = null;
  let stalledMs = 0;
  const attempt = (fail: Failure<DnsReason> | null): Attempt<DnsReason> => {
    const seconds = (performance.now() - started) / 1000;
    const firstByte = fail === null || ANSWERED.has(fail.reason) ? seconds - (connected ?? 0) : null;
    return { fail, seconds, phases: { connect: connected, tls: null, firstByte }, hops: 0, stalledMs };
  };
  if (test.transport === 'udp') {
    const { end, strays } = await overUdp(where, asked);
    stalledMs += stalls.late();
    if (typeof end === 'string' || end.kind !== 'truncated') return attempt(failOf(end, test, 'over UDP', strays));
  }
  const end = await overTcp(where, asked, () => {
    connected = (performance.now() - started) / 1000;
    stalledMs += stalls.late();
  });
  stalledMs += stalls.late();
  return attempt(failOf(end, test, 'over TCP', 0));
}

function failOf(end: Exchange, test: DnsTest, by: string, strays: number): Failure<DnsReason> | null {
  if (end === 'cancelled') return failure('other', 'the check was cut short');
  if (end === 'expired') {
    const others = strays === 0 ? '' : `; messages that do not answer the query: ${strays}`;
    return failure('timeout', `${test.timeout.toFixed(3)} s passed without an answer ${by}${others}`);
  }
  switch (end.kind) {
    case 'error':
      return failOfSocket(end.error, by);
    case 'closed':
      return failure('closed', 'the TCP connection was closed before the answer', true);
    case 'unrelated':
      return failure('malformed', `what came ${by} does not answer the query`);
    case 'truncated':
      return failure('malformed', `the answer is truncated ${by}`);
    default:
      return failOfAnswer(end, test);
  }
}

function failOfAnswer(answer: Answer, test: DnsTest): Failure<DnsReason> | null {
  if (answer.kind === 'malformed') return failure('malformed', `the answer cannot be read: ${answer.why}`);
  if (answer.rcode !== test.rcode) {
    return failure('rcode', `answered with ${rcodeName(answer.rcode)} instead of ${rcodeName(test.rcode)}`);
  }
  const { data, match, type } = test;
  if (data === null || isMatch(answer.data, data, match)) return null;
  const instead = data.length === 1 || match === 'exact' ? '' : match === 'any' ? 'one of ' : 'all of ';
  return failure('data', `answered ${texts(type, answer.data)} instead of ${instead}${texts(type, data)}`);
}

/** Records of a set have no order and no repetitions (RFC 2181 §5). */
function isMatch(got: readonly Uint8Array[], wanted: readonly Uint8Array[], match: DnsTest['match']): boolean {
  const [has, wants] = [got, wanted].map((data) => new Set(data.map((rdata) => Buffer.from(rdata).toString('latin1'))));
  const found = [...wants].filter((rdata) => has.has(rdata)).length;
  if (match === 'any') return found > 0;
  return found === wants.size && (match === 'all' || has.size === wants.size);
}

function texts(type: number, data: readonly Uint8Array[]): string {
  if (data.length === 0) return 'without such a record';
  const shown = data.slice(0, SHOWN).map((rdata) => {
    const text = rdataText(type, rdata);
    return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text;
  });
  return `${shown.join(', ')}${data.length > SHOWN ? ` and ${data.length - SHOWN} more` : ''}`;
}

type Where = {
  readonly address: string;
  readonly port: number;
  readonly deadline: number;
  readonly signal: AbortSignal;
};

/**
 * The socket is connected, so that the kernel takes messages from the edge's address and port only, and reports ICMP
 * errors. Messages that do not answer the query are skipped, since they may be forged; `strays` is their number.
 */
async function overUdp(
  { address, port, deadline, signal }: Where,
  asked: Asked,
): Promise<{ readonly end: Exchange; readonly strays: number }> {
  let strays = 0;
  const end = await outcome<Exchange>(deadline, signal, (finish) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    const query = ednsQuery(asked);
    let timer: NodeJS.Timeout | undefined;
    let isOpen = true;
    const failed = (error: Error | null): void => {
      if (error !== null) finish({ kind: 'error', error });
    };
    const send = (againMs: number): void => {
      if (!isOpen) return;
      socket.send(query, failed);
      timer = setTimeout(send, againMs, 2 * againMs);
    };
    socket.on('error', failed);
    socket.on('message', (octets) => {
      const reply = readReply(octets, asked);
      if (reply.kind === 'unrelated') strays++;
      else finish(reply);
    });
    socket.once('connect', () => send(RESEND_MS));
    socket.connect(port, address);
    return () => {
      isOpen = false;
      clearTimeout(timer);
      socket.close();
    };
  });
  return { end, strays };
}

/** One message each way, with its length in front (RFC 1035 §4.2.2), which bounds what is read. */
function overTcp({ address, port, deadline, signal }: Where, asked: Asked, onConnect: () => void): Promise<Exchange> {
  return outcome<Exchange>(deadline, signal, (finish) => {
    const query = ednsQuery(asked);
    const socket = connect({ host: address, port, family: isIP(address), autoSelectFamily: false, noDelay: true });
    let frame = Buffer.alloc(2);
    let filled = 0;
    socket.once('connect', onConnect);
    socket.write(Buffer.concat([Uint8Array.of(query.length >>> 8, query.length & 255), query]));
    socket.on('data', (piece) => {
      let from = 0;
      while (from < piece.length) {
        const copied = piece.copy(frame, filled, from);
        from += copied;
        filled += copied;
        if (filled < frame.length) return;
        const length = frame.readUInt16BE(0);
        if (filled === 2 + length) {
          finish(readReply(frame.subarray(2), asked));
          return;
        }
        frame = Buffer.concat([frame], 2 + length);
      }
    });
    socket.on('error', (error) => finish({ kind: 'error', error }));
    socket.once('end', () => finish({ kind: 'closed' }));
    return () => socket.destroy();
  });
}

function failOfSocket(error: Error, by: string): Failure<DnsReason> {
  const fail = failOfConnection(error, by);
  // Without TLS there is no certificate to refuse.
  if (fail !== null && fail.reason !== 'certificate') return { ...fail, reason: fail.reason };
  const code = codeOf(error);
  if (RESET.has(code)) return failure('closed', 'the TCP connection was reset before the answer', true);
  return failure('other', `${code}: ${sentence(error)} ${by}`, true);
}

function failure(reason: DnsReason, detail: string, retry = false): Failure<DnsReason> {
  return { reason, detail, retry };
}
