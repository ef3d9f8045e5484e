import type { FailReason } from '../judge/types.ts';

/** A response header of this many octets or more ends the fetch. */
export const MAX_HEADER_OCTETS = 16_384;

/** Where a fetch is. `header`: the first octet came, the header's end has not. */
export type FetchPhase = 'connect' | 'tls' | 'first byte' | 'header' | 'body';

/** Why a try failed. `retry`: a connection error, which another try may not meet. */
export type FetchFail = { readonly reason: FailReason; readonly detail: string; readonly retry: boolean };

/** How far the try had come: `octets` of the body, `expected` from Content-Length (null: not said). */
export type FetchProgress = { readonly phase: FetchPhase; readonly octets: number; readonly expected: number | null };

const DOING: { readonly [phase in FetchPhase]: string } = {
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
  ['HOSTNAME_MISMATCH', 'the certificate is for another name'],
]);

/**
 * The reason of an error that ended a connection: the system's, OpenSSL's or undici's, told apart by `code`.
 * A FIN in the middle is `truncated`; a reset is `reset` wherever it comes, and so is a FIN before any answer.
 */
export function failOfError(error: Error, progress: FetchProgress): FetchFail {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const doing = DOING[progress.phase];

  if (code === 'ECONNREFUSED') return { reason: 'refused', detail: 'connection refused', retry: true };
  if (RESET.has(code)) {
    // Node gives a FIN inside the handshake this code, too.
    return { reason: 'reset', detail: `connection reset ${doing}${received(progress)}`, retry: true };
  }
  if (UNREACHABLE.has(code)) return { reason: 'unreachable', detail: `${code} ${doing}`, retry: true };
  // The kernel gave up on its own, before our deadline.
  if (code === 'ETIMEDOUT') return { reason: 'timeout', detail: `the system gave up ${doing}`, retry: false };

  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return { reason: 'tls', detail: sentence(error), retry: false };
  const certificate = CERTIFICATE.get(code);
  if (certificate !== undefined) return { reason: 'tls', detail: `${certificate} (${code})`, retry: false };
  if (progress.phase === 'tls' || code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')) {
    return { reason: 'tls', detail: `${code === '' ? sentence(error) : code} ${doing}`, retry: true };
  }

  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return { reason: 'headers-too-large', detail: headerDetail(), retry: false };
  }
  // undici asserts that no answer has such a status.
  if (code === 'ERR_ASSERTION' && error.message.includes('statusCode')) {
    return { reason: 'protocol', detail: 'a status below 100', retry: false };
  }
  // undici says this of every parse error once it has seen a Content-Length.
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') {
    if (progress.phase === 'body') return truncated(progress);
    return { reason: 'protocol', detail: `contradicting or broken fields ${doing}`, retry: false };
  }
  if (error.name === 'HTTPParserError') {
    if (error.message.includes('EOF')) return truncated(progress);
    return { reason: 'protocol', detail: `${sentence(error)} ${doing}`, retry: false };
  }
  if (code === 'UND_ERR_SOCKET') {
    if (error.message.startsWith('bad ')) return { reason: 'protocol', detail: error.message, retry: false };
    if (progress.phase === 'first byte') {
      return { reason: 'reset', detail: 'connection closed before any answer', retry: true };
    }
    return truncated(progress);
  }
  // What is left is ours rather than the edge's: no file descriptors, no local port, a bug.
  return { reason: 'other', detail: `${code === '' ? '' : `${code}: `}${sentence(error)} ${doing}`, retry: true };
}

export function headerDetail(): string {
  return `the header is over ${MAX_HEADER_OCTETS} octets`;
}

/** The deadline passed. `seconds` is the whole of it. */
export function failOfTimeout(seconds: number, progress: FetchProgress): FetchFail {
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

function timeout(detail: string): FetchFail {
  return { reason: 'timeout', detail, retry: false };
}

function truncated(progress: FetchProgress): FetchFail {
  const detail = `connection closed ${DOING[progress.phase]}${received(progress)}`;
  return { reason: 'truncated', detail, retry: false };
}

function received({ phase, octets, expected }: FetchProgress): string {
  if (phase !== 'body') return '';
  return expected === null ? ` after ${octets} octets` : ` after ${octets} of ${expected} octets`;
}

/** A message from elsewhere, on one line and bounded: it goes into logs and state. */
function sentence(error: Error): string {
  return error.message.replace(/\s+/g, ' ').trim().slice(0, 200);
}
