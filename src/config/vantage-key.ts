/** The key that peers share: AES of 128, 192 or 256 bits. */
import { createSecretKey, type KeyObject } from 'node:crypto';
import type { Fault } from '../system/fault.ts';
import { readSecretFile } from './secret-file.ts';

/** `key` null: the faults say why. A key file that every user of the machine can read is a warning. */
export type KeyRead = { readonly key: KeyObject | null; readonly faults: readonly Fault[] };

/** Octets of a key, as goavail's `crypto_key` takes them. */
const LENGTHS: readonly number[] = [16, 24, 32];
const EXPECTED = 'expected a key of 16, 24 or 32 octets: as it is, in hex or in base64';

type Form = 'raw' | 'hex' | 'base64';
const FORMS: readonly Form[] = ['raw', 'hex', 'base64'];
const FORM_NAMES: Readonly<Record<Form, string>> = { raw: 'the key itself', hex: 'hex', base64: 'base64' };

/**
 * The only line of a key file: the octets themselves (goavail's `crypto_key`), hex, or base64 with its padding, of
 * exactly 16, 24 or 32 octets. A line that can be read in two ways is refused unless its form stands before it:
 * `raw:`, `hex:` or `base64:`. A text says what is wrong and repeats nothing of the line.
 */
export function parseKey(line: string): KeyObject | string {
  const [, named, rest] = /^(raw|hex|base64):(.*)$/s.exec(line) ?? [];
  const form = FORMS.find((one) => one === named);
  if (form !== undefined && rest !== undefined) {
    const octets = octetsOf(form, rest);
    return octets === null ? `${EXPECTED}; what follows "${form}:" is none` : createSecretKey(octets);
  }
  const readings = FORMS.flatMap((one) => {
    const octets = octetsOf(one, line);
    return octets === null ? [] : [{ form: one, octets }];
  });
  const [only, other] = readings;
  if (only === undefined) return `${EXPECTED}, in one line; this one has ${Buffer.byteLength(line)} octets`;
  if (other === undefined) return createSecretKey(only.octets);
  const ways = readings.map((one) => FORM_NAMES[one.form]).join(' or ');
  const forms = readings.map((one) => `"${one.form}:"`).join(' or ');
  return `the line can be read as ${ways}; write ${forms} before it to say which it is`;
}

/** `crypto_key` of a goavail.toml: always the octets themselves. */
export function rawKey(text: string): KeyObject | null {
  const octets = octetsOf('raw', text);
  return octets === null ? null : createSecretKey(octets);
}

/** Reads a key file under the rules of every other secret's file. */
export function readKeyFile(path: string): KeyRead {
  const read = readSecretFile(path);
  if (!read.ok) return { key: null, faults: [read.fault] };
  const warnings = read.warning === null ? [] : [read.warning];
  const key = parseKey(read.secret.reveal());
  if (typeof key !== 'string') return { key, faults: warnings };
  const fault: Fault = { severity: 'error', code: 'bad-value', at: null, message: `${path}: ${key}` };
  return { key: null, faults: [...warnings, fault] };
}

/** Null: the text is no key in this form. */
function octetsOf(form: Form, text: string): Buffer | null {
  const octets = Buffer.from(text, form === 'raw' ? 'utf8' : form);
  // Node skips what is neither hex nor base64, so only what comes out again as it went in is taken.
  const again = octets.toString(form === 'raw' ? 'utf8' : form);
  const isSame = again === (form === 'hex' ? text.toLowerCase() : text);
  return isSame && LENGTHS.includes(octets.length) ? octets : null;
}
