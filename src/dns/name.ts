/**
 * Domain names in their two forms: wire octets (RFC 1035 §3.1, any octet in a label, RFC 2181 §11) and master-file text
 * (RFC 1035 §5.1). Case is kept in octets; `WireName` is the lowercase form that names are compared by (RFC 4343).
 */

import { domainToASCII } from 'node:url';

/** Lowercase wire-format name as a latin1 string, root label included. Made only by `lowerName` and `nameKey`. */
export type WireName = string & { readonly __brand: 'WireName' };

export const NAME_MAX = 255; // octets on the wire, RFC 1035 §2.3.4
export const LABEL_MAX = 63;
export const ROOT = '\0' as WireName;

export type NameProblem =
  | 'not-idna'
  | 'empty-label'
  | 'label-too-long'
  | 'name-too-long'
  | 'bad-escape'
  | 'empty-name'
  | 'no-origin';

/** What is wrong with a name, for operators. */
export const NAME_PROBLEM_TEXT: { readonly [problem in NameProblem]: string } = {
  'not-idna': 'it has characters that no internationalized domain name has',
  'empty-label': 'it has two dots in a row, or begins with one',
  'label-too-long': `a part between dots is over ${LABEL_MAX} octets`,
  'name-too-long': `it is over ${NAME_MAX} octets`,
  'bad-escape': 'after a backslash goes one character, or three digits up to 255',
  'empty-name': 'it is empty',
  'no-origin': 'it does not end with a dot',
};

/** Octet → its lowercase; only A–Z change (RFC 4343 §3). */
export const LOWER: Uint8Array = Uint8Array.from({ length: 256 }, (_, octet) =>
  octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet,
);

/**
 * What an operator writes to wire octets, case kept: master-file text, in which a label with other than ASCII
 * characters stands for its A-label (RFC 5890 §2.3.2.1). A name without a final dot is relative to `origin` (wire
 * octets); null makes that the problem 'no-origin'. `@` is the origin itself.
 */
export function nameFromText(written: string, origin: Uint8Array | null): Uint8Array | NameProblem {
  const text = asciiLabels(written);
  if (text === null) return 'not-idna';
  if (text === '') return 'empty-name';
  if (text === '.') return Uint8Array.of(0);
  if (text === '@') return origin ?? 'no-origin';
  const out = new Uint8Array(text.length + 2 + (origin?.length ?? 0));
  let labelAt = 0;
  let at = 1;
  let absolute = false;
  for (let i = 0; i < text.length; i++) {
    let octet = text.charCodeAt(i);
    absolute = false;
    if (octet === 0x2e) {
      const problem = labelProblem(at - labelAt - 1);
      if (problem !== null) return problem;
      out[labelAt] = at - labelAt - 1;
      labelAt = at++;
      absolute = true;
      continue;
    }
    if (octet === 0x5c) {
      const escaped = text.slice(i + 1, i + 4);
      if (/^\d{3}$/.test(escaped)) {
        octet = Number(escaped);
        i += 3;
      } else if (escaped !== '' && !/^\d/.test(escaped)) {
        octet = text.charCodeAt(++i);
      } else return 'bad-escape';
    }
    if (octet > 255) return 'bad-escape';
    out[at++] = octet;
  }
  if (absolute) {
    out[labelAt] = 0;
    return at > NAME_MAX ? 'name-too-long' : out.slice(0, at);
  }
  const problem = labelProblem(at - labelAt - 1);
  if (problem !== null) return problem;
  out[labelAt] = at - labelAt - 1;
  if (origin === null) return 'no-origin';
  out.set(origin, at);
  at += origin.length;
  return at > NAME_MAX ? 'name-too-long' : out.slice(0, at);
}

/**
 * The text with A-labels (`xn--…`) in place of labels that have other than ASCII characters; null where such a label is
 * no U-label: escapes, blanks and punctuation have no place in one.
 */
export function asciiLabels(text: string): string | null {
  if (IS_ASCII.test(text)) return text;
  let isName = true;
  const ascii = text.replace(LABEL, (label) => {
    const found = IS_ASCII.test(label) ? label : asciiLabel(label);
    isName &&= found !== null;
    return found ?? label;
  });
  return isName ? ascii : null;
}

/** A label of master-file text, with its escapes. */
const LABEL = /(?:\\.|[^.\\])+/gsu;

