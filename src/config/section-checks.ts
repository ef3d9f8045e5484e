/**
 * The section `checks`: what the edges of a network are asked, instead of edgemanage's fetch. One schema a kind, beside
 * which `CHECK_SCHEMAS` has one line; the kind itself is in `src/health/checks`.
 */
import { z } from 'zod';
import { RCODE_NAMES } from '../dns/rcode-name.ts';
import { rdataFromText } from '../dns/rdata-text.ts';
import { isMetaType, scanTypeName, typeName } from '../dns/type-name.ts';
import type { ConfigFault } from './fault.ts';
import {
  address,
  domainName,
  flag,
  hostName,
  list,
  number,
  objectPath,
  oneOrMany,
  optional,
  parsed,
  path,
  section,
} from './fields.ts';
import type { Path } from './yaml-source.ts';

/** Checks of one address run side by side, so that this bounds the sockets that one worker's place may hold. */
const CHECKS_MAX = 16;
const OCTETS_MAX = 1024;

/** Keys that every kind has. `timeout`: seconds, null for the network's. */
const common = {
  name: optional(
    parsed<string>('a name of up to 64 letters, digits and . _ : -', (value) =>
      /^[A-Za-z0-9._:-]{1,64}$/.test(value) ? value : null,
    ),
    null,
  ),
  timeout: optional(number('seconds', { min: 0, max: 3600, integer: false, above: true }), null),
};

const port = number('a port', { min: 1, max: 65_535 });

/** How a check speaks TLS. `host`: SNI and the name in the certificate. `verify`: a flag, or a file of authorities. */
const tlsKeys = {
  host: optional(hostName(), null),
  verify: optional(
    z.union([z.boolean(), z.string().min(1)], {
      error: "expected true, false, or the file of the authorities (PEM) that sign the edges' certificates",
    }),
    null,
  ),
};

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
  file: optional(path('the file that the body must equal'), null),
  md5: digest('MD5', 16),
  sha256: digest('SHA-256', 32),
  text: octets('a text that must be in the body'),
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
  });

const http = section({
  kind: z.literal('http'),
  ...common,
  port: optional(port, null),
  scheme: optional(z.enum(['http', 'https'], { error: 'expected http or https' }), null),
  ...tlsKeys,
  uri: optional(objectPath(), null),
  status: optional(
    oneOrMany(statusRange, 'a status code, a range of them, or a list').refine((ranges) => ranges.length > 0, {
      error: 'expected at least one status code or range of them',
    }),
    null,
  ),
  body: optional(body, null),
  headers: optional(headers, {}),
});

/** A few octets, which a listener greets with or answers; written as text, sent as UTF-8. */
function octets(what: string) {
  const error = `expected ${what}, 1 to ${OCTETS_MAX} octets of text`;
  const fits = (value: string): boolean => value !== '' && Buffer.byteLength(value) <= OCTETS_MAX;
  return optional(z.string({ error }).refine(fits, { error }), null);
}

const tcp = section({
  kind: z.literal('tcp'),
  ...common,
  port,
  tls: optional(flag(), false),
  ...tlsKeys,
  send: octets('what is sent once connected'),
  expect: octets('what must come'),
});

const ARGUMENTS_MAX = 64;
const argument = z
  .string({ error: 'expected an argument as text (numbers in quotation marks)' })
  .refine((value) => Buffer.byteLength(value) <= OCTETS_MAX && !value.includes('\0'), {
    error: `expected an argument of at most ${OCTETS_MAX} octets, without NUL`,
  });

const exitStatuses = oneOrMany(
  number('an exit status', { min: 0, max: 255 }),
  'an exit status (0 to 255), or a list of them',
);

/** `ok`, `unknown`: exit statuses that pass, and that say nothing about the edge. */
const command = section({
  kind: z.literal('command'),
  ...common,
  program: parsed<string>('the absolute path of a program, such as /usr/lib/nagios/plugins/check_smtp', (value) =>
    value.startsWith('/') && !value.includes('\0') ? value : null,
  ),
  args: optional(
    list(argument, 'a list of arguments').max(ARGUMENTS_MAX, { error: `expected at most ${ARGUMENTS_MAX} arguments` }),
    ['{edge}', '{address}'],
  ),
  ok: optional(
    exitStatuses.refine((statuses) => statuses.length > 0, { error: 'expected at least one exit status' }),
    [0],
  ),
  unknown: optional(exitStatuses, []),
});

