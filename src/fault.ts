/** A place in a file. `line` and `col` count from 1; `text` is the whole source line, without its end. */
export type Span = { readonly file: string; readonly line: number; readonly col: number; readonly text: string };

/**
 * Something wrong in what an operator wrote, as a value: scanners and loaders return faults and go on, so that one run
 * shows all of them. `code` is a closed union per room (tests match it); people read `message`. `at` is null only where
 * there is no file (a missing option, an address in use).
 */
export type Fault<Code extends string = string> = {
  readonly severity: 'error' | 'warning';
  readonly code: Code;
  readonly at: Span | null;
  readonly message: string;
};

/** `zones/a.zone:14:5: error: ttl-syntax: …`, then the source line with a caret under the column. */
export function formatFault({ severity, at, code, message }: Fault): string {
  if (at === null) return `${severity}: ${code}: ${message}`;
  const head = `${at.file}:${at.line}:${at.col}: ${severity}: ${code}: ${message}`;
  if (at.text === '') return head;
  const pad = at.text.slice(0, at.col - 1).replace(/[^\t]/g, ' '); // keep tabs, or the caret drifts
  return `${head}\n${at.text}\n${pad}^`;
}

/** Whether anything in the list forbids using what was read. */
export function hasErrors(faults: readonly Fault[]): boolean {
  return faults.some((fault) => fault.severity === 'error');
}
