import { expect, test } from 'vitest';
import { isOwnHost } from '../../../../src/server/control/http/hosts.ts';

const names = new Set(['edge1.example.net']);

test.each([
  [undefined, true],
  ['', true],
  ['127.0.0.1', true],
  ['127.0.0.1:8053', true],
  ['203.0.113.9:1', true],
  ['[::1]', true],
  ['[::1]:8053', true],
  ['[2001:db8::1]:8053', true],
  ['localhost', true],
  ['LOCALHOST:8053', true],
  ['dns.localhost', true],
  ['edgewise', true],
  ['edge1.example.net', true],
  ['Edge1.Example.NET.:8053', true],
  ['edge2.example.net', false],
  ['edge1.example.net.evil.test', false],
  ['evil.test', false],
  ['evil.test:8053', false],
  ['127.0.0.1.evil.test', false],
  ['1.2.3', false],
  ['[evil.test]', false],
  ['[::1].evil.test', false],
  ['localhost.evil.test', false],
  ['a b.c', false],
  ['x:80:80', false],
])('%s: %s', (host, own) => {
  expect(isOwnHost(host, names)).toBe(own);
});