/** Type of records that zones hold, by mnemonic or as `TYPE###`. */
const recordType = parsed<number>('a type of record, such as SOA, A or TYPE65280', typeCode);
const TYPE_SOA = 6;

function typeCode(text: string): number | null {
  const code = scanTypeName(Buffer.from(text), 0, Buffer.byteLength(text));
  return code < 0 || isMetaType(code) ? null : code;
}

const rcode = parsed<number>(`a response code (${[...RCODE_NAMES.values()].join(', ')})`, (value) => {
  const found = [...RCODE_NAMES].find(([, name]) => name === value.toUpperCase());
  return found === undefined ? null : found[0];
});

const DATA_MAX = 64;
const RDATA_TEXT_MAX = 4096;
const rdataError = `expected the data of a record as in a zone file, up to ${RDATA_TEXT_MAX} characters`;

const dns = section({
  kind: z.literal('dns'),
  ...common,
  port: optional(port, 53),
  transport: optional(z.enum(['udp', 'tcp'], { error: 'expected udp or tcp' }), 'udp' as const),
  query: domainName(),
  type: optional(recordType, TYPE_SOA),
  rcode: optional(rcode, 0),
  data: optional(
    oneOrMany(
      z.string({ error: rdataError }).min(1, { error: rdataError }).max(RDATA_TEXT_MAX, { error: rdataError }),
      "a record's data, or a list",
    )
      .refine((data) => data.length > 0, { error: 'expected the data of at least one record' })
      .refine((data) => data.length <= DATA_MAX, { error: `expected the data of at most ${DATA_MAX} records` }),
    null,
  ),
  match: optional(z.enum(['all', 'any', 'exact'], { error: 'expected all, any or exact' }), 'all' as const),
});

/** `max_loss`: per cent of the `count` requests. `interval`: seconds between two of them. */
const icmp = section({
  kind: z.literal('icmp'),
  ...common,
  count: optional(number('a number of echo requests', { min: 1, max: 20 }), 3),
  max_loss: optional(number('per cent of the requests', { min: 0, max: 99, integer: false }), 50),
  interval: optional(number('seconds', { min: 0.01, max: 60, integer: false }), 0.2),
});

/** By kind: every key of such a check, with the words for what is expected. */
export const CHECK_SCHEMAS = { http, tcp, icmp, command, dns } as const;

type Schemas = typeof CHECK_SCHEMAS;
type Schema = Schemas[keyof Schemas];

/** One check as it is configured, of one kind: with its defaults, and with a name that is unique in its network. */
export type CheckConfig = { [K in keyof Schemas]: z.output<Schemas[K]> & { readonly name: string } }[keyof Schemas];

/** The configured checks of one network. `all` must pass, or `any` one. */
export type CheckPlan = { readonly combine: 'all' | 'any'; readonly of: readonly CheckConfig[] };

const KINDS = Object.keys(CHECK_SCHEMAS).join(', ');
const check = z.discriminatedUnion('kind', Object.values(CHECK_SCHEMAS) as [Schema, ...Schema[]], {
  error: ({ code }) =>
    code === 'invalid_union' ? `expected a kind of check (${KINDS})` : `expected a check, such as {kind: http}`,
});

/**
 * A check of any kind that is made at one address instead of the edges' (`safety.reference`). The address is not a name,
 * which could not be looked up either while our own line is down.
 */
export const referenceCheck = z.discriminatedUnion(
  'kind',
  Object.values(CHECK_SCHEMAS).map((schema) => section({ ...schema.shape, address: address() })) as unknown as [
    Schema,
    ...Schema[],
  ],
  {
    error: ({ code }) =>
      code === 'invalid_union'
        ? `expected a kind of check (${KINDS})`
        : 'expected a check with its address, such as {address: 192.0.2.1, kind: tcp, port: 53}',
  },
) as unknown as z.ZodType<z.output<Schema> & { readonly address: string }>;

