import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { Fault } from '../system/fault.ts';
import { FILE_MAX, readFileNow } from '../system/read-file.ts';
import type { ServerConfig } from './types.ts';

export type TlsFaultCode = 'tls-unreadable' | 'tls-certificate' | 'tls-key' | 'tls-mismatch' | 'tls-expired';

/** What TLS needs, as texts, so that a thread which starts again needs no right to read the files. */
export type TlsFiles = {
  /** PEM, the server's own certificate first, then its issuers. */
  readonly certificate: string;
  readonly key: string;
  /** Epoch seconds at which the server's own certificate ends. */
  readonly notAfter: number;
};

/** `tls` null: TLS is not asked for, or it cannot be had, and the faults say why. */
export type TlsRead = { readonly tls: TlsFiles | null; readonly faults: readonly Fault<TlsFaultCode>[] };

/**
 * Reads `server.tls_certificate` and `server.tls_key` where `tls_listen` needs them. A certificate out of its time is a
 * warning: queries in the clear must not stop for it, and many clients of transfers do not look.
 */
export function readTls({ tlsListen, tlsCertificate, tlsKey }: ServerConfig, nowSeconds: number): TlsRead {
  if (tlsListen.length === 0 || tlsCertificate === null || tlsKey === null) return { tls: null, faults: [] };
  return readCertificate(
    { file: tlsCertificate, key: 'server.tls_certificate' },
    { file: tlsKey, key: 'server.tls_key' },
    nowSeconds,
  );
}

/** A file, and the configuration's key that names it. */
type Named = { readonly file: string; readonly key: string };

/** Reads a certificate and its key, which must belong together. */
export function readCertificate(certificateFile: Named, keyFile: Named, nowSeconds: number): TlsRead {
  const certificate = readText(certificateFile);
  const key = readText(keyFile);
  const faults = [certificate, key].flatMap((read) => (typeof read === 'string' ? [] : [read]));
  if (typeof certificate !== 'string' || typeof key !== 'string') return { tls: null, faults };

  const own = parseCertificate(certificate);
  const secret = parseKey(key);
  const fault = (code: TlsFaultCode, { file }: Named, why: string): TlsRead => ({
    tls: null,
    faults: [tlsFault('error', code, `${file}: ${why}`)],
  });
  if (typeof own === 'string') return fault('tls-certificate', certificateFile, own);
  if (typeof secret === 'string') return fault('tls-key', keyFile, secret);
  if (!own.checkPrivateKey(secret)) {
    return fault('tls-mismatch', keyFile, `is not the key of the certificate in ${certificateFile.file}`);
  }
  try {
    // Whatever else the library has against them, such as a key that is too short.
    createSecureContext({ cert: certificate, key });
  } catch (error) {
    return fault('tls-certificate', certificateFile, `cannot be used: ${problem(error)}`);
  }
  const notAfter = Date.parse(own.validTo) / 1000;
  const early = Date.parse(own.validFrom) / 1000 > nowSeconds;
  if (!early && notAfter > nowSeconds) return { tls: { certificate, key, notAfter }, faults: [] };
  const why = early ? `is valid only from ${own.validFrom}` : `ended on ${own.validTo}`;
  const message = `${certificateFile.file}: the certificate ${why}; clients that check certificates will refuse it`;
  return { tls: { certificate, key, notAfter }, faults: [tlsFault('warning', 'tls-expired', message)] };
}

function tlsFault(severity: Fault['severity'], code: TlsFaultCode, message: string): Fault<TlsFaultCode> {
  return { severity, code, at: null, message };
}

function readText({ file, key }: Named): string | Fault<TlsFaultCode> {
  const read = readFileNow(file, FILE_MAX.secret);
  if (read.ok) return read.octets.toString('utf8');
  return tlsFault('error', 'tls-unreadable', `${file}: cannot read ${key}: ${read.message}`);
}

/** The first certificate, or what is wrong. */
function parseCertificate(pem: string): X509Certificate | string {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    return `no certificate in PEM: ${problem(error)}`;
  }
}

function parseKey(pem: string): KeyObject | string {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    if (pem.includes('ENCRYPTED')) return 'the key is protected by a passphrase, which nobody is there to type';
    return `no private key in PEM: ${problem(error)}`;
  }
}

/** The last part of OpenSSL's `error:0480006C:PEM routines::no start line`. */
function problem(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split(':').at(-1)?.trim() ?? text;
}
