/** What the kinds of checks that connect, with TLS or without, have in common: how TLS is asked for, and how both fail. */
import { isIP } from 'node:net';
import { checkServerIdentity, type SecureContext } from 'node:tls';
import type { Failure } from './check.ts';

/** SNI and the name in the certificate, whether it is checked, and against whom. */
export type TlsWanted = { readonly name: string; readonly verify: boolean; readonly context: SecureContext };

/** `protocols`: of ALPN (RFC 7301); none: the extension is not sent. */
export function tlsOptions({ name, verify, context }: TlsWanted, protocols: readonly string[]): object {
  return {
    secureContext: context,
    // RFC 6066 section 3: an address is no server name.
    servername: isIP(name) === 0 ? name : '',
    rejectUnauthorized: verify,
    // The default would compare with the address when there is no SNI.
    checkServerIdentity: (_host: string, certificate: Parameters<typeof checkServerIdentity>[1]) =>
      checkServerIdentity(name, certificate),
    ...(protocols.length === 0 ? {} : { ALPNProtocols: [...protocols] }),
  };
}

const UNREACHABLE: ReadonlySet<string> = new Set([
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENETDOWN',
  'EHOSTDOWN',
  'EACCES',
  'EPERM',
]);

/** The edge's end of the connection; Node gives a FIN inside the handshake ECONNRESET, too. */
export const RESET: ReadonlySet<string> = new Set(['ECONNRESET', 'ECONNABORTED', 'EPIPE']);

/**
 * Our own machine is short of something, which says nothing about the edge; another try may find it. EADDRNOTAVAIL is
 * not one of them: a system with IPv6 switched off gives it for every IPv6 address, and always will.
 */
export const SHORTAGE: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EAGAIN']);

/** What a connection's end before any answer is given as `code`: it has no error of the system's. */
export const CLOSED = 'CLOSED';

/** Phases that every connection has. */
export const CONNECTING = { connect: 'while connecting', tls: 'during the TLS handshake' } as const;

type ConnectReason = 'refused' | 'unreachable' | 'timeout' | 'certificate' | 'other';

/**
 * The reason of an error that means the same to every kind, by its `code`; null: it is another. `doing`: a clause such as
 * `while connecting`.
 */
export function failOfConnection(error: Error, doing: string): Failure<ConnectReason> | null {
  const code = codeOf(error);
  if (code === 'ECONNREFUSED') return { reason: 'refused', detail: 'connection refused', retry: true };
  if (UNREACHABLE.has(code)) return { reason: 'unreachable', detail: `${code} ${doing}`, retry: true };
  if (SHORTAGE.has(code)) {
    return { reason: 'other', detail: `${code}: ${sentence(error)} ${doing}`, retry: true, unknown: true };
  }
  // The kernel gave up on its own, before our deadline.
  if (code === 'ETIMEDOUT') return { reason: 'timeout', detail: `the system gave up ${doing}`, retry: false };
  // Another try would read the same certificate.
  const certificate = certificateProblem(error);
  return certificate === null ? null : { reason: 'certificate', detail: certificate, retry: false };
}

/** The system's or OpenSSL's name of an error; empty where it has none. */
export function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** A message from elsewhere, on one line and bounded: it goes into logs and state. */
export function sentence(error: Error): string {
  return error.message.replace(/\s+/g, ' ').trim().slice(0, 200);
}

/** Certificates that were read and refused. */
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
function certificateProblem(error: Error): string | null {
  const code = codeOf(error);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return sentence(error);
  const known = CERTIFICATE.get(code);
  return known === undefined ? null : `${known} (${code})`;
}
