/** A watch's lines as one frame for a terminal. */
import type { ScreenView } from './keys.ts';
import { type Line, span, type Tone } from './styled.ts';
import type { WatchLines } from './watch-lines.ts';

export type Size = { readonly rows: number; readonly columns: number };

/** Select graphic rendition (ECMA-48 section 8.3.117). */
const COLOURS: { readonly [tone in Tone]: string } = {
  plain: '',
  good: '32',
  bad: '1;31',
  warning: '33',
  dim: '2',
  heading: '1',
};
/** With NO_COLOR, which leaves bold and faint. */
const MONOCHROME: typeof COLOURS = { ...COLOURS, good: '', bad: '1', warning: '' };

/** How many lines of the body fit. */
export function pageOf({ head }: WatchLines, { rows }: Size): number {
  return Math.max(1, rows - head.length - 1);
}

/** From the upper left corner; what a narrow terminal has no room for is cut off. */
export function frame(lines: WatchLines, view: ScreenView, size: Size, isColoured: boolean): string {
  const { head, body } = lines;
  const page = pageOf(lines, size);
  const top = Math.max(0, Math.min(view.top, body.length - page));
  const shown = body.slice(top, top + page);
  const blank = Array.from({ length: page - shown.length }, (): Line => []);
  const rows = [...head, ...shown, ...blank, footer(view, top, shown.length, body.length)].slice(0, size.rows);
  return `\u001b[H${rows.map((row) => `${drawn(row, size.columns, isColoured)}\u001b[K`).join('\r\n')}\u001b[J`;
}

function footer({ typing, filter, sort }: ScreenView, top: number, shown: number, all: number): Line {
  if (typing !== null) return [span(`networks with: ${typing}_  (Enter: show them, Esc: back)`, 'heading')];
  const part = shown < all ? `lines ${top + 1}-${top + shown} of ${all}  ` : '';
  const only = filter === '' ? '/ filter' : `/ filter: ${filter} (Esc: all)`;
  return [span(`${part}q quit  j k scroll  ${only}  s sort: ${sort}`, 'dim')];
}

function drawn(row: Line, columns: number, isColoured: boolean): string {
  const codes = isColoured ? COLOURS : MONOCHROME;
  let left = columns;
  let text = '';
  for (const { text: full, tone } of row) {
    const part = [...full].slice(0, left).join('');
    left -= [...part].length;
    text += codes[tone] === '' || part === '' ? part : `\u001b[${codes[tone]}m${part}\u001b[0m`;
  }
  return text;
}
