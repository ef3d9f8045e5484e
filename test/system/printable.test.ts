import fc from 'fast-check';
import { expect, test } from 'vitest';
import { oneLine, printable } from '../../src/system/printable.ts';

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

test.each([
  [
    'for a terminal, a syslog and a table',
    'disk\tfull\r\nforce\tin  é "x" \u2028\x1b[31m',
    'disk full force in  é "x"  [31m',
  ],
  ['an override and an isolate, which turn round what follows', 'ok \u202e\u2066gpj.exe\u2069 ', 'ok  gpj.exe'],
  ['marks of Arabic and Hebrew, which have no width', 'a\u061cb\u200ec\u200fd', 'a b c d'],
  ['half of a surrogate pair, either half, and a whole one', 'a\ud800b\udc00 🙂', 'a\ufffdb\ufffd 🙂'],
  ['nothing but line ends', ' \n ', ''],
])('one line: %s', (_, text, line) => {
  expect(oneLine(text)).toBe(line);
});
