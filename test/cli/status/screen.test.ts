import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FIRST_VIEW, keysOf, pressed, type ScreenView } from '../../../src/cli/status/keys.ts';
import { frame, pageOf } from '../../../src/cli/status/screen.ts';
import { line } from '../../../src/cli/status/styled.ts';

const LINES = { head: [line('the head', 'bad')], body: Array.from({ length: 30 }, (_, i) => line(`body ${i}`)) };
const SIZE = { rows: 12, columns: 40 };
const EXTENT = { page: 10, lines: 30 };

/** The view after these keys, or what ended it. */
function viewAfter(keys: string, view: ScreenView = FIRST_VIEW): ScreenView | string {
  let now: ScreenView | string = view;
  for (const key of keysOf(keys)) if (typeof now !== 'string') now = pressed(now, key, EXTENT);
  return now;
}

/** What a frame has in each row, without what a terminal takes for itself. */
function rowsOf(text: string): readonly string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken away
  return text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '').split('\r\n');
}

describe('keys', () => {
  test.each<[string, string, Partial<ScreenView>]>([
    ['j twice', 'jj', { top: 2 }],
    ['arrows, in both modes of a terminal', '\u001b[B\u001bOB\u001b[A', { top: 1 }],
    ['k at the top', 'k', { top: 0 }],
    ['pages, to the end and not beyond', '   ', { top: 20 }],
    ['page up', 'G\u001b[5~', { top: 10 }],
    ['g', 'Gg', { top: 0 }],
    ['a filter', 'j/my\u007fnet\r', { filter: 'mnet', typing: null, top: 0 }],
    ['a filter with a q in it', '/q', { typing: 'q' }],
    ['a filter that is given up', '/abc\u001b', { filter: '', typing: null }],
    ['Esc shows all again', '/a\r\u001b', { filter: '' }],
    ['s', 's', { sort: 'failing first' }],
    ['s, all the way round', 'sss', { sort: 'name' }],
    ['what means nothing', '\u001b[15~\u001b[Zx\u0001', FIRST_VIEW],
  ])('%s', (_, keys, view) => {
    expect(viewAfter(keys)).toMatchObject(view);
  });

  test.each([
    ['q', 'quit'],
    ['\u0003', 'quit'],
    ['/abc\u0003', 'quit'],
    ['\u001a', 'suspend'],
  ])('%j ends it: %s', (keys, end) => {
    expect(viewAfter(keys)).toBe(end);
  });

  test('whatever is typed, the view stays within its bounds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (keys) => {
        const view = viewAfter(keys);
        if (typeof view === 'string') return;
        expect(view.top).toBeGreaterThanOrEqual(0);
        expect(view.top).toBeLessThanOrEqual(20);
        expect(`${view.filter}${view.typing ?? ''}`).not.toMatch(/\p{Cc}/u);
        expect(view.filter.length).toBeLessThanOrEqual(65);
      }),
    );
  });
});

describe('a frame', () => {
  test('fills the screen: head, as much of the body as fits, keys', () => {
    const rows = rowsOf(frame(LINES, { ...FIRST_VIEW, top: 3 }, SIZE, true));
    expect(rows).toHaveLength(12);
    expect(rows.slice(0, 3)).toEqual(['the head', 'body 3', 'body 4']);
    expect(rows.at(-1)).toMatch(/^lines 4-13 of 30 {2}q quit/);
    expect(pageOf(LINES, SIZE)).toBe(10);
  });

  test('is blank below a short body, and does not scroll beyond its end', () => {
    const rows = rowsOf(frame({ ...LINES, body: [line('only')] }, { ...FIRST_VIEW, top: 9 }, SIZE, true));
    expect(rows.slice(0, 3)).toEqual(['the head', 'only', '']);
    expect(rows).toHaveLength(12);
  });

  test.each([
    [1, 1],
    [2, 5],
    [3, 80],
  ])('has no more than %i rows of %i columns', (rows, columns) => {
    const shown = rowsOf(frame(LINES, FIRST_VIEW, { rows, columns }, true));
    expect(shown).toHaveLength(rows);
    for (const row of shown) expect([...row].length).toBeLessThanOrEqual(columns);
  });

  test('has no colours with NO_COLOR, only bold and faint', () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's sequences begin with one
    const codes = [...frame(LINES, FIRST_VIEW, SIZE, false).matchAll(/\u001b\[([0-9;]*)m/g)].map(([, code]) => code);
    expect(new Set(codes)).toEqual(new Set(['1', '2', '0']));
    expect(frame(LINES, FIRST_VIEW, SIZE, true)).toContain('\u001b[1;31mthe head');
  });

  test('shows what is being typed', () => {
    expect(rowsOf(frame(LINES, { ...FIRST_VIEW, typing: 'my' }, SIZE, true)).at(-1)).toMatch(/^networks with: my_/);
  });
});
