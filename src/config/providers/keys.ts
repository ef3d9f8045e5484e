/** What the providers of `publish` have in common. A kind adds its own keys to these in a file of this folder. */
import { z } from 'zod';
import type { Found, Get } from '../checks/keys.ts';
import { flag, list, number, oneOrMany, optional, parsed, readName, text } from '../fields.ts';
import { key } from '../key-docs.ts';
import type { Path } from '../yaml-source.ts';

const NAMES_MAX = 100;

/** Keys that every kind has. `every` and `timeout`: seconds. */
export const publishKeys = {
  /** Unique among the targets; null: the kind and the zone. */
  name: key(
    optional(
      parsed<string>('a name of up to 100 letters, digits, blanks and . _ : / -', (value) =>
        /^[A-Za-z0-9._:/ -]{1,100}$/.test(value) ? value : null,
      ),
      null,
    ),
    'How log lines, metrics and `/healthz` name the target; unique.',
    { otherwise: 'the kind and the zone' },
  ),
  network: key(text('the network whose live set is published'), 'Whose live set is published.', { example: 'net-a' }),
  zone: key(
    text('the zone at the provider, such as example.net').refine((value) => readName(value) !== null && value !== '.', {
      error: 'expected the zone at the provider, such as example.net',
    }),
    'The zone at the provider.',
    { example: 'example.net' },
  ),
  names: key(
    oneOrMany(text('names such as "@", www or www.example.net.'), 'a list of names such as "@" and www')
      .refine((names) => names.length > 0, { error: 'expected at least one name, such as "@"' })
      .refine((names) => names.length <= NAMES_MAX, { error: `expected at most ${NAMES_MAX} names` }),
    '`@` for the zone itself, names relative to it, or whole ones with a final dot; at most 100.',
    { example: '["@", www]' },
  ),
  types: key(
    optional(
      list(z.enum(['A', 'AAAA'], { error: 'expected A or AAAA' }), 'a list of A and AAAA').min(1, {
        error: 'expected at least one type, A or AAAA',
      }),
      ['A' as const, 'AAAA' as const],
    ),
    'Which sets are kept.',
  ),
  owner: key(optional(flag(), true), 'Whether a set that somebody else changes is set right.'),
  every: key(
    optional(number('seconds', { min: 10, max: 86_400, integer: false }), 300),
    'Time between two looks when nothing changes.',
  ),
  timeout: key(
    optional(number('seconds', { min: 0, max: 300, integer: false, above: true }), 10),
    'Time for reading; applying has six times that.',
  ),
};

/** Seconds that resolvers may keep a set. `min`: the provider's least. */
export function setTtl(min = 0) {
  return optional(number('seconds', { min, max: 2_147_483_647 }), 60);
}

/** The base address of an API, without final slash. */
export function apiAddress(example: string) {
  const expected = `an http or https address without user, password, query and fragment, such as ${example}`;
  return parsed<string>(expected, readApiAddress);
}

/** Null: not the base address of an API. */
export function readApiAddress(value: string): string | null {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) return null;
  const isPlain = `${url.username}${url.password}${url.search}${url.hash}` === '';
  return isPlain ? url.href.replace(/\/+$/, '') : null;
}

/** Hosts that no wire leads to. */
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/** A warning where the address of an API in `key` lets others read `secret`, the words for a secret, on the way. */
export function clearTextFaults(
  get: Get,
  at: Path,
  head: string,
  key: string | number,
  secret: string,
): readonly Found[] {
  const given = get(...at, key);
  const base = typeof given === 'string' ? readApiAddress(given) : null;
  const url = base === null ? null : new URL(base);
  if (url?.protocol !== 'http:' || LOOPBACK.test(url.hostname)) return [];
  const name = typeof key === 'number' ? `${head}[${key}]` : `${head}.${key}`;
  const message = `${name}: by http ${secret} crosses the network in the clear; https keeps it secret`;
  return [{ severity: 'warning', code: 'bad-value', path: [...at, key], message }];
}
