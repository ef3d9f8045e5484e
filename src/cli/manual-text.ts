import type { Manual } from './manual.ts';

type Row = readonly [string, string];

/** What follows the options in `--help`, in `width` columns. */
export function manualText({ about, statuses, examples }: Manual, width: number): string {
  const first = Math.max(0, ...statuses.map(([status]) => status.length));
  const parts = [
    ...about.map((paragraph) => wrapped(paragraph, width, '')),
    titled(
      'Exit status:',
      statuses.map(([status, meaning]) => wrapped(`${status.padEnd(first)}  ${meaning}`, width, '  ')),
    ),
    titled(
      'Examples:',
      examples.map(([command, meaning]: Row) => `  ${command}\n${wrapped(meaning, width, '      ')}`),
    ),
  ];
  return parts
    .filter((part) => part !== '')
    .map((part) => `\n${part}`)
    .join('\n');
}

function titled(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${title}\n${lines.join('\n')}`;
}

/** Lines of at most `width` columns where words allow, each after `indent`. */
function wrapped(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => indent + one).join('\n');
}
