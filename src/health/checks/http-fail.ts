import type { CheckHead, Failure } from './check.ts';
import { CLOSED, CONNECTING, codeOf, failOfConnection, RESET, sentence } from './connect-fail.ts';
import type { ExpectedBody } from './http-body.ts';
import { HEAD_MAX, type ResponseEnd } from './http-response.ts';

/** What the edges are asked over HTTP, and what must come back. */
export type HttpTest = CheckHead & {
  readonly kind: 'http';
  readonly host: string;
  readonly port: number;
  readonly proto: 'http' | 'https';
  readonly uri: string;
  /** First and last of each range of accepted status codes; null: all below 400, once redirects are followed. */
  readonly status: readonly (readonly [number, number])[] | null;
  /** Null: not compared. */
  readonly body: ExpectedBody | null;
  /** Fields of the request, instead of or beside the usual ones. */
  readonly headers: readonly (readonly [string, string])[];
  /** Whether TLS certificates are checked (against `host`). */
  readonly verify: boolean;
  /** Authorities to believe, PEM; null: the usual ones. */
  readonly ca: string | null;
  /** `testing: true` of edgemanage: the Host header is the edge's own name. */
  readonly hostIsEdge: boolean;
  /** A body over this many octets is another object. */
  readonly maxBytes: number;
};

/** Why a fetch can fail. Closed: tests and metrics match it, `detail` is for people. */
export const HTTP_REASONS = [
  'refused',
  'reset',
  'unreachable',
  'tls', // handshake or certificate
  'timeout', // the one total deadline passed; `detail` says in which phase
  'status', // 400 and above, or none of those that are accepted
  'checksum',
  'content', // the text that is expected is not in it
  'too-large', // body over the size limit
  'headers-too-large',
  'redirects', // too many, a loop, or one that leads nowhere
  'truncated', // the connection ended inside the header or the body
  'protocol', // not HTTP, broken chunking
  'other',
] as const;

export type HttpReason = (typeof HTTP_REASONS)[number];

/** Reasons that say the edge served something else than the reference. */
export const HTTP_WRONG_CONTENT: readonly HttpReason[] = ['checksum', 'truncated', 'too-large'];

/** Where a fetch is. `header`: the first octet came, the header's end has not. */
export type ProbePhase = 'connect' | 'tls' | 'first byte' | 'header' | 'body';

/** Why a try failed. `retry`: a connection error, which another try may not meet. */
export type HttpFailure = Failure<HttpReason>;

/** How far the try had come: `octets` of the body, `expected` from Content-Length (null: not said). */
export type ProbeProgress = { readonly phase: ProbePhase; readonly octets: number; readonly expected: number | null };

const DOING: { readonly [phase in ProbePhase]: string } = {
  ...CONNECTING,
  'first byte': 'before any answer',
  header: 'inside the header',
  body: 'inside the body',
};

/**
 * The reason of an error that ended a connection: the system's or OpenSSL's, told apart by `code`.
 * A FIN in the middle is `truncated`; a reset is `reset` wherever it comes, and so is a FIN before any answer.
 */
export function failOfError(error: Error, progress: ProbeProgress): HttpFailure {
  const code = codeOf(error);
  const doing = DOING[progress.phase];
  const common = failOfConnection(error, doing);
  if (common !== null) return { ...common, reason: common.reason === 'certificate' ? 'tls' : common.reason };
  if (code === CLOSED) return { reason: 'reset', detail: `connection closed ${doing}`, retry: true };
  if (RESET.has(code)) {
    return { reason: 'reset', detail: `connection reset ${doing}${received(progress)}`, retry: true };
  }
  // RFC 9113 section 5.4: what the edge wrote is no HTTP/2, or it reset the stream or the connection.
  if (code === 'ERR_HTTP2_ERROR') {
    return { reason: 'protocol', detail: `HTTP/2: ${sentence(error)} ${doing}`, retry: false };
  }
  if (code.startsWith('ERR_HTTP2_')) {
    return { reason: 'reset', detail: `HTTP/2: ${sentence(error)} ${doing}${received(progress)}`, retry: true };
  }
  if (progress.phase === 'tls' || code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')) {
    return { reason: 'tls', detail: `${code === '' ? sentence(error) : code} ${doing}`, retry: true };
  }

  // What is left is ours rather than the edge's: no file descriptors, no local port, a bug.
  return { reason: 'other', detail: `${code === '' ? '' : `${code}: `}${sentence(error)} ${doing}`, retry: true };
}

/** The reason of a response that is none, or is cut short or too large. */
export function failOfResponse(
  end: Exclude<ResponseEnd, { readonly kind: 'complete' }>,
  progress: ProbeProgress,
): HttpFailure {
  switch (end.kind) {
    case 'truncated':
      return truncated(progress);
    case 'broken':
      return { reason: 'protocol', detail: `${end.why} ${DOING[progress.phase]}`, retry: false };
    case 'head-too-large':
      return { reason: 'headers-too-large', detail: `the header is over ${HEAD_MAX} octets`, retry: false };
    case 'too-large':
      return { reason: 'too-large', detail: end.why, retry: false };
    default:
      return end satisfies never;
  }
}

/** The deadline passed. `seconds` is the whole of it. */
export function failOfTimeout(seconds: number, progress: ProbeProgress): HttpFailure {
  const limit = `${seconds.toFixed(3)} s passed`;
  switch (progress.phase) {
    case 'connect':
      return timeout(`${limit} while connecting`);
    case 'tls':
      return timeout(`${limit} during the TLS handshake`);
    case 'first byte':
      return timeout(`${limit} without an answer to the request`);
    case 'header':
      return timeout(`${limit} inside the header`);
    case 'body':
      return timeout(`${limit} inside the body${received(progress)}`);
  }
}

function timeout(detail: string): HttpFailure {
  return { reason: 'timeout', detail, retry: false };
}

function truncated(progress: ProbeProgress): HttpFailure {
  const detail = `connection closed ${DOING[progress.phase]}${received(progress)}`;
  return { reason: 'truncated', detail, retry: false };
}

function received({ phase, octets, expected }: ProbeProgress): string {
  if (phase !== 'body') return '';
  return expected === null ? ` after ${octets} octets` : ` after ${octets} of ${expected} octets`;
}
