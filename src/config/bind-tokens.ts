/** A word, a quoted word, or one of the signs `{ } ;`. `at`: its offset in the text. */
export type BindToken = { readonly text: string; readonly quoted: boolean; readonly at: number };

/**
 * Splits text in BIND's configuration syntax; its three kinds of comment are left out. The last token is empty and
 * unquoted: the end. As in BIND, a comment may begin inside an unquoted word.
 */
export function scanBindTokens(text: string, fail: (at: number, message: string) => void): readonly BindToken[] {
  const tokens: BindToken[] = [];
  const blank = /\s+|\/\/[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\//y;
  const quoted = /"([^"\\\n]*(?:\\.[^"\\\n]*)*)"/y;
  const sign = /[{};]/y;
  const word = /(?:[^\s{};"#/]+|\/(?![/*]))+/y;
  let at = 0;
  const next = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    at += match?.[0].length ?? 0;
    return match;
  };
  for (;;) {
    while (next(blank) !== null);
    const start = at;
    if (start >= text.length) break;
    const quotation = next(quoted);
    if (quotation !== null) {
      tokens.push({ text: quotation[1].replace(/\\(.)/g, '$1'), quoted: true, at: start });
      continue;
    }
    const plain = next(sign) ?? next(word);
    if (plain !== null) {
      tokens.push({ text: plain[0], quoted: false, at: start });
      continue;
    }
    // All that is left is a `"` or a `/*` without its end.
    const open = text[at] === '"';
    fail(start, open ? 'this quotation has no end on its line' : 'this comment has no end');
    const end = open ? text.indexOf('\n', at) : -1;
    at = end === -1 ? text.length : end;
  }
  tokens.push({ text: '', quoted: false, at: text.length });
  return tokens;
}
