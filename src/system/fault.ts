/** A place in a file. `line` and `col` count from 1; `text` is the whole source line, without its end. */
export type Span = { readonly file: string; readonly line: number; readonly col: number; readonly text: string };

/**
 * Something wrong in what an operator wrote, as a value: scanners and loaders return faults and go on, so that one run
 * shows all of them. `code` is a closed union per module (tests match it); people read `message`. `at` is null only where
 * there is no file (a missing option, an address in use).
 */
export type Fault<Code extends string = string> = {
  readonly severity: 'error' | 'warning';
  readonly code: Code;
  readonly at: Span | null;
  readonly message: string;
};

/**
 * `zones/a.zone:14:5: error: ttl-syntax: …`, then the source line (of a long one a part) with a caret under the column.
 */
export function formatFault({ severity, at, code, message }: Fault): string {
  const said = `${severity}: ${code}: ${visible(message)}`;
  if (at === null) return said;
  const head = `${visible(at.file)}:${at.line}:${at.col}: ${said}`;
  if (at.text === '') return head;
  const start = Math.max(0, Math.min(at.col - 1 - SHOWN / 2, at.text.length - SHOWN));
  const shown = visible(at.text.slice(start, start + SHOWN));
  const pad = shown.slice(0, at.col - 1 - start).replace(/[^\t]/g, ' '); // keep tabs, or the caret drifts
  return `${head}\n${start > 0 ? '…' : ''}${shown}${start + SHOWN < at.text.length ? '…' : ''}\n${start > 0 ? ' ' : ''}${pad}^`;
}

/** Characters of a source line at most. */
const SHOWN = 160;

/** Control characters would be orders to the terminal of whoever reads this. */
function visible(text: string): string {
  return text.replace(/(?![\t\n])[\p{Cc}\p{Bidi_Control}]/gu, '\uFFFD');
}

/** Whether anything in the list forbids using what was read. */
export function hasErrors(faults: readonly Fault[]): boolean {
  return faults.some((fault) => fault.severity === 'error');
}

/** An error without a place in a file. */
export function plainFault(code: string, message: string): Fault {
  return { severity: 'error', code, at: null, message };
}
