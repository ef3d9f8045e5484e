import { expect, test } from 'vitest';
import { progress, progressText } from '../../src/cli/progress.ts';

/** A terminal whose clock the test moves. */
class Screen {
  ms = 0;
  written: string[] = [];
  readonly terminal;

  constructor(columns = 80) {
    this.terminal = { columns, write: (text: string): void => void this.written.push(text), now: () => this.ms };
  }
}

test.each([
  [0, 10_000, 5000, '0 of 10,000 zones read, 0 %'],
  [2500, 10_000, 500, '2,500 of 10,000 zones read, 25 %'],
  [2500, 10_000, 2000, '2,500 of 10,000 zones read, 25 %, 6 s left'],
  [9_999, 10_000, 20_000, '9,999 of 10,000 zones read, 99 %, 0 s left'],
  [1_234_567, 2_000_000, 600_000, '1,234,567 of 2,000,000 zones read, 61 %, 6 min left'],
  [0, 0, 2000, '0 of 0 zones read, 100 %, 0 s left'],
  [12, 10, 2000, '12 of 10 zones read, 100 %, 0 s left'],
])('%i of %i after %i ms: %s', (done, of, ms, text) => {
  expect(progressText('zones read', done, of, ms)).toBe(text);
});

test('is drawn ten times a second at most, on one line, and taken away', () => {
  const screen = new Screen();
  const shown = progress('zones read', 2000, screen.terminal);
  for (; screen.ms < 2000; screen.ms++) shown.at(screen.ms);
  expect(screen.written.length).toBeGreaterThan(10);
  expect(screen.written.length).toBeLessThanOrEqual(18); // not in the first 0.3 s
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's sequences begin with one
  for (const text of screen.written) expect(text).toMatch(/^\r\d[^\r\n]*\u001b\[K$/);
  screen.written = [];
  shown.clear();
  shown.clear();
  expect(screen.written).toEqual(['\r\u001b[K']);
});

test('work that is over at once shows nothing', () => {
  const screen = new Screen();
  const shown = progress('zones read', 10, screen.terminal);
  for (; screen.ms < 290; screen.ms += 29) shown.at(screen.ms / 29);
  shown.clear();
  expect(screen.written).toEqual([]);
});

test('fits a narrow terminal', () => {
  const screen = new Screen(20);
  const shown = progress('zones read', 10_000, screen.terminal);
  screen.ms = 5000;
  shown.at(5000);
  expect(screen.written).toEqual(['\r5,000 of 10,000 zon\u001b[K']);
});
