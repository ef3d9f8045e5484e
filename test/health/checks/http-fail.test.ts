import { describe, expect, test } from 'vitest';
import { failOfConnection } from '../../../src/health/checks/connect-fail.ts';
import { failOfError, failOfTimeout, type HttpReason, type ProbePhase } from '../../../src/health/checks/http-fail.ts';

function coded(code: string, message = 'words'): Error {
  return Object.assign(new Error(message), { code });
}

/** What no edge on loopback can be made to show; the rest is in http.test.ts. */
describe('reasons of errors', () => {
  test.each<[string, string, ProbePhase, HttpReason, retry: boolean, detail: string]>([
    ['no route', 'ENETUNREACH', 'connect', 'unreachable', true, 'ENETUNREACH while connecting'],
    ['no host', 'EHOSTUNREACH', 'connect', 'unreachable', true, 'EHOSTUNREACH while connecting'],
    ['a firewall says no', 'EACCES', 'connect', 'unreachable', true, 'EACCES while connecting'],
    ['the kernel gives up', 'ETIMEDOUT', 'connect', 'timeout', false, 'the system gave up while connecting'],
    ['a broken pipe', 'EPIPE', 'first byte', 'reset', true, 'connection reset before any answer'],
    [
      'not valid yet',
      'CERT_NOT_YET_VALID',
      'tls',
      'tls',
      false,
      'the certificate is not valid yet (CERT_NOT_YET_VALID)',
    ],
    [
      'a TLS alert later on',
      'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR',
      'first byte',
      'tls',
      true,
      'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR before any answer',
    ],
    [
      'a SHA-1 signature',
      'UNSPECIFIED',
      'tls',
      'tls',
      false,
      'a certificate is signed in a way that is no longer trusted (SHA-1 or MD5) (UNSPECIFIED)',
    ],
    ['no local port left', 'EADDRNOTAVAIL', 'connect', 'other', true, 'EADDRNOTAVAIL: words while connecting'],
  ])('%s', (_name, code, phase, reason, retry, detail) => {
    expect(failOfError(coded(code), { phase, octets: 0, expected: null })).toEqual({ reason, retry, detail });
  });

  // A check of an edge that could not be made says nothing about the edge.
  test.each(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EAGAIN'])('%s is trouble of our own', (code) => {
    const fail = { reason: 'other', retry: true, detail: `${code}: words while connecting`, unknown: true };
    expect(failOfError(coded(code), { phase: 'connect', octets: 0, expected: null })).toEqual(fail);
    expect(failOfConnection(coded(code), 'while connecting')).toEqual(fail);
  });

  test('a message of many lines becomes one, and a long one short', () => {
    const { detail } = failOfError(new Error(`a\n  b\r\n${'c'.repeat(1000)}`), {
      phase: 'connect',
      octets: 0,
      expected: null,
    });
    expect(detail).toMatch(/^a b c+ while connecting$/);
    expect(detail.length).toBeLessThan(250);
  });
});

test('a timeout in the body says how much was there', () => {
  const progress = { phase: 'body', octets: 10, expected: null } as const;
  expect(failOfTimeout(10, progress).detail).toBe('10.000 s passed inside the body after 10 octets');
});
