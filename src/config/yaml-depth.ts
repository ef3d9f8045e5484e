import { Lexer } from 'yaml';

export const DEPTH_MAX = 64; // a configuration needs four
// The lexer's tokens that stand for no text of their own; the first means that the next token is a scalar.
const SCALAR_NEXT = '\u001f';
const DOCUMENT_BEGINS = '\u0002';
const FLOW_BROKEN = '\u0018';

/**
 * Offset at which brackets, or indicators on one line (`- - - -`), nest deeper than anything an operator means; null:
 * nowhere. The library composes by recursion and would run out of stack, in the worst case with the process.
 */
export function tooDeep(text: string): number | null {
  let brackets = 0;
  let indicators = 0; // of this line
  let at = 0;
  let isScalar = false;
  for (const token of new Lexer().lex(text)) {
    if (token === SCALAR_NEXT) {
      isScalar = true;
      continue;
    }
    if (!isScalar) {
      if (token === '[' || token === '{') brackets++;
      else if (token === ']' || token === '}') brackets--;
      else if (brackets === 0 && ['-', '?', ':'].includes(token)) indicators++;
      if (brackets > DEPTH_MAX || indicators > DEPTH_MAX) return at;
    }
    if (token.includes('\n')) indicators = 0;
    if (isScalar || (token !== DOCUMENT_BEGINS && token !== FLOW_BROKEN)) at += token.length;
    isScalar = false;
  }
  return null;
}
