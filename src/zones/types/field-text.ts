import { scanEscape } from '../text/name.ts';
import { type Problem, problem } from '../text/problem.ts';
import type { RdataScan } from '../text/rdata.ts';
import { TOKEN } from '../text/tokens.ts';
import type { Field } from './field.ts';
import type { RdataPrint } from './rdata-print.ts';

export const STRING_MAX = 255; // RFC 1035 §3.3, one length octet
const BACKSLASH = 0x5c;

/** The octets of `text[start..end)` with escapes resolved; null: a bad escape. */
export function resolveEscapes(text: Uint8Array, start: number, end: number): Uint8Array | null {
  const out = new Uint8Array(end - start);
  let at = 0;
  for (let i = start; i < end; i++) {
    if (text[i] !== BACKSLASH) out[at++] = text[i];
    else {
      const escaped = scanEscape(text, i + 1, end);
      if (escaped < 0) return null;
      i += escaped >>> 8;
      out[at++] = escaped;
    }
  }
  return out.subarray(0, at);
}

/** Writes the token's characters, escapes resolved, without a length. */
export function writeCharacters(scan: RdataScan): Problem | null {
  const { text, start, end, escaped } = scan.tokens;
  for (let i = start; i < end; i++) {
    let octet = text[i];
    if (escaped && octet === BACKSLASH) {
      const octetAndLength = scanEscape(text, i + 1, end);
      if (octetAndLength < 0) {
        return problem('bad-escape', 'a bad escape: \\ takes one character or three digits up to 255');
      }
      i += octetAndLength >>> 8;
      octet = octetAndLength & 0xff;
    }
    const failure = scan.u8(octet);
    if (failure !== null) return failure;
  }
  return null;
}

/** Writes the token as a character string: a length octet and at most 255 octets. */
export function writeString(scan: RdataScan): Problem | null {
  const lengthAt = scan.at;
  const failure = scan.u8(0) ?? writeCharacters(scan);
  if (failure !== null) return failure;
  const length = scan.at - lengthAt - 1;
  if (length > STRING_MAX) {
    return problem('string-too-long', `the string is ${length} octets long; one string holds at most ${STRING_MAX}`);
  }
  scan.out[lengthAt] = length;
  return null;
}

/** Octets as a quoted string, which reads back as the same octets. */
export function quotedText(octets: Uint8Array): string {
  let text = '"';
  for (const octet of octets) {
    if (octet < 0x20 || octet >= 0x7f) text += `\\${String(octet).padStart(3, '0')}`;
    else if (octet === 0x22 || octet === BACKSLASH) text += `\\${String.fromCharCode(octet)}`;
    else text += String.fromCharCode(octet);
  }
  return `${text}"`;
}

export function printString(print: RdataPrint): boolean {
  const length = print.take(1);
  const octets = length < 0 ? null : print.octets(length);
  return octets !== null && print.put(quotedText(octets));
}

/** One character string. */
export function string(what: string): Field {
  return { read: (scan) => scan.text(what) ?? writeString(scan), print: printString };
}

/** Character strings up to the end, at least one. */
export function strings(what: string): Field {
  return {
    read: (scan) => {
      let failure = scan.text(what);
      while (failure === null) {
        failure = writeString(scan);
        if (failure === null && !scan.moreText()) return null;
      }
      return failure;
    },
    print: (print) => {
      if (print.left === 0) return false;
      while (print.left > 0) if (!printString(print)) return false;
      return true;
    },
  };
}

/** One text of any length up to the rdata's end, without a length octet. */
export function longText(what: string): Field {
  return {
    read: (scan) => scan.text(what) ?? writeCharacters(scan),
    print: (print) => print.put(quotedText(print.rest())),
  };
}

/** As `longText`, and the text must be in quotes (RFC 7553 §4.4). */
export function quotedLongText(what: string): Field {
  const field = longText(what);
  return {
    read: (scan) => {
      const failure = scan.text(what);
      if (failure !== null) return failure;
      if (scan.tokens.kind !== TOKEN.quoted) return problem('bad-word', `${what} must be in quotes`);
      return writeCharacters(scan);
    },
    print: field.print,
  };
}
