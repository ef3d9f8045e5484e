import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** What the page's reader puts in place of YOUR-OWN-SECRET. */
export const SECRET = randomBytes(32).toString('base64');

const PAGE = readFileSync(new URL('../../../docs/providers.md', import.meta.url), 'utf8');

/** The code block of docs/providers.md with this word behind its opening fence, for the zone example.test. */
export function snippet(word: string): string {
  const found = new RegExp(`^\`\`\`${word.replaceAll('.', '\\.')}\n(.*?)^\`\`\`$`, 'ms').exec(PAGE);
  if (found === null) throw new Error(`docs/providers.md has no block "${word}"`);
  return found[1].replaceAll('YOUR-OWN-SECRET', SECRET).replace(/(?<!upd\.)example\.(net|org)/g, 'example.test');
}