const plan = z.preprocess(
  // A bare list is the usual case: all of them must pass.
  (value) => (Array.isArray(value) ? { of: value } : value),
  section(
    {
      combine: optional(z.enum(['all', 'any'], { error: 'expected all or any' }), 'all' as const),
      of: list(check, 'a list of checks')
        .min(1, { error: 'expected at least one check' })
        .max(CHECKS_MAX, { error: `expected at most ${CHECKS_MAX} checks` }),
    },
    'a list of checks, or a section with combine and of',
  ),
);

export const checks = optional(
  z.record(z.string(), plan, { error: 'expected a map from networks to their checks' }),
  {},
);

/**
 * The section with every check named: as it says, else for its kind, and where that is taken with port or number.
 * `at`: the absolute path of one in the file.
 */
export function checkPlans(
  given: z.output<typeof checks>,
  at: (path: string) => string,
): ReadonlyMap<string, CheckPlan> {
  return new Map(
    Object.entries(given).map(([network, { combine, of }]) => [
      network,
      { combine, of: named(of).map((one) => withPaths(one, at)) },
    ]),
  );
}

/** The check with the absolute paths of the files that it names. */
export function withPaths(one: CheckConfig, at: (path: string) => string): CheckConfig {
  if (!('verify' in one)) return one;
  const verify = typeof one.verify === 'string' ? at(one.verify) : one.verify;
  if (one.kind === 'tcp') return { ...one, verify };
  const file = one.body?.file ?? null;
  return { ...one, verify, body: one.body === null || file === null ? one.body : { ...one.body, file: at(file) } };
}

function named(of: z.output<typeof plan>['of']): readonly CheckConfig[] {
  const taken = new Set(of.flatMap(({ name }) => (name === null ? [] : [name])));
  return of.map((one) => {
    const name = one.name ?? freeName(one, taken);
    taken.add(name);
    return { ...one, name };
  });
}

function freeName(one: z.output<Schema>, taken: ReadonlySet<string>): string {
  const withPort = 'port' in one && typeof one.port === 'number' ? [`${one.kind}:${one.port}`] : [];
  const numbered = Array.from({ length: CHECKS_MAX }, (_, i) => `${one.kind}-${i + 2}`);
  return [one.kind, ...withPort, ...numbered].find((name) => !taken.has(name)) ?? one.kind;
}

type Found = Pick<ConfigFault, 'severity' | 'code' | 'message'> & { readonly path: Path; readonly what?: 'key' };

/**
 * What is wrong between checks that are each fine alone. Reads the plain values. `timeout`: the network's, seconds.
 */
export function checkFaults(get: (...path: Path) => unknown, timeout: number): readonly Found[] {
  const networks = get('checks');
  if (typeof networks !== 'object' || networks === null) return [];
  return Object.keys(networks).flatMap((network) => {
    const listed: Path = Array.isArray(get('checks', network)) ? ['checks', network] : ['checks', network, 'of'];
    return listFaults(get, listed, timeout, `another check of ${network}`);
  });
}

/** Of the list at `listed`, one check in which shares its name with `another`. */
export function listFaults(
  get: (...path: Path) => unknown,
  listed: Path,
  timeout: number,
  another: string,
): readonly Found[] {
  const of = get(...listed);
  if (!Array.isArray(of)) return [];
  const names = of.map((_, i) => get(...listed, i, 'name'));
  return of.flatMap((_, i): Found[] => {
    const own = get(...listed, i, 'timeout');
    const late = typeof own === 'number' && own > timeout;
    const twice = typeof names[i] === 'string' && names.indexOf(names[i]) < i;
    const head = `${listed.join('.')}[${i}]`;
    const plain = get(...listed, i, 'kind') === 'tcp' && get(...listed, i, 'tls') !== true;
    const isGiven = (key: string): boolean => (get(...listed, i, key) ?? null) !== null;
    const idle = [
      ...(plain ? ['host', 'verify'] : []).map((key) => [key, 'tls is true'] as const),
      ...(isGiven('data') ? [] : [['match', 'data is given'] as const]),
    ].filter(([key]) => isGiven(key));
    return [
      ...(get(...listed, i, 'kind') === 'command' ? commandFaults(get, [...listed, i], head) : []),
      ...(get(...listed, i, 'kind') === 'dns' ? dnsFaults(get, [...listed, i], head) : []),
      ...(get(...listed, i, 'kind') === 'icmp' ? icmpFaults(get, [...listed, i], head, timeout) : []),
      ...idle.map(([key, condition]): Found => {
        const message = `${head}.${key}: has no effect unless ${condition}`;
        return { severity: 'warning', code: 'ignored', path: [...listed, i, key], what: 'key', message };
      }),
      ...(late
        ? [
            fault(
              [...listed, i, 'timeout'],
              'out-of-range',
              `${head}.timeout: expected at most ${timeout}, the timeout of all checks together, got ${own}`,
            ),
          ]
        : []),
      ...(twice
        ? [
            fault(
              [...listed, i, 'name'],
              'bad-value',
              `${head}.name: ${another} has the name "${names[i]}" already; each needs its own`,
            ),
          ]
        : []),
    ];
  });
}

