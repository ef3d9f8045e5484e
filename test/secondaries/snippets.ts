import { randomBytes } from 'node:crypto';
import { block } from '../support/documents.ts';

/** What the page's reader puts in place of YOUR-OWN-SECRET. */
const SECRET = randomBytes(32).toString('base64');

/** The addresses that the page uses. */
export const PRIMARY_ADDRESS = '192.0.2.1';
export const SECONDARY_ADDRESS = '192.0.2.53';

/** The code block of docs/secondaries.md with these words behind its opening fence. */
export function snippet(words: string): string {
  return block('docs/secondaries.md', words).text.replaceAll('YOUR-OWN-SECRET', SECRET);
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
