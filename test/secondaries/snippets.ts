import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

const PAGE = readFileSync(new URL('../../docs/secondaries.md', import.meta.url), 'utf8').replaceAll(
  'YOUR-OWN-SECRET',
  randomBytes(32).toString('base64'), // as the page asks its reader to do
);

/** The addresses that the page uses. */
export const PRIMARY_ADDRESS = '192.0.2.1';
export const SECONDARY_ADDRESS = '192.0.2.53';

/** The code block of docs/secondaries.md with this word behind its opening fence. */
export function snippet(word: string): string {
  const found = new RegExp(`^\`\`\`${word.replaceAll('.', '\\.')}\n(.*?)^\`\`\`$`, 'ms').exec(PAGE);
  if (found === null) throw new Error(`docs/secondaries.md has no block "${word}"`);
  return found[1];
}

/** The part of a block from a line that matches on. */
export function from(text: string, start: RegExp): string {
  const at = text.search(start);
  if (at < 0) throw new Error(`no ${start} in:\n${text}`);
  return text.slice(at);
}

export function without(text: string, line: RegExp): string {
  return text
    .split('\n')
    .filter((candidate) => !line.test(candidate))
    .join('\n');
}
