// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Text from elsewhere, fit for a terminal or a line of a log: control characters (escape sequences, line ends) and the
 * marks that reorder a line are replaced one for one by U+FFFD, so that columns keep their width.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, '\ufffd');
}

const UNPRINTABLE_RUN = new RegExp(`(?:${UNPRINTABLE.source})+`, 'g');

/**
 * Text from elsewhere that is kept or sent on: one line, where runs of the same characters are one space. Trimmed. Half of
 * a surrogate pair becomes U+FFFD: it has no UTF-8, and programs in Python fail when they print it.
 */
export function oneLine(text: string): string {
  return text
    .replace(UNPRINTABLE_RUN, ' ')
    .replace(/\p{Cs}/gu, '\ufffd')
    .trim();
}

/** JSON text with the same characters as escapes: it means the same, and may be looked at on a terminal. */
export function printableJson(json: string): string {
  return json.replace(UNPRINTABLE, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
