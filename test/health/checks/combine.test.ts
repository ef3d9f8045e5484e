import { expect, test } from 'vitest';
import { type Combine, decisive } from '../../../src/health/checks/combine.ts';

type Row = [
  name: string,
  combine: Combine,
  outcomes: Readonly<Record<string, number | 'fails' | 'unknown'>>,
  decides: string | null,
];

test.each<Row>([
  ['the only one', 'all', { a: 0.1 }, 'a'],
  ['the only one, which failed', 'all', { a: 'fails' }, 'a'],
  ['all pass: the slowest', 'all', { a: 0.1, b: 0.3, c: 0.2 }, 'b'],
  ['all pass, equally slow: the first', 'all', { a: 0.3, b: 0.3 }, 'a'],
  ['one fails, first', 'all', { a: 'fails', b: 0.3 }, 'a'],
  ['one fails, last', 'all', { a: 0.3, b: 'fails' }, 'b'],
  ['two fail: the first in configured order', 'all', { a: 0.3, b: 'fails', c: 'fails' }, 'b'],
  ['any, one passes', 'any', { a: 'fails', b: 0.3 }, 'b'],
  ['any, all pass: the fastest', 'any', { a: 0.3, b: 0.1, c: 0.2 }, 'b'],
  ['any, equally fast: the first', 'any', { a: 0.1, b: 0.1 }, 'a'],
  ['any, none passes: the first', 'any', { a: 'fails', b: 'fails' }, 'a'],
  ['any, the only one', 'any', { a: 'fails' }, 'a'],
  ['all, one is unknown: that', 'all', { a: 0.1, b: 'unknown', c: 0.3 }, 'b'],
  ['all, a failure decides beside it', 'all', { a: 'unknown', b: 'fails' }, 'b'],
  ['any, one passes beside it', 'any', { a: 'unknown', b: 0.3 }, 'b'],
  ['any, it might have passed', 'any', { a: 'fails', b: 'unknown' }, 'b'],
  ['nothing was asked', 'all', {}, null],
  ['nothing was asked, any', 'any', {}, null],
])('%s', (_, combine, outcomes, decides) => {
  const list = Object.entries(outcomes).map(([name, seconds]) =>
    typeof seconds === 'number'
      ? { name, seconds, fail: null }
      : { name, seconds: 10, fail: { reason: 'start', detail: '', unknown: seconds === 'unknown' } as const },
  );
  expect(decisive(list, combine)?.name ?? null).toBe(decides);
});
