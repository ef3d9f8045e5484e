/**
 * The kinds of value a configuration holds, each with the words that tell an operator what is expected. Optional values
 * may be absent or null: the original's configuration leaves keys empty.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { asciiLabels, lowerName, nameFromText, type WireName } from '../dns/name.ts';
import type { Endpoint, Prefix } from '../system/address.ts';
import { parseEndpoint, parsePrefix } from '../system/address.ts';
import { isHostName } from '../system/host-name.ts';
import { type Documented, withFacts } from './key-docs.ts';
import { suggest } from './suggest.ts';

/**
 * A map whose every other key is a fault; the message holds one line per unknown key, in the order of `issue.keys`. Every
 * key has a description (`key-docs.ts`).
 */
export function section<Shape extends Readonly<Record<string, Documented>>>(
  shape: Shape,
  what = 'a section with keys and values',
) {
  const known = Object.keys(shape);
  const schema = z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return `expected ${what}`;
      return issue.keys
        .map((key) => {
          const meant = suggest(key, known);
          if (meant !== null) return `unknown key "${key}", did you mean "${meant}"?`;
          // The top of the file has too many to list.
          return `unknown key "${key}"${known.length > 25 ? '' : `; known here: ${known.join(', ')}`}`;
        })
        .join('\n');
    },
  });
  return withFacts(schema, { expected: what });
}

/** Absent and null both give `fallback`. */
export function optional<T extends z.ZodType, F>(schema: T, fallback: F) {
  const given = schema.nullish().transform((value): z.output<T> | F => value ?? fallback);
  return withFacts(given, { fallback: { value: fallback } });
}

export function flag() {
  return withFacts(z.boolean({ error: 'expected true or false' }), { expected: 'true or false' });
}

export function text(expected = 'a text') {
  return withFacts(z.string({ error: `expected ${expected}` }).min(1, { error: `expected ${expected}` }), { expected });
}

/** A file or folder, relative to the configuration's own folder. */
export function path(expected: string) {
  return text(expected)
    .refine((value) => !/^~/.test(value), {
      error: `expected ${expected}, its path written out: "~" is the shell's and is not expanded here (write ./~ for a folder of that name)`,
      abort: true,
    })
    .refine((value) => !value.includes('\0'), { error: `expected ${expected}; a path has no NUL in it` });
}

/** What a request asks for: path and query, with the slash that may be left out. */
export function objectPath() {
  return text('the path of the test object, such as /test.jpg')
    .refine((uri) => !/^[a-z][a-z0-9+.-]*:\/\//i.test(uri), {
      error: 'expected the path of the test object, not a URL: host, port and proto have keys of their own',
      abort: true,
    })
    .refine((uri) => !/[\s\p{Cc}]/u.test(uri), { error: 'expected a path without spaces', abort: true })
    .transform((uri) => (uri.startsWith('/') ? uri : `/${uri}`));
}

/** `integer`: whole numbers only. `above`: greater than `min`, not equal. */
export function number(
  expected: string,
  { min, max, integer = true, above = false }: { min: number; max: number; integer?: boolean; above?: boolean },
) {
  const range = above ? `greater than ${min}, at most ${max}` : `${min} to ${max}`;
  const error = `expected ${expected}, ${range}`;
  const fits = (value: number): boolean => (above ? value > min : value >= min) && value <= max;
  const schema = z
    .number({ error })
    .refine((value) => !integer || Number.isInteger(value), { error, abort: true })
    .refine(fits, { error, params: { code: 'out-of-range' } });
  return withFacts(schema, { expected: `${expected}, ${range}` });
}

export function list<T extends z.ZodType>(item: T, expected: string) {
  return withFacts(z.array(item, { error: `expected ${expected}` }), { expected });
}

/** One value or a list of them. */
export function oneOrMany<T extends z.ZodType>(item: T, expected: string) {
  const listed = z.preprocess((value) => (Array.isArray(value) ? value : [value]), list(item, expected));
  return withFacts(listed, { expected: / or /.test(expected) ? expected : `${expected}, or one alone` });
}

/** Text that `parse` turns into a value; null is "this is not one". */
export function parsed<T>(expected: string, parse: (value: string) => T | null) {
  const schema = z.string({ error: `expected ${expected}` }).transform((value, context): T => {
    const result = parse(value.trim());
    if (result !== null) return result;
    context.issues.push({ code: 'custom', input: value, message: `expected ${expected}` });
    return z.NEVER;
  });
  return withFacts(schema, { expected });
}

export function endpoint(defaultPort: number) {
  return parsed<Endpoint>('an address and port such as "127.0.0.1:53" or "[::1]:53"', (value) =>
    parseEndpoint(value, defaultPort),
  );
}

/** A single address without port; `fe80::1%eth0` is one. */
export function address() {
  return parsed<string>('an address such as 192.0.2.53 or 2001:db8::53', (value) => (isIP(value) === 0 ? null : value));
}

export function prefix() {
  return parsed<Prefix>(
    'an address or a prefix such as 192.0.2.0/24 or 2001:db8::/32, with no bits set beyond its length',
    parsePrefix,
  );
}

/** A whole domain name with its final dot, as in a zone file. */
export function absoluteName() {
  return parsed<WireName>('a domain name that ends with a dot, such as "ns1.example.net."', (value) => {
    const wire = nameFromText(value, null);
    return typeof wire === 'string' ? null : lowerName(wire);
  });
}

/** A whole domain name; the final dot may be missing. */
export function domainName() {
  return parsed<WireName>('a domain name', readName);
}

export function readName(value: string): WireName | null {
  const wire = value === '@' ? 'empty-name' : nameFromText(value, Uint8Array.of(0));
  return typeof wire === 'string' ? null : lowerName(wire);
}

/** Labels below each zone: `www`, `a.b`. Not an absolute name. */
export function relativeName() {
  return parsed<string>('a label relative to each zone, such as www', (value) =>
    value.endsWith('.') || readName(value) === null ? null : value,
  );
}

/**
 * What is in a Host header; an address is allowed, and a name with other than ASCII characters becomes its
 * A-labels.
 */
export function hostName() {
  return parsed<string>('a host name', (value) => {
    const ascii = asciiLabels(value) ?? '';
    return isHostName(ascii) || isIP(value) !== 0 ? ascii : null;
  });
}

/** A mailbox as a name, RFC 1035 §8: the first label is the local part. Also read in its usual form, `user@domain`. */
export function mailboxName() {
  return parsed<WireName>('a mailbox as a domain name, such as hostmaster.example.net.', (value) => {
    const [local, domain] = value.split('@', 2);
    if (domain !== undefined && asciiLabels(local) !== local) return null; // no A-label stands for a user (RFC 6530)
    return readName(domain === undefined ? value : `${local.replaceAll('.', '\\.')}.${domain}`);
  });
}
