import type { Problem } from '../text/problem.ts';
import { problem } from '../text/problem.ts';
import type { RdataScan } from '../text/rdata.ts';
import type { Field } from './field.ts';

const EQUATOR = 2 ** 31; // also the prime meridian, in thousandths of a second of arc
const DEGREE = 3_600_000;
const SEA_LEVEL = 10_000_000; // centimetres above the wire's zero
const LATITUDE_MAX = 90 * DEGREE;
const LONGITUDE_MAX = 180 * DEGREE;
const PRECISION_MAX = 9_000_000_099; // centimetres: nine times ten to the ninth, anything below the next metre
const DEFAULT_PRECISIONS = [0x12, 0x16, 0x13]; // 1 m, 10 km, 10 m: RFC 1876 §3

const LATITUDE = { what: 'the latitude', plus: 'N', minus: 'S', max: LATITUDE_MAX } as const;
const LONGITUDE = { what: 'the longitude', plus: 'E', minus: 'W', max: LONGITUDE_MAX } as const;

/** LOC of version 0, RFC 1876: size, two precisions, latitude, longitude and altitude. */
export const loc: Field = {
  read: (scan) => {
    const latitude = readAngle(scan, LATITUDE);
    if (typeof latitude !== 'number') return latitude;
    const longitude = readAngle(scan, LONGITUDE);
    if (typeof longitude !== 'number') return longitude;
    const noAltitude = scan.word('the altitude in metres');
    if (noAltitude !== null) return noAltitude;
    const centimetres = metres(scan.tokens.asText(), true);
    const altitude = centimetres === null ? -1 : centimetres + SEA_LEVEL;
    if (altitude < 0 || altitude > 0xffffffff) {
      return problem('bad-number', `"${scan.shown()}" is no altitude in metres such as -2.50m`);
    }
    const precisions = [...DEFAULT_PRECISIONS];
    for (let i = 0; i < 3 && scan.more(); i++) {
      const size = metres(scan.tokens.asText(), false);
      if (size === null || size > PRECISION_MAX) {
        return problem('bad-number', `"${scan.shown()}" is no size in metres such as 10m`);
      }
      precisions[i] = precisionOctet(size);
    }
    return (
      scan.octets(Uint8Array.of(0, ...precisions)) ??
      scan.unsigned(latitude, 4) ??
      scan.unsigned(longitude, 4) ??
      scan.unsigned(altitude, 4)
    );
  },
  print: (print) => {
    const version = print.take(1);
    const precisions = [print.take(1), print.take(1), print.take(1)];
    const latitude = print.take(4) - EQUATOR;
    const longitude = print.take(4) - EQUATOR;
    const altitude = print.take(4);
    if (version !== 0 || altitude < 0 || !precisions.every(isPrecision)) return false;
    if (Math.abs(latitude) > LATITUDE_MAX || Math.abs(longitude) > LONGITUDE_MAX) return false;
    print.put(angleText(latitude, LATITUDE));
    print.put(angleText(longitude, LONGITUDE));
    print.put(metresText(altitude - SEA_LEVEL));
    for (const octet of precisions) print.put(metresText((octet >>> 4) * 10 ** (octet & 15)));
    return true;
  },
};

/** Other versions have a form of their own, unknown to us (RFC 1876 §2). */
export function isOtherLocVersion(wire: Uint8Array, start: number, end: number): boolean {
  return end > start && wire[start] !== 0;
}

type Axis = typeof LATITUDE | typeof LONGITUDE;

/** Degrees, then minutes and seconds if written, then the hemisphere; as the wire counts it. */
function readAngle(scan: RdataScan, { what, plus, minus, max }: Axis): number | Problem {
  let angle = 0;
  for (const [i, unit] of [DEGREE, 60_000, 1000].entries()) {
    const failure = scan.word(what);
    if (failure !== null) return failure;
    const word = scan.tokens.asText();
    if (i > 0 && (word === plus || word === minus)) return word === plus ? EQUATOR + angle : EQUATOR - angle;
    const match = (i === 2 ? /^(\d*)(?:\.(\d{0,3}))?$/ : /^(\d+)$/).exec(word);
    const value = match === null || !/\d/.test(word) ? Number.NaN : Number(`${match[1]}.${match[2] ?? ''}0`);
    angle += Math.round(value * unit);
    // Minutes and seconds stay below 60, the whole below its pole or meridian.
    if (!(value < (i === 0 ? 181 : 60)) || angle > max) {
      return problem(
        'bad-number',
        `"${scan.shown()}" in ${what}: degrees, minutes below 60, seconds below 60, then ${plus} or ${minus}`,
      );
    }
  }
  const failure = scan.word(what);
  if (failure !== null) return failure;
  const word = scan.tokens.asText();
  if (word === plus) return EQUATOR + angle;
  return word === minus
    ? EQUATOR - angle
    : problem('bad-word', `"${scan.shown()}": ${what} ends with ${plus} or ${minus}`);
}

/** Centimetres of `12.34m`, the unit optional; null: not of that form. */
function metres(text: string, signed: boolean): number | null {
  const match = /^([+-]?)(\d*)(?:\.(\d{0,2}))?m?$/.exec(text);
  if (match === null || !/\d/.test(text) || (match[1] === '-' && !signed)) return null;
  const value = Number(match[2]) * 100 + Number((match[3] ?? '').padEnd(2, '0'));
  return match[1] === '-' ? -value : value;
}

/** RFC 1876 §2: a digit in the high half and a power of ten in the low one, in centimetres. */
function precisionOctet(centimetres: number): number {
  let [digit, power] = [centimetres, 0];
  for (; digit > 9; power++) digit = Math.floor(digit / 10);
  return digit * 16 + power;
}

/** Both halves are decimal digits, and zero has one form. */
function isPrecision(octet: number): boolean {
  const [digit, power] = [octet >>> 4, octet & 15];
  return digit <= 9 && power <= 9 && (digit > 0 || power === 0);
}

function metresText(centimetres: number): string {
  const whole = Math.abs(centimetres);
  return `${centimetres < 0 ? '-' : ''}${Math.floor(whole / 100)}.${String(whole % 100).padStart(2, '0')}m`;
}

function angleText(angle: number, { plus, minus }: Axis): string {
  const size = Math.abs(angle);
  const seconds = `${Math.floor((size % 60_000) / 1000)}.${String(size % 1000).padStart(3, '0')}`;
  return `${Math.floor(size / DEGREE)} ${Math.floor((size % DEGREE) / 60_000)} ${seconds} ${angle < 0 ? minus : plus}`;
}
