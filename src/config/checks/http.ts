/** The keys of a check of kind `http`. */
import { z } from 'zod';
import { objectPath, oneOrMany, optional, parsed, path, section } from '../fields.ts';
import { key } from '../key-docs.ts';
import { common, octets, port, tlsKeys } from './keys.ts';

/** `200`, "200-299". */
const statusRange = z.preprocess(
  (value) => (typeof value === 'number' ? String(value) : value),
  parsed<readonly [number, number]>('a status code or a range of them, such as 200 or 200-299', (value) => {
    const match = /^([1-5]\d\d)(?:\s*-\s*([1-5]\d\d))?$/.exec(value);
    if (match === null) return null;
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
    return first <= last ? [first, last] : null;
  }),
);

function digest(name: string, octetsLong: number) {
  return optional(
    parsed<string>(`a ${name} digest in ${2 * octetsLong} hexadecimal digits`, (value) =>
      value.length === 2 * octetsLong && /^[0-9a-f]+$/i.test(value) ? value.toLowerCase() : null,
    ),
    null,
  );
}

const bodyKeys = {
  file: key(optional(path('the file that the body must equal'), null), 'The body must equal this file.', {
    otherwise: 'not compared',
  }),
  md5: key(digest('MD5', 16), 'MD5 digest of the whole body.', { otherwise: 'not compared' }),
  sha256: key(digest('SHA-256', 32), 'SHA-256 digest of the whole body.', { otherwise: 'not compared' }),
  text: key(octets('a text that must be in the body'), 'A text that must be somewhere in the body.', {
    otherwise: 'not compared',
    value: '1 to 1024 octets of text',
    example: 'ok',
  }),
};
const body = section(bodyKeys).refine((given) => Object.values(given).filter((value) => value !== null).length === 1, {
  error: `expected exactly one of ${Object.keys(bodyKeys).join(', ')}`,
});

/** Set by ourselves: others would make another request of it, or an answer that we cannot read. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'accept-encoding',
  'expect',
  'upgrade',
  'te',
  'trailer',
]);
const HEADERS_MAX = 32;
const headers = z
  .record(
    z.string(),
    // RFC 9110 section 5.5, without obs-text.
    z
      .string({ error: 'expected the value of a field as text' })
      .regex(/^[\x21-\x7e](?:[\x20-\x7e\t]{0,1022}[\x21-\x7e])?$/, {
        error: 'expected 1 to 1024 printable ASCII characters, with no space at either end',
      }),
    { error: 'expected a map from field names to values' },
  )
  .refine((fields) => Object.keys(fields).length <= HEADERS_MAX, { error: `expected at most ${HEADERS_MAX} fields` })
  // RFC 9110 section 5.1: a token.
  .refine((fields) => Object.keys(fields).every((name) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/.test(name)), {
    error: 'expected names of header fields, such as X-Health',
  })
  .refine((fields) => !Object.keys(fields).some((name) => OWN_FIELDS.has(name.toLowerCase())), {
    error: `expected none of ${[...OWN_FIELDS].join(', ')}, which the check sets itself`,
  })
  // RFC 9110 section 5.1: their letter case does not count.
  .refine(
    (fields) => new Set(Object.keys(fields).map((name) => name.toLowerCase())).size === Object.keys(fields).length,
    {
      error: 'expected each field once, whatever the case of its letters',
    },
  );

export const http = section({
  kind: key(
    z.literal('http'),
    'A GET over HTTP/1.1, or HTTP/2 where an edge offers nothing else; redirects are followed to the own address of the edge.',
  ),
  ...common,
  port: key(optional(port, null), 'Where to connect.', {
    otherwise: '`testobject.port`; with another `scheme` than its `proto`, 80 or 443',
  }),
  scheme: key(optional(z.enum(['http', 'https'], { error: 'expected http or https' }), null), 'How it is asked.', {
    otherwise: '`testobject.proto`',
  }),
  ...tlsKeys,
  uri: key(optional(objectPath(), null), 'Path and query.', { otherwise: '`testobject.uri`', example: '/health' }),
  status: key(
    optional(
      oneOrMany(statusRange, 'a status code, a range of them, or a list').refine((ranges) => ranges.length > 0, {
        error: 'expected at least one status code or range of them',
      }),
      null,
    ),
    'Accepted status codes. A redirect that is accepted is not followed.',
    { otherwise: 'all below 400, once redirects are followed', example: '200-299' },
  ),
  body: key(optional(body, null), 'What the body must be: exactly one of its keys.', {
    otherwise: 'without `uri` the file `testobject.local`, else nothing is compared',
    example: '{text: ok}',
  }),
  headers: key(optional(headers, {}), 'Fields of the request, beside the usual ones or instead of them.', {
    isSecret: true,
    default: '{}',
    value: 'a map from field names to values, up to 32',
    example: '{X-Health: "1"}',
  }),
});
