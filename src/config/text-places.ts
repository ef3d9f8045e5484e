import type { Span } from '../system/fault.ts';

/**
 * What must not reach a log by way of the line that is shown with its fault: a word for it (goavail's among them, and
 * those of keys that do not exist because such things belong in files), or a cookie secret itself.
 */
const SECRET =
  /secret|crypto_key|slack_addr|hooks\.slack\.com|\b[0-9a-f]{32}\b|(?<![\w.-])(?:(?:api_|auth_)?token|api_key|password)["']?\s*[:=]/i;

/** Offset in `text` → its line, column and source line (left empty where that holds a secret). */
export function placesOf(file: string, text: string): (offset: number) => Span {
  const rows = text.split('\n');
  const starts: number[] = [];
  for (let at = 0, i = 0; i < rows.length; at += rows[i++].length + 1) starts.push(at);
  return (offset) => {
    const row = lastAtMost(starts, offset);
    const source = rows[row].replace(/\r$/, '');
    const col = Math.min(offset - starts[row], source.length) + 1;
    return { file, line: row + 1, col, text: SECRET.test(source) ? '' : source };
  };
}

/** Index of the last of the ascending numbers that is at most `limit`; the first is 0, so there is one. */
function lastAtMost(numbers: readonly number[], limit: number): number {
  let low = 0;
  let high = numbers.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (numbers[middle] <= limit) low = middle;
    else high = middle;
  }
  return low;
}
