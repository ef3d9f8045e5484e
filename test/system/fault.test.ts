import { expect, test } from 'vitest';
import { formatFault } from '../../src/system/fault.ts';

const fault = (text: string, col: number, message = 'wrong') =>
  formatFault({ severity: 'error', code: 'x', at: { file: 'f', line: 1, col, text }, message });

test('the caret stands under the column, tabs kept', () => {
  expect(fault('\tab cd', 5)).toBe('f:1:5: error: x: wrong\n\tab cd\n\t   ^');
});

test('of a long line the part around the column is shown', () => {
  const [, line, caret] = fault(`${'a'.repeat(500)}!${'b'.repeat(500)}`, 501).split('\n');
  expect(line).toBe(`…${'a'.repeat(80)}!${'b'.repeat(79)}…`);
  expect(line[caret.indexOf('^')]).toBe('!');
});

test.each([
  ['its beginning', 1, `!${'a'.repeat(159)}…`],
  ['its end', 301, `…${'a'.repeat(160)}`],
])('of a long line with the column at %s', (_, col, expected) => {
  expect(fault(`!${'a'.repeat(300)}`, col).split('\n')[1]).toBe(expected);
});

test('control characters are no orders to a terminal', () => {
  expect(fault('\x1b[2Ja\u009b\u202eb', 6, 'got \x07')).toBe(
    'f:1:6: error: x: got \uFFFD\n\uFFFD[2Ja\uFFFD\uFFFDb\n     ^',
  );
});
