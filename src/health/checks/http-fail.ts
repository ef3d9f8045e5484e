import type { CheckHead, Failure } from './check.ts';
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
  connect: 'while connecting',
  tls: 'during the TLS handshake',
  'first byte': 'before any answer',
  header: 'inside the header',
  body: 'inside the body',
};

const UNREACHABLE: ReadonlySet<string> = new Set([
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENETDOWN',
  'EHOSTDOWN',
  'EACCES',
  'EPERM',
]);
const RESET: ReadonlySet<string> = new Set(['ECONNRESET', 'ECONNABORTED', 'EPIPE']);

/** Certificates that were read and refused; another try would read the same one. */
const CERTIFICATE: ReadonlyMap<string, string> = new Map([
  ['CERT_HAS_EXPIRED', 'the certificate has expired'],
  ['CERT_NOT_YET_VALID', 'the certificate is not valid yet'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'the certificate is self-signed'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'the chain ends in a self-signed certificate that is not trusted'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'the certificate cannot be verified (intermediate missing?)'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'the issuer of a certificate in the chain is not known'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'the issuer of the certificate is not trusted'],
  ['CERT_UNTRUSTED', 'the certificate is not trusted'],
  ['CERT_REJECTED', 'the certificate was rejected'],
  ['CERT_REVOKED', 'the certificate was revoked'],
  ['CERT_SIGNATURE_FAILURE', "the certificate's signature is wrong"],
  ['CERT_CHAIN_TOO_LONG', 'the certificate chain is too long'],
  ['INVALID_CA', 'a certificate in the chain may not sign others'],
  ['INVALID_PURPOSE', 'the certificate is not for servers'],
  ['UNSPECIFIED', 'a certificate is signed in a way that is no longer trusted (SHA-1 or MD5)'],
  ['CA_MD_TOO_WEAK', 'a certificate is signed in a way that is no longer trusted (SHA-1 or MD5)'],
  ['EE_KEY_TOO_SMALL', "the certificate's key is too short"],
  ['CA_KEY_TOO_SMALL', "an authority's key is too short"],
  ['HOSTNAME_MISMATCH', 'the certificate is for another name'],
]);

/** What is wrong with the certificate that ended a handshake, as a clause; null: the error is another. */
export function certificateProblem(error: Error): string | null {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return sentence(error);
  const known = CERTIFICATE.get(code);
  return known === undefined ? null : `${known} (${code})`;
}

/**
 * The reason of an error that ended a connection: the system's or OpenSSL's, told apart by `code`.
 * A FIN in the middle is `truncated`; a reset is `reset` wherever it comes, and so is a FIN before any answer.
 */
export function failOfError(error: Error, progress: ProbeProgress): HttpFailure {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const doing = DOING[progress.phase];

  if (code === 'ECONNREFUSED') return { reason: 'refused', detail: 'connection refused', retry: true };
  if (code === 'CLOSED') {
    return { reason: 'reset', detail: `connection closed ${doing}`, retry: true };
  }
  if (RESET.has(code)) {
    // Node gives a FIN inside the handshake this code, too.
    return { reason: 'reset', detail: `connection reset ${doing}${received(progress)}`, retry: true };
  }
  if (UNREACHABLE.has(code)) return { reason: 'unreachable', detail: `${code} ${doing}`, retry: true };
  // The kernel gave up on its own, before our deadline.
  if (code === 'ETIMEDOUT') return { reason: 'timeout', detail: `the system gave up ${doing}`, retry: false };

  const certificate = certificateProblem(error);
  if (certificate !== null) return { reason: 'tls', detail: certificate, retry: false };
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

/** A message from elsewhere, on one line and bounded: it goes into logs and state. */
function sentence(error: Error): string {
  return error.message.replace(/\s+/g, ' ').trim().slice(0, 200);
}
