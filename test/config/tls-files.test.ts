import { createPrivateKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readTls } from '../../src/config/tls-files.ts';
import { PLAIN_SERVER } from '../support/dns-responder.ts';
import { type CertificateKinds, makeCertificates } from '../support/mock-edge-certificates.ts';
import { PemFiles } from '../support/tls-client.ts';

let certificates: CertificateKinds;
let files: PemFiles;

beforeAll(() => {
  certificates = makeCertificates('ns.test');
  files = new PemFiles(certificates.good);
});
afterAll(() => files?.remove());

const locked = (key: string): string =>
  createPrivateKey(key)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' })
    .toString();
const now = (): number => Date.now() / 1000;
const read = (over = {}, later = 0) =>
  readTls(
    {
      ...PLAIN_SERVER,
      tlsListen: [{ address: '127.0.0.1', port: 853 }],
      tlsCertificate: files.certificate,
      tlsKey: files.key,
      ...over,
    },
    now() + later,
  );

describe('certificate and key of server.tls_listen', () => {
  test('a pair that fits', () => {
    files.write(certificates.good);
    const { tls, faults } = read();
    expect(faults).toEqual([]);
    expect(tls).toMatchObject({ certificate: certificates.good.cert, key: certificates.good.key });
    expect(tls?.notAfter).toBeGreaterThan(now() + 86_400);
  });

  test('nothing is read where nothing listens', () => {
    expect(read({ tlsListen: [], tlsKey: '/nowhere' })).toEqual({ tls: null, faults: [] });
  });

  test('both files missing are two faults, each with its name', () => {
    const { tls, faults } = read({ tlsCertificate: '/nowhere/cert.pem', tlsKey: '/nowhere/key.pem' });
    expect(tls).toBeNull();
    expect(faults.map(({ severity, code, message }) => [severity, code, message])).toEqual([
      ['error', 'tls-unreadable', '/nowhere/cert.pem: cannot read server.tls_certificate: no such file'],
      ['error', 'tls-unreadable', '/nowhere/key.pem: cannot read server.tls_key: no such file'],
    ]);
  });

  test.each([
    [
      'a key of another certificate',
      () => ({ key: certificates.selfSigned.key }),
      'tls-mismatch',
      /key\.pem: is not the/,
    ],
    ['no PEM for a certificate', () => ({ cert: 'hello' }), 'tls-certificate', /cert\.pem: no certificate in PEM/],
    ['an empty certificate', () => ({ cert: '' }), 'tls-certificate', /cert\.pem: no certificate in PEM/],
    [
      'the key where the certificate should be',
      () => ({ cert: certificates.good.key }),
      'tls-certificate',
      /cert\.pem/,
    ],
    ['no PEM for a key', () => ({ key: 'hello' }), 'tls-key', /key\.pem: no private key in PEM/],
    ['the certificate where the key should be', () => ({ key: certificates.good.cert }), 'tls-key', /key\.pem/],
    [
      'a key behind a passphrase',
      () => ({ key: locked(certificates.good.key) }),
      'tls-key',
      /key\.pem: the key is protected by a passphrase/,
    ],
  ] as const)('%s', (_, change, code, message) => {
    files.write({ ...certificates.good, ...change() });
    const { tls, faults } = read();
    expect(tls).toBeNull();
    expect(faults).toMatchObject([{ severity: 'error', code, at: null }]);
    expect(faults[0].message).toMatch(message);
  });

  test.each([
    ['that has ended', 100 * 365 * 86_400, /cert\.pem: the certificate ended on .*; clients that check/],
    ['that has not begun', -100 * 365 * 86_400, /cert\.pem: the certificate is valid only from /],
  ])('a certificate %s is a warning, and is used', (_, later, message) => {
    files.write(certificates.good);
    const { tls, faults } = read({}, later);
    expect(tls).not.toBeNull();
    expect(faults).toMatchObject([{ severity: 'warning', code: 'tls-expired' }]);
    expect(faults[0].message).toMatch(message);
  });
});
