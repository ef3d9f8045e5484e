import { shownText } from '../text/name.ts';
import { type Problem, problem } from '../text/problem.ts';
import { ipv6Text, writeIpv4, writeIpv6 } from './field-address.ts';
import { quotedText, resolveEscapes } from './field-text.ts';

/** Numbers of the service parameters that have a form of their own (RFC 9460 §14.3, RFC 9461 §5). */
export const PARAMETERS = {
  mandatory: 0,
  alpn: 1,
  noDefaultAlpn: 2,
  port: 3,
  ipv4hint: 4,
  ech: 5,
  ipv6hint: 6,
  dohpath: 7,
} as const;

/** A parameter's value in both directions. */
type Parameter = {
  readonly name: string;
  /**
   * Text to wire; null: no such value. `escapes` says whether escapes are resolved before, as in a character string.
   */
  readonly read: (text: Uint8Array) => Uint8Array | null;
  readonly escapes: boolean;
  /** Wire to text as written after `=`, quoted where it must be; '' for no value; null: no such value. */
  readonly print: (wire: Uint8Array) => string | null;
  readonly expected: string;
};

const COMMA = 0x2c;
const BACKSLASH = 0x5c;

/**
 * Splits a comma-separated list in which `\` takes away what the octet after it means (RFC 9460 appendix A.1). The text
 * has been through the escapes of character strings before, so there is no `\DDD` any more. Null: an empty item, or a
 * backslash at the end.
 */
function splitList(text: Uint8Array): Uint8Array[] | null {
  const items: number[][] = [[]];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === COMMA) items.push([]);
    else if (text[i] !== BACKSLASH) items[items.length - 1].push(text[i]);
    else if (++i === text.length) return null;
    else items[items.length - 1].push(text[i]);
  }
  return items.some((item) => item.length === 0) ? null : items.map((item) => Uint8Array.from(item));
}

function latin1(octets: Uint8Array): string {
  return Buffer.from(octets).toString('latin1');
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value & 0xff);
}

function pairs(wire: Uint8Array): number[] | null {
  if (wire.length === 0 || wire.length % 2 !== 0) return null;
  return Array.from({ length: wire.length / 2 }, (_, i) => wire[2 * i] * 256 + wire[2 * i + 1]);
}

const mandatory: Parameter = {
  name: 'mandatory',
  expected: 'a list of parameters, each once',
  escapes: false,
  read: (text) => {
    const keys = latin1(text).split(',').map(parameterNumber);
    if (keys.includes(null)) return null;
    const sorted = keys.filter((key) => key !== null).sort((a, b) => a - b);
    return new Set(sorted).size < sorted.length ? null : Buffer.concat(sorted.map(u16));
  },
  print: (wire) => {
    const keys = pairs(wire);
    if (keys === null || keys.some((key, i) => key === PARAMETERS.mandatory || (i > 0 && key <= keys[i - 1])))
      return null;
    return keys.map(parameterName).join(',');
  },
};

const alpn: Parameter = {
  name: 'alpn',
  expected: 'a list of protocols such as h2,h3',
  escapes: true,
  read: (text) => {
    const items = splitList(text);
    if (items === null || items.some((item) => item.length > 255)) return null;
    return Buffer.concat(items.flatMap((item) => [Uint8Array.of(item.length), item]));
  },
  print: (wire) => {
    const items: string[] = [];
    for (let at = 0; at < wire.length; at += 1 + wire[at]) {
      if (wire[at] === 0 || at + 1 + wire[at] > wire.length) return null;
      items.push(latin1(wire.subarray(at + 1, at + 1 + wire[at])).replace(/[\\,]/g, '\\$&'));
    }
    return items.length === 0 ? null : quotedText(Buffer.from(items.join(','), 'latin1'));
  },
};

const noDefaultAlpn: Parameter = {
  name: 'no-default-alpn',
  expected: 'no value',
  escapes: false,
  read: (text) => (text.length === 0 ? text : null),
  print: (wire) => (wire.length === 0 ? '' : null),
};

const port: Parameter = {
  name: 'port',
  expected: 'a port up to 65535',
  escapes: false,
  read: (text) => {
    const word = latin1(text);
    return /^\d{1,10}$/.test(word) && Number(word) <= 0xffff ? u16(Number(word)) : null;
  },
  print: (wire) => (wire.length === 2 ? String(wire[0] * 256 + wire[1]) : null),
};

