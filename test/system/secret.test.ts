import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Secret, withoutSecrets } from '../../src/system/secret.ts';

const secret = new Secret('hunter2');

test.each([
  ['JSON', JSON.stringify({ secret, list: [secret] })],
  ['a template', `${secret}`],
  ['String()', String(secret)],
  ['inspect', inspect({ secret }, { depth: 9, showHidden: true })],
  ['a spread', JSON.stringify({ ...secret })],
  ['an error', String(new Error(`refused: ${secret}`))],
  ['its keys', [...Object.keys(secret), ...Object.getOwnPropertyNames(secret)].join()],
])('does not show itself in %s', (_, shown) => {
  expect(shown).not.toContain('hunter2');
  expect(secret.reveal()).toBe('hunter2');
});

test('is taken out of what others wrote', () => {
  expect(withoutSecrets('token hunter2, hunter2!', [secret, new Secret('')])).toBe('token [secret], [secret]!');
});
