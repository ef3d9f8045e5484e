import { problem } from '../text/problem.ts';
import type { Field } from './field.ts';

const DAY = 86400;
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** Days from 1970-01-01 to the first of January of a year from 0 on. */
function daysToYear(year: number): number {
  const leaps = (y: number): number => Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  return 365 * (year - 1970) + leaps(year - 1) - leaps(1969);
}

/** Seconds since 1970 of `YYYYMMDDHHMMSS`, UTC; null: there is no such time. */
export function secondsOfDate(text: string): number | null {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number);
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 60) return null;
  const days = MONTH_DAYS.map((count, i) => (i === 1 && isLeap(year) ? 29 : count));
  if (day < 1 || day > days[month - 1]) return null;
  const before = days.slice(0, month - 1).reduce((sum, count) => sum + count, 0);
  return (daysToYear(year) + before + day - 1) * DAY + hour * 3600 + minute * 60 + second;
}

/** `YYYYMMDDHHMMSS`, UTC, of 32 bits of seconds taken as a time from 1970 to 2106. */
export function dateOfSeconds(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\D/g, '').slice(0, 14);
}

/**
 * A time as RFC 4034 §3.2 writes it: `YYYYMMDDHHMMSS` or, if `plain`, seconds since 1970. Years beyond 2106 wrap round,
 * as the 32 bits on the wire do (RFC 4034 §3.1.5).
 */
export function time(what: string, plain: boolean): Field {
  return {
    read: (scan) => {
      const failure = scan.word(what);
      if (failure !== null) return failure;
      const { start, end } = scan.tokens;
      if (plain && end - start <= 10) {
        const value = scan.numberOfToken(what, 0xffffffff);
        return typeof value === 'number' ? scan.unsigned(value, 4) : value;
      }
      const value = secondsOfDate(scan.tokens.asText());
      if (value === null)
        return problem('bad-time', `"${scan.shown()}" is no time such as 20300131235959; ${what} goes here`);
      return scan.unsigned(value >>> 0, 4);
    },
    print: (print) => {
      const seconds = print.take(4);
      return seconds >= 0 && print.put(dateOfSeconds(seconds));
    },
  };
}
