/** Text with tones: what a terminal colours and a pipe gets plain. No tone is the only sign of anything. */
import { printable } from '../../system/printable.ts';

export type Tone = 'plain' | 'good' | 'bad' | 'warning' | 'dim' | 'heading';
export type Span = { readonly text: string; readonly tone: Tone };
export type Line = readonly Span[];

/** What others wrote is made printable here, the only way to a span. */
export function span(text: string, tone: Tone = 'plain'): Span {
  return { text: printable(text), tone };
}

export function line(text: string, tone: Tone = 'plain'): Line {
  return [span(text, tone)];
}

export const EMPTY: Line = [];

export function plainText(spans: Line): string {
  return spans.map(({ text }) => text).join('');
}

/** Rows in columns that are as wide as their widest cell; the first row is the heading. Two blanks before each cell. */
export function table(heading: readonly string[], rows: readonly (readonly Span[])[]): readonly Line[] {
  const all = [heading.map((title) => span(title, 'dim')), ...rows];
  const widths = heading.map((_, column) => Math.max(...all.map((row) => row[column].text.length)));
  return all.map((row) =>
    row.map(({ text, tone }, column) => ({
      text: `  ${column === row.length - 1 ? text : text.padEnd(widths[column])}`,
      tone,
    })),
  );
}
