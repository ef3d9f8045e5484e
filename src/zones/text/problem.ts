/** What can be wrong with a token, or with the data of one record. */
export type TextProblemCode =
  | 'bad-address'
  | 'bad-base64'
  | 'bad-encoding'
  | 'bad-escape'
  | 'bad-hex'
  | 'bad-name'
  | 'bad-number'
  | 'bad-rdata'
  | 'bad-time'
  | 'bad-word'
  | 'missing-text'
  | 'rdata-too-long'
  | 'string-too-long'
  | 'unbalanced-parenthesis'
  | 'unknown-type'
  | 'unterminated-quote';

/** What is wrong with the token just read; the scanner adds its position. */
export type Problem<Code extends string = TextProblemCode> = { readonly code: Code; readonly message: string };

export function problem<Code extends string>(code: Code, message: string): Problem<Code> {
  return { code, message };
}
