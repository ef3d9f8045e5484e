/** What an operator reads of something thrown: its message, or the thing itself as text. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The same for a bug: with the stack where there is one. */
export function bugText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** `ENOENT` and the like; '' for what does not come from the system. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code ?? '') : '';
}
