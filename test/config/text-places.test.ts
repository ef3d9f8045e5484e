import { expect, test } from 'vitest';
import { placesOf } from '../../src/config/text-places.ts';

const shown = (line: string): string => placesOf('file', `a: 1\n${line}\n`)(6).text;

test.each([
  'token: abc',
  '  - {provider: cloudflare, token: abc}',
  'api_token = "abc"',
  '"token": "abc"',
  'api_key: abc',
  'password: abc',
  'crypto_key = "abc"',
  'slack_addr = "abc"',
  'secret: abc',
  `cookie: ${'0123456789abcdef'.repeat(2)}`,
])('the line %s may hold a secret and is not shown', (line) => {
  expect(shown(line)).toBe('');
});

test.each(['token_file: cloudflare.token', 'key: upd.example.net.', 'api_key_file: pdns.key', 'zone: example.org'])(
  'the line %s is shown',
  (line) => {
    expect(shown(line)).toBe(line);
  },
);
