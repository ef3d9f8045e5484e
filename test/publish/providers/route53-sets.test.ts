import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainName } from '../../../src/publish/providers/route53-sets.ts';

test.each([
  ['\\052.Example.TEST.', '*.example.test'],
  ['\\052.a\\052b.example.test.', '*.a*b.example.test'],
  ['_dmarc.example.test.', '_dmarc.example.test'],
  ['a\\056b.example.test.', 'a\\.b.example.test'],
  ['a\\134b.example.test.', 'a\\\\b.example.test'],
  ['\\344.example.test.', '\\228.example.test'],
  ['\\040.example.test.', '\\032.example.test'],
  ['\\101.example.test', 'a.example.test'],
  ['.', ''],
  ['', ''],
])('%s is %s', (listed, plain) => {
  expect(plainName(listed)).toBe(plain);
});

test('whatever is listed has a name without blanks and control characters', () => {
  const octal = fc.integer({ min: 0, max: 255 }).map((code) => `\\${code.toString(8).padStart(3, '0')}`);
  const part = fc.oneof(octal, fc.constantFrom('a', 'Z', '9', '-', '_', '.'));
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      expect(plainName(parts.join(''))).toMatch(/^[!-~]*$/);
    }),
  );
});