const IS_ASCII = /^[\0-\x7f]*$/;

/** `domainToASCII` reads a whole host of a URL: it must not see what cuts that short, or take digits for an address. */
function asciiLabel(label: string): string | null {
  if (!/^[\w*\-\x80-\u{10ffff}]+$/u.test(label)) return null;
  const ascii = domainToASCII(label);
  return /^[\w*-]+$/.test(ascii) ? ascii : null;
}

function labelProblem(length: number): NameProblem | null {
  if (length === 0) return 'empty-label';
  return length > LABEL_MAX ? 'label-too-long' : null;
}

/** Absolute master-file text of the uncompressed name at `offset`, final dot included. */
export function textFromWire(wire: Uint8Array, offset = 0): string {
  if (wire[offset] === 0) return '.';
  let text = '';
  for (let at = offset; wire[at] !== 0; at += 1 + wire[at]) {
    for (let i = at + 1; i <= at + wire[at]; i++) text += LABEL_TEXT[wire[i]];
    text += '.';
  }
  return text;
}

/**
 * Octet → its text inside a label. Printable octets get a backslash, but for letters, digits, hyphen, underscore,
 * asterisk and slash: some mean something to a master-file reader, and Knot takes the others only so. The bracket is a
 * number, since BIND takes `\[` at the start of a label for a bit string (RFC 2673, historic).
 */
const LABEL_TEXT: readonly string[] = Array.from({ length: 256 }, (_, octet) => {
  if (octet <= 0x20 || octet >= 0x7f || octet === 0x5b) return `\\${String(octet).padStart(3, '0')}`;
  const char = String.fromCharCode(octet);
  return /[A-Za-z0-9_*/-]/.test(char) ? char : `\\${char}`;
});

/** Length in octets of the uncompressed name at `offset`, root label included. */
export function wireNameLength(wire: Uint8Array, offset = 0): number {
  let at = offset;
  while (wire[at] !== 0) at += 1 + wire[at];
  return at + 1 - offset;
}

/** The form names are compared by. `wire` holds an uncompressed name at `offset`. */
export function lowerName(wire: Uint8Array, offset = 0): WireName {
  const end = offset + wireNameLength(wire, offset);
  let key = '';
  // Length octets are at most 63, so lowering them too changes nothing ('A' is 65).
  for (let i = offset; i < end; i++) key += String.fromCharCode(LOWER[wire[i]]);
  return key as WireName;
}

/** `lowerName(nameFromText(text, root))`; null where the text is no name. A missing final dot is allowed. */
export function nameKey(text: string): WireName | null {
  const wire = nameFromText(text, Uint8Array.of(0));
  return typeof wire === 'string' ? null : lowerName(wire);
}

export function wireFromName(name: WireName): Uint8Array {
  const wire = new Uint8Array(name.length);
  for (let i = 0; i < wire.length; i++) wire[i] = name.charCodeAt(i);
  return wire;
}

/** Absolute text with its final dot. */
export function nameText(name: WireName): string {
  return textFromWire(wireFromName(name));
}

/** The name without its leftmost label; the root's parent is the root. */
export function parentName(name: WireName): WireName {
  return name === ROOT ? ROOT : (name.slice(1 + name.charCodeAt(0)) as WireName);
}

/** Whether `name` is `ancestor` or below it. */
export function isWithin(name: WireName, ancestor: WireName): boolean {
  let rest = name;
  while (rest.length > ancestor.length) rest = parentName(rest);
  return rest === ancestor;
}

export function labelsOf(name: WireName): string[] {
  const labels: string[] = [];
  for (let at = 0; name.charCodeAt(at) !== 0; at += 1 + name.charCodeAt(at)) {
    labels.push(name.slice(at + 1, at + 1 + name.charCodeAt(at)));
  }
  return labels;
}

/** Canonical order, RFC 4034 §6.1: label by label from the right, octets unsigned, absence first. */
export function compareNames(a: WireName, b: WireName): number {
  const left = labelsOf(a);
  const right = labelsOf(b);
  for (let i = 1; i <= Math.min(left.length, right.length); i++) {
    const x = left[left.length - i];
    const y = right[right.length - i];
    if (x !== y) return x < y ? -1 : 1; // latin1 code units compare as octets
  }
  return left.length - right.length;
}
