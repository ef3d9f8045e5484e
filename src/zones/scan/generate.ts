import { scanNumber } from '../text/number.ts';
import { problem } from '../text/problem.ts';
import type { ZoneProblem } from './fault.ts';

const VALUE_MAX = 0x7fffffff;
const WIDTH_MAX = 120;

const DOLLAR = 0x24;
const DASH = 0x2d;
const SLASH = 0x2f;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const BACKSLASH = 0x5c;

export type Range = { readonly first: number; readonly last: number; readonly step: number };

/** `START-STOP` or `START-STOP/STEP`, the token in `text[start..end)`. */
export function scanRange(text: Uint8Array, start: number, end: number): Range | ZoneProblem {
  const token = text.subarray(start, end); // a search of the whole text could be long
  const dash = start + token.indexOf(DASH);
  const slash = token.includes(SLASH) ? start + token.indexOf(SLASH) : end;
  if (dash < start || dash > slash) return badRange('write it as START-STOP or START-STOP/STEP');
  const first = scanNumber(text, start, dash, VALUE_MAX);
  const last = scanNumber(text, dash + 1, slash, VALUE_MAX);
  const step = slash === end ? 1 : scanNumber(text, slash + 1, end, VALUE_MAX);
  if (first < 0 || last < 0 || step < 1) return badRange('write it as START-STOP or START-STOP/STEP');
  return last < first ? badRange(`${last} is below ${first}`) : { first, last, step };
}

function badRange(why: string): ZoneProblem {
  return problem('generate-range', `bad $GENERATE range: ${why}`);
}

type NumberPart = { readonly delta: number; readonly width: number; readonly base: 'd' | 'o' | 'x' | 'X' | 'n' | 'N' };

/** A side of `$GENERATE`: literal octets, and where the number goes. */
export type Template = readonly (Uint8Array | NumberPart)[];

/**
 * Takes a side of `$GENERATE` apart: `$` is the number, `${OFFSET,WIDTH,BASE}` the number in another form, `$$` and
 * `\$` (kept as it is) a dollar sign.
 */
export function scanTemplate(octets: Uint8Array): Template | ZoneProblem {
  const parts: (Uint8Array | NumberPart)[] = [];
  let literal: number[] = [];
  const number = (part: NumberPart): void => {
    parts.push(Uint8Array.from(literal), part);
    literal = [];
  };
  for (let i = 0; i < octets.length; i++) {
    const octet = octets[i];
    if (octet === BACKSLASH && i + 1 < octets.length) literal.push(octet, octets[++i]);
    else if (octet !== DOLLAR) literal.push(octet);
    else if (octets[i + 1] === DOLLAR) literal.push(octets[++i]);
    else if (octets[i + 1] !== OPEN) number({ delta: 0, width: 0, base: 'd' });
    else {
      const close = octets.indexOf(CLOSE, i);
      const part = close < 0 ? null : scanModifier(Buffer.from(octets.subarray(i + 2, close)).toString('latin1'));
      if (part === null) {
        return problem(
          'generate-template',
          'bad $GENERATE modifier: after the dollar sign write {OFFSET,WIDTH,BASE}, BASE one of d o x X n N',
        );
      }
      number(part);
      i = close;
    }
  }
  return [...parts, Uint8Array.from(literal)];
}

function scanModifier(text: string): NumberPart | null {
  const match = /^([+-]?\d{1,10})(?:,(\d{1,3})(?:,([doxXnN]))?)?$/.exec(text);
  if (match === null) return null;
  const [delta, width] = [Number(match[1]), Number(match[2] ?? '0')];
  if (Math.abs(delta) > VALUE_MAX || width > WIDTH_MAX) return null;
  return { delta, width, base: (match[3] ?? 'd') as NumberPart['base'] };
}

/** Whether a number of the range, with an offset of the template, leaves 31 bits. */
export function overflows(template: Template, { last }: Range): boolean {
  return template.some((part) => !(part instanceof Uint8Array) && last + part.delta > VALUE_MAX);
}

/** The template's octets with the number put in. */
export function expandTemplate(template: Template, number: number): Uint8Array {
  return Buffer.concat(
    template.map((part) => (part instanceof Uint8Array ? part : Buffer.from(numberText(part, number)))),
  );
}

function numberText({ delta, width, base }: NumberPart, number: number): string {
  const value = number + delta;
  switch (base) {
    case 'd':
      return padded(value, 10, width);
    case 'o':
      return padded(value, 8, width);
    case 'x':
      return padded(value, 16, width);
    case 'X':
      return padded(value, 16, width).toUpperCase();
    case 'n':
      return nibbles(value, width);
    case 'N':
      return nibbles(value, width).toUpperCase();
  }
}

function padded(value: number, base: number, width: number): string {
  // Below zero only decimal numbers have a sign; the others show their 32 bits.
  if (value < 0 && base === 10) return `-${String(-value).padStart(Math.max(width - 1, 0), '0')}`;
  return (value >>> 0).toString(base).padStart(width, '0');
}

/** Hex digits as labels, lowest first, for `ip6.arpa`. `width` counts the dots too. */
function nibbles(value: number, width: number): string {
  let text = '';
  let rest = value >>> 0;
  for (;;) {
    text += (rest & 15).toString(16);
    rest >>>= 4;
    if (rest === 0 && text.length >= width) return text;
    text += '.';
    if (rest === 0 && text.length >= width) return text;
  }
}
