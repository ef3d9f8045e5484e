import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** PEM texts. */
export type Certificate = { readonly key: string; readonly cert: string };

export type CertificateKinds = {
  /** The authority that signs the others; trust this one. */
  readonly ca: string;
  readonly good: Certificate;
  readonly expired: Certificate;
  readonly otherName: Certificate;
  readonly selfSigned: Certificate;
  /** Signed by an authority nobody trusts. */
  readonly unknownIssuer: Certificate;
};

/** Makes the certificates a TLS edge can have, for `name`, with the openssl command; takes about a second. */
export function makeCertificates(name: string): CertificateKinds {
  const dir = mkdtempSync(join(tmpdir(), 'edgewise-certs-'));
  const at = (file: string): string => join(dir, file);
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  };
  const authority = (id: string): void => {
    const subject = ['-subj', `/CN=${id}`, '-addext', 'basicConstraints=critical,CA:TRUE'];
    openssl('req', '-x509', ...KEY, '-keyout', at(`${id}.key`), '-out', at(`${id}.crt`), '-days', '3650', ...subject);
  };
  const signed = (id: string, ca: string, forName: string, expired: boolean): Certificate => {
    openssl('req', ...KEY, '-keyout', at(`${id}.key`), '-out', at(`${id}.csr`), '-subj', `/CN=${forName}`);
    writeFileSync(at(`${id}.ext`), `subjectAltName=DNS:${forName}\n`);
    // x509 without -not_before (OpenSSL 3.0) cannot date back, but -days may be negative: ended before it began.
    const days = ['-days', expired ? '-1' : '3650', '-extfile', at(`${id}.ext`), '-set_serial', '7'];
    const by = ['-CA', at(`${ca}.crt`), '-CAkey', at(`${ca}.key`)];
    openssl('x509', '-req', '-in', at(`${id}.csr`), '-out', at(`${id}.crt`), ...by, ...days);
    return pair(id);
  };
  const pair = (id: string): Certificate => ({
    key: readFileSync(at(`${id}.key`), 'utf8'),
    cert: readFileSync(at(`${id}.crt`), 'utf8'),
  });
  try {
    authority('trusted');
    authority('untrusted');
    const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
    openssl('req', '-x509', ...KEY, '-keyout', at('self.key'), '-out', at('self.crt'), '-days', '3650', ...names);
    return {
      ca: readFileSync(at('trusted.crt'), 'utf8'),
      good: signed('good', 'trusted', name, false),
      expired: signed('expired', 'trusted', name, true),
      otherName: signed('other', 'trusted', `other.${name}`, false),
      selfSigned: pair('self'),
      unknownIssuer: signed('unknown', 'untrusted', name, false),
    };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