/** Data is read by the type that it is of. */
function dnsFaults(get: (...path: Path) => unknown, at: Path, head: string): readonly Found[] {
  const given = get(...at, 'type') ?? 'SOA';
  const type = typeof given === 'string' ? typeCode(given.trim()) : null;
  if (type === null) return [];
  const data = get(...at, 'data');
  const texts: readonly unknown[] = Array.isArray(data) ? data : [data];
  return texts.flatMap((text, i) => {
    const rdata = typeof text === 'string' && text !== '' ? rdataFromText(type, text) : null;
    if (typeof rdata !== 'string') return [];
    const [place, key] = Array.isArray(data) ? [[...at, 'data', i], `data[${i}]`] : [[...at, 'data'], 'data'];
    return [
      fault(place, 'bad-value', `${head}.${key}: expected the data of a record of type ${typeName(type)}: ${rdata}`),
    ];
  });
}

function icmpFaults(get: (...path: Path) => unknown, at: Path, head: string, whole: number): readonly Found[] {
  const given = (key: string, otherwise: number): number | null => {
    const value = get(...at, key) ?? otherwise;
    return typeof value === 'number' ? value : null;
  };
  const [count, interval, timeout] = [given('count', 3), given('interval', 0.2), given('timeout', whole)];
  if (count === null || interval === null || timeout === null) return [];
  const loss = get(...at, 'max_loss');
  const idle = [
    ...(typeof loss === 'number' && loss > 0 && Math.floor((count * loss) / 100) < 1
      ? [['max_loss', `is less than one of ${count} requests`] as const]
      : []),
    ...(count === 1 && typeof get(...at, 'interval') === 'number'
      ? [['interval', 'is the time between requests, and there is one'] as const]
      : []),
  ];
  return [
    ...idle.map(([key, why]): Found => {
      const message = `${head}.${key}: has no effect: it ${why}`;
      return { severity: 'warning', code: 'ignored', path: [...at, key], what: 'key', message };
    }),
    ...((count - 1) * interval < timeout
      ? []
      : [
          fault(
            [...at, get(...at, 'interval') === undefined ? 'count' : 'interval'],
            'out-of-range',
            `${head}: ${count} requests with ${interval} s between them take longer than the timeout of ${timeout} s`,
          ),
        ]),
  ];
}

function commandFaults(get: (...path: Path) => unknown, at: Path, head: string): readonly Found[] {
  const statuses = (key: 'ok' | 'unknown'): readonly unknown[] => {
    const given = get(...at, key) ?? (key === 'ok' ? 0 : []);
    return Array.isArray(given) ? given : [given];
  };
  const both = statuses('unknown').find((status) => statuses('ok').includes(status));
  const args = get(...at, 'args');
  const unknown = (Array.isArray(args) ? args : []).flatMap((arg: unknown, i): Found[] => {
    const slip = typeof arg === 'string' ? /^\{(?!edge\}|address\})[A-Za-z]+\}$/.exec(arg) : null;
    if (slip === null) return [];
    const message = `${head}.args[${i}]: ${slip[0]} is passed on as it is; only {edge} and {address} are replaced`;
    return [{ severity: 'warning', code: 'bad-value', path: [...at, 'args', i], message }];
  });
  if (both === undefined) return unknown;
  const message = `${head}.unknown: the exit status ${both} passes already (ok); each has one meaning`;
  return [...unknown, fault([...at, 'unknown'], 'bad-value', message)];
}

function fault(path: Path, code: Found['code'], message: string): Found {
  return { severity: 'error', code, path, message };
}
