import { randomBytes } from 'node:crypto';
import { block } from '../../support/documents.ts';

/** What the page's reader puts in place of YOUR-OWN-SECRET. */
export const SECRET = randomBytes(32).toString('base64');

/** The code block of docs/providers.md with these words behind its opening fence, for the zone example.test. */
export function snippet(words: string): string {
  const { text } = block('docs/providers.md', words);
  return text.replaceAll('YOUR-OWN-SECRET', SECRET).replace(/(?<!upd\.)example\.(net|org)/g, 'example.test');
}
