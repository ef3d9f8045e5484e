import { LABEL_MAX, NAME_MAX } from '../../dns/name.ts';
import { type Problem, problem } from './problem.ts';
import { latin1 } from './tokens.ts';

const DOT = 0x2e;
const AT = 0x40;
const BACKSLASH = 0x5c;

/** Why a name was refused, as negative numbers so that the usual path returns a plain number. */
const EMPTY_LABEL = -1;
const LONG_LABEL = -2;
const LONG_NAME = -3;
const ESCAPE = -4;

/**
 * Master-file text to wire form without allocating (RFC 1035 §5.1): writes the name in `text[start..end)` at `out[at]`.
 * A name without a final dot gets `origin` (wire form); `@` alone is the origin. Returns the octet after the name, or a
 * negative number that `nameProblem` explains. `out` needs 512 free octets.
 */
export function scanName(
  text: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
  origin: Uint8Array,
): number {
  if (end - start === 1) {
    if (text[start] === AT) return appendOrigin(out, at, at, origin);
    if (text[start] === DOT) {
      out[at] = 0;
      return at + 1;
    }
  }
  const first = at;
  let label = at++; // where the current label's length octet goes
  for (let i = start; i < end; i++) {
    let octet = text[i];
    if (octet === DOT) {
      const length = at - label - 1;
      if (length === 0) return EMPTY_LABEL;
      out[label] = length;
      label = at++;
      continue;
    }
    if (octet === BACKSLASH) {
      const octetAndLength = scanEscape(text, i + 1, end);
      if (octetAndLength < 0) return ESCAPE;
      i += octetAndLength >>> 8;
      octet = octetAndLength & 0xff;
    }
    out[at++] = octet;
    if (at - label - 1 > LABEL_MAX) return LONG_LABEL;
    if (at - first > NAME_MAX) return LONG_NAME;
  }
  const length = at - label - 1;
  if (length === 0) {
    if (start === end) return EMPTY_LABEL;
    out[label] = 0;
    return at - first > NAME_MAX ? LONG_NAME : at;
  }
  out[label] = length;
  return appendOrigin(out, first, at, origin);
}

function appendOrigin(out: Uint8Array, first: number, at: number, origin: Uint8Array): number {
  if (at - first + origin.length > NAME_MAX) return LONG_NAME;
  for (let i = 0; i < origin.length; i++) out[at + i] = origin[i];
  return at + origin.length;
}

/**
 * What follows a backslash at `at`: its octet, plus 256 for each octet of text used (RFC 1035 §5.1, `\X` and `\DDD`).
 * -1: no such escape.
 */
export function scanEscape(text: Uint8Array, at: number, end: number): number {
  if (at >= end) return -1;
  const first = text[at] - 0x30;
  if (first < 0 || first > 9) return 0x100 | text[at];
  if (at + 3 > end) return -1;
  const second = text[at + 1] - 0x30;
  const third = text[at + 2] - 0x30;
  if (second < 0 || second > 9 || third < 0 || third > 9) return -1;
  const value = 100 * first + 10 * second + third;
  return value > 255 ? -1 : 0x300 | value;
}

/** Explains a negative result of `scanName`. */
export function nameProblem(failure: number, text: Uint8Array, start: number, end: number): Problem {
  const shown = shownText(text, start, end);
  switch (failure) {
    case EMPTY_LABEL:
      return problem('bad-name', `"${shown}" has an empty label: two dots in a row, or a dot at its beginning`);
    case LONG_LABEL:
      return problem('bad-name', `"${shown}" has a label of over ${LABEL_MAX} octets (RFC 1035 §2.3.4)`);
    case LONG_NAME:
      return problem('bad-name', `"${shown}" is over ${NAME_MAX} octets with its origin (RFC 1035 §2.3.4)`);
    default:
      return problem('bad-escape', `"${shown}" has a bad escape: \\ takes one character or three digits up to 255`);
  }
}

const SHOWN_MAX = 60;

/** A token as a message shows it: printable, and cut when long. */
export function shownText(text: Uint8Array, start: number, end: number): string {
  const shown = latin1(text, start, Math.min(end, start + SHOWN_MAX)).replace(/[^ -~]/g, '?');
  return end - start > SHOWN_MAX ? `${shown}…` : shown;
}
