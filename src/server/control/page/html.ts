/** Markup that is safe to send: made by `html` only, which escapes whatever it is given that is not markup itself. */
export class Html {
  readonly text: string;
  private constructor(text: string) {
    this.text = text;
  }

  static of(strings: readonly string[], values: readonly Content[]): Html {
    let text = strings[0];
    for (let i = 0; i < values.length; i++) text += textOf(values[i]) + strings[i + 1];
    return new Html(text);
  }
}

/** Null, undefined and false are nothing; a list is its parts one after the other. */
export type Content = Html | string | number | null | undefined | false | readonly Content[];

/**
 * A piece of markup. Whatever stands in `${…}` is escaped for text and for attributes in double quotes, which are the
 * only places where it may stand: not in names of tags and attributes, scripts, style sheets or comments, and nothing
 * that others write may be the scheme of a link.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  return Html.of(strings, values);
}

function textOf(value: Content): string {
  if (value instanceof Html) return value.text;
  if (typeof value === 'string') return escaped(value);
  if (typeof value === 'number') return String(value);
  if (value === null || value === undefined || value === false) return '';
  let text = '';
  for (const each of value) text += textOf(each);
  return text;
}

/**
 * Besides HTML's own characters: control characters, which HTML does not allow, and those that turn the direction of
 * writing round, by which a comment could make what follows read otherwise (Unicode TR 36 section 2.5).
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSAFE = /[&<>"'\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
const UNSAFE_ALL = new RegExp(UNSAFE.source, 'g');
const ENTITIES: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  if (!UNSAFE.test(text)) return text;
  return text.replace(UNSAFE_ALL, (character) => ENTITIES[character] ?? '\ufffd');
}