/** A list of addresses of `size` octets. */
function hint(name: string, size: number, write: typeof writeIpv4, print: (octets: Uint8Array) => string): Parameter {
  return {
    name,
    expected: `a list of IP${size === 4 ? 'v4' : 'v6'} addresses`,
    escapes: false,
    read: (text) => {
      const items = latin1(text).split(',');
      const out = new Uint8Array(items.length * size);
      let good = true;
      for (const [i, item] of items.entries()) {
        const octets = Buffer.from(item, 'latin1');
        good &&= write(octets, 0, octets.length, out, i * size);
      }
      return good ? out : null;
    },
    print: (wire) => {
      if (wire.length === 0 || wire.length % size !== 0) return null;
      const items: string[] = [];
      for (let at = 0; at < wire.length; at += size) items.push(print(wire.subarray(at, at + size)));
      return items.join(',');
    },
  };
}

const BASE64 = /^(?:[\dA-Za-z+/]{4})*(?:[\dA-Za-z+/]{2}==|[\dA-Za-z+/]{3}=)?$/;

const ech: Parameter = {
  name: 'ech',
  expected: 'base64',
  escapes: false,
  read: (text) => {
    const word = latin1(text);
    const octets = Buffer.from(word, 'base64');
    return BASE64.test(word) && octets.toString('base64') === word ? octets : null;
  },
  print: (wire) => Buffer.from(wire).toString('base64'),
};

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** The path is a relative URI template with the variable `dns` (RFC 9461 §5). */
function isDohPath(octets: Uint8Array): boolean {
  try {
    const text = UTF8.decode(octets);
    return text.startsWith('/') && text.includes('{?dns}');
  } catch {
    return false;
  }
}

const dohpath: Parameter = {
  name: 'dohpath',
  expected: 'a path such as /dns-query{?dns}',
  escapes: true,
  read: (text) => (isDohPath(text) ? text : null),
  print: (wire) => (isDohPath(wire) ? quotedText(wire) : null),
};

const KNOWN: readonly Parameter[] = [
  mandatory,
  alpn,
  noDefaultAlpn,
  port,
  hint('ipv4hint', 4, writeIpv4, (octets) => octets.join('.')),
  ech,
  hint('ipv6hint', 16, writeIpv6, ipv6Text),
  dohpath,
];

const NUMBERS: ReadonlyMap<string, number> = new Map(KNOWN.map(({ name }, i) => [name, i]));

/** `alpn`, … or `key65280`. */
export function parameterName(key: number): string {
  return KNOWN[key]?.name ?? `key${key}`;
}

function parameterNumber(name: string): number | null {
  const known = NUMBERS.get(name);
  if (known !== undefined) return known;
  const match = /^key(0|[1-9]\d{0,4})$/.exec(name);
  return match === null || Number(match[1]) > 0xffff ? null : Number(match[1]);
}

/**
 * A parameter's number and wire octets from its name and its value as it is written. A known one written as `keyN` has
 * its octets as they are on the wire (RFC 9460 §2.1).
 */
export function readParameter(
  name: string,
  value: Uint8Array,
): { readonly key: number; readonly octets: Uint8Array } | Problem {
  const key = parameterNumber(name);
  if (key === null) {
    const octets = Buffer.from(name, 'latin1');
    return problem('bad-word', `"${shownText(octets, 0, octets.length)}" is no service parameter`);
  }
  const known = KNOWN[key];
  const generic = known === undefined || name !== known.name;
  const resolved = generic || known.escapes ? resolveEscapes(value, 0, value.length) : value;
  if (resolved === null) return problem('bad-escape', `the value of "${name}" has a bad escape`);
  if (known === undefined) return { key, octets: resolved };
  const octets = !generic ? known.read(resolved) : known.print(resolved) === null ? null : resolved;
  return octets === null ? problem('bad-word', `"${name}" takes ${known.expected}`) : { key, octets };
}

/** A value as written after `=`; '': there is none; null: the octets are no value of this parameter. */
export function textOfParameter(key: number, wire: Uint8Array): string | null {
  const known = KNOWN[key];
  if (known !== undefined) return known.print(wire);
  return wire.length === 0 ? '' : quotedText(wire);
}
