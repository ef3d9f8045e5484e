import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable } from '../../src/system/printable.ts';

test.each([
  ['an escape sequence', '\u001b[2Jgone', '\ufffd[2Jgone'],
  ['C1, which some terminals obey as well', '\u009b2J', '\ufffd2J'],
  ['line ends', 'a\r\nb\u2028c', 'a\ufffd\ufffdb\ufffdc'],
  ['a mark that turns the line round', 'abc\u202edef\u2066', 'abc\ufffddef\ufffd'],
  ['letters of all kinds', 'Größe 東京 🙂', 'Größe 東京 🙂'],
])('%s', (_, text, shown) => {
  expect(printable(text)).toBe(shown);
});

test('the length stays, and nothing is left that a terminal obeys', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const shown = printable(text);
      expect(shown).toHaveLength(text.length);
      expect(shown).not.toMatch(/\p{Cc}/u);
    }),
  );
});
