/** Largest TTL, RFC 2181 §8. */
export const TTL_MAX = 0x7fffffff;
const U32_MAX = 0xffffffff;

/** Why a number was refused; callers word it for their field. */
export const NOT_A_NUMBER = -1;
export const TOO_LARGE = -2;

const DIGIT_0 = 0x30;

/** Decimal digits only, up to `max`. Negative: `NOT_A_NUMBER` or `TOO_LARGE`. */
export function scanNumber(text: Uint8Array, start: number, end: number, max: number): number {
  let value = 0;
  if (start === end) return NOT_A_NUMBER;
  for (let i = start; i < end; i++) {
    const digit = text[i] - DIGIT_0;
    if (digit < 0 || digit > 9) return NOT_A_NUMBER;
    if (value <= U32_MAX) value = value * 10 + digit; // beyond that only the form still matters
  }
  return value > max ? TOO_LARGE : value;
}

/** Seconds of a time unit's letter in either case, 0 for other octets. */
function unitSeconds(octet: number): number {
  switch (octet | 0x20) {
    case 0x77:
      return 604800; // w
    case 0x64:
      return 86400; // d
    case 0x68:
      return 3600; // h
    case 0x6d:
      return 60; // m
    case 0x73:
      return 1; // s
    default:
      return 0;
  }
}

/**
 * Seconds, plain or with units as in `1h30m` (BIND's form, no number without a unit beside ones that have it).
 * Negative: `NOT_A_NUMBER`, or `TOO_LARGE` beyond 32 bits.
 */
export function scanTtl(text: Uint8Array, start: number, end: number): number {
  let total = 0;
  let value = -1; // digits since the last unit, -1: none
  let units = false;
  let tooLarge = false;
  for (let i = start; i < end; i++) {
    const digit = text[i] - DIGIT_0;
    if (digit >= 0 && digit <= 9) {
      value = Math.max(value, 0) * 10 + digit;
      if (value > U32_MAX) {
        tooLarge = true;
        value = 0;
      }
      continue;
    }
    const seconds = unitSeconds(text[i]);
    if (seconds === 0 || value < 0) return NOT_A_NUMBER;
    total += value * seconds;
    value = -1;
    units = true;
  }
  if (value >= 0) {
    if (units) return NOT_A_NUMBER;
    total = value;
  } else if (!units) return NOT_A_NUMBER;
  return tooLarge || total > U32_MAX ? TOO_LARGE : total;
}
