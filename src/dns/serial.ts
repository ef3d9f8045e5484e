/**
 * SOA serials: 32-bit numbers in a circle (RFC 1982). Ours are epoch seconds where they can be, always strictly
 * increasing, and never 0, which a live slot uses for "never written" and some secondaries for "no zone".
 */
const HALF = 2 ** 31;
const ALL = 2 ** 32;

/**
 * RFC 1982 §3.2: negative when `a` comes before `b`, 0 when equal. The undefined pair (2^31 apart) counts as before.
 */
export function serialCompare(a: number, b: number): number {
  if (a === b) return 0;
  return (b - a + ALL) % ALL <= HALF ? -1 : 1;
}

/** The later of two serials; 0 means none and loses. */
export function serialMax(a: number, b: number): number {
  if (a === 0 || b === 0) return a === 0 ? b : a;
  return serialCompare(a, b) < 0 ? b : a;
}

/**
 * The serial after `old` (0: there was none): the clock, or `old` + 1 where the clock is not later, as when it was set
 * back or two changes fell into one second. `nowSeconds` is epoch seconds; fractions are dropped.
 */
export function nextSerial(old: number, nowSeconds: number): number {
  const clock = Math.floor(nowSeconds) % ALL;
  if (clock !== 0 && (old === 0 || serialCompare(clock, old) > 0)) return clock;
  return (old + 1) % ALL || 1;
}

/**
 * The serial after all of `old` (0: none): the clock where it is later than each of them, else the first of their
 * successors that is. Serials more than 2^31 - 1 apart have no common successor (RFC 1982 §3.2); then the successor of
 * the first one that is not 0, so put the one whose readers matter most first.
 */
export function serialAfterAll(old: readonly number[], nowSeconds: number): number {
  const given = [...new Set(old.filter((serial) => serial !== 0))];
  const isAfterAll = (serial: number): boolean => given.every((one) => serialCompare(serial, one) > 0);
  const candidates = given.map((serial) => nextSerial(serial, nowSeconds));
  const successors = given.map((serial) => (serial + 1) % ALL || 1);
  return [...candidates, ...successors].find(isAfterAll) ?? nextSerial(given[0] ?? 0, nowSeconds);
}

/** A class of serials: those whose remainder is `own` when divided by `classes`. `own`: 0 up to `classes` - 1. */
export type SerialClass = { readonly classes: number; readonly own: number };

/** The first serial of the class from `serial` on; never 0. */
export function serialOfClass(serial: number, { classes, own }: SerialClass): number {
  let found = serial % ALL || 1;
  while (found % classes !== own) found = (found + 1) % ALL || 1;
  return found;
}
