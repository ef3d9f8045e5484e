/** Words and figures that all reasons share. Plain text in, plain text out; no rule lives here. */

/** `0.700 s`; more decimals where `others` would otherwise print alike without being equal. */
export function seconds(value: number, ...others: readonly number[]): string {
  return `${value.toFixed(decimals(value, others))} s`;
}

/** `last 1.204 s ≥ goodenough 0.700 s`, with the sign that holds and decimals enough to see it. */
export function compare(name: string, value: number, limitName: string, limit: number): string {
  const sign = value < limit ? '<' : '≥';
  const subject = limitName === '' ? seconds(limit, value) : `${limitName} ${seconds(limit, value)}`;
  return `${name} ${seconds(value, limit)} ${sign} ${subject}`;
}

function decimals(value: number, others: readonly number[]): number {
  let digits = 3;
  for (const other of others) {
    while (digits < 9 && other !== value && other.toFixed(digits) === value.toFixed(digits)) digits++;
  }
  return digits;
}

/** The first second of the year 10000: from there on dates are written otherwise, and soon not at all. */
const DATES_END = 253_402_300_800;

/** `2026-11-22T02:33:00Z`: a moment in epoch seconds, to the second; what has no such date is given in seconds. */
export function moment(at: number): string {
  if (!(Math.abs(at) < DATES_END)) return `${at} s after 1970`;
  return `${new Date(Math.round(at) * 1000).toISOString().slice(0, 19)}Z`;
}

/** `A, B and C`. */
export function list(names: readonly string[]): string {
  if (names.length <= 1) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;
}

/** `1 edge`, `2 edges`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** The order of names everywhere: by code unit, so that it does not depend on a machine's locale. */
export function byName(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
