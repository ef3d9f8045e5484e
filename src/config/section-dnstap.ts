/** `server.dnstap`: what is asked and answered, reported in the format that other name servers report it in. */
import { hostname } from 'node:os';
import { z } from 'zod';
import { version } from '../system/version.ts';
import { type Found, fault, type Get } from './checks/keys.ts';
import { flag, number, optional, path, section } from './fields.ts';
import { key } from './key-docs.ts';
import { besideConfig } from './paths.ts';
import type { Path } from './yaml-source.ts';

/** Where messages go. Paths are absolute. */
export type DnstapOutput =
  | { readonly kind: 'socket'; readonly path: string }
  | {
      readonly kind: 'file';
      readonly path: string;
      /** Octets after which another file is begun. */
      readonly size: number;
      /** How many older files are kept. */
      readonly versions: number;
    };

export type DnstapConfig = {
  readonly output: DnstapOutput;
  /** One query in so many is reported. */
  readonly sampleRate: number;
  /** Messages in all. */
  readonly maxPerSecond: number;
  /** At least one of the two. */
  readonly queries: boolean;
  readonly responses: boolean;
  /** Empty: left out. */
  readonly identity: string;
  readonly version: string;
};

const label = () =>
  z.string({ error: 'expected a text of at most 255 octets' }).refine((value) => Buffer.byteLength(value) <= 255, {
    error: 'expected a text of at most 255 octets',
    params: { code: 'out-of-range' },
  });

export const dnstap = section({
  socket: key(
    optional(path('the path of a Unix socket'), null),
    "The Unix socket of a receiver, such as `fstrm_capture`; the server's user must be able to write to it.",
    { otherwise: 'none', example: '/run/dnstap/edgewise.sock' },
  ),
  file: key(
    optional(path('a file'), null),
    'Instead of a socket: a file that is begun anew at each start and when it has `size` octets.',
    { otherwise: 'none', example: '/var/log/edgewise/queries.fstrm' },
  ),
  size: key(
    optional(number('octets', { min: 2 ** 20, max: 2 ** 40 }), 100 * 2 ** 20),
    'Octets of the file, after which it becomes FILE.0, and the older ones FILE.1 and so on.',
  ),
  versions: key(
    optional(number('a number of older files', { min: 0, max: 1000 }), 4),
    'How many older files are kept.',
  ),
  sample_rate: key(
    optional(number('a number N: one query in N is reported', { min: 1, max: 1_000_000 }), 1),
    'One query in so many is reported, at random; 1: every one.',
  ),
  max_per_second: key(
    optional(number('messages in a second', { min: 1, max: 1_000_000 }), 10_000),
    'Messages in a second at most, of all threads together, spread over the second.',
  ),
  queries: key(optional(flag(), true), 'Whether a sampled query is reported (AUTH_QUERY).'),
  responses: key(optional(flag(), true), 'Whether the response to a sampled query is reported (AUTH_RESPONSE).'),
  identity: key(optional(label(), null), 'What each message says of the server; `""` for nothing.', {
    otherwise: "the machine's host name",
    value: 'a text of at most 255 octets',
    example: 'ns1.example.net',
  }),
  version: key(optional(label(), null), 'The version that each message names; `""` for none.', {
    otherwise: '`edgewise` and its version',
    value: 'a text of at most 255 octets',
    example: '""',
  }),
});

/** Null: off, or a section with faults. */
export function dnstapConfig(configFile: string, keys: z.output<typeof dnstap> | null): DnstapConfig | null {
  if (keys === null) return null;
  const given = keys.socket ?? keys.file;
  if (given === null) return null;
  const place = besideConfig(configFile, given);
  return {
    output:
      keys.socket === null
        ? { kind: 'file', path: place, size: keys.size, versions: keys.versions }
        : { kind: 'socket', path: place },
    sampleRate: keys.sample_rate,
    maxPerSecond: keys.max_per_second,
    queries: keys.queries,
    responses: keys.responses,
    identity: keys.identity ?? hostname(),
    version: keys.version ?? `edgewise ${version()}`,
  };
}

/** Keys that contradict each other. */
export function dnstapFaults(get: Get): Found[] {
  const at: Path = ['server', 'dnstap'];
  const of = (key: string): unknown => get(...at, key) ?? null;
  const given = get(...at) ?? null;
  if (given === null || typeof given !== 'object') return [];
  const faults: Found[] = [];
  if (of('socket') === null && of('file') === null) {
    const message = 'server.dnstap: needs a socket or a file that messages go to';
    faults.push({ severity: 'error', code: 'missing-key', path: at, what: 'key', message });
  }
  if (of('socket') !== null && of('file') !== null) {
    const message = 'server.dnstap.file: messages go to a socket or to a file, not to both';
    faults.push(fault([...at, 'file'], 'bad-value', message));
  }
  if (of('queries') === false && of('responses') === false) {
    const message = 'server.dnstap.responses: without queries and responses there is nothing to report';
    faults.push(fault([...at, 'responses'], 'bad-value', message));
  }
  if (of('socket') === null) return faults;
  for (const name of ['size', 'versions']) {
    if (of(name) === null) continue;
    const message = `server.dnstap.${name}: has no effect on a socket`;
    faults.push({ severity: 'warning', code: 'ignored', path: [...at, name], message });
  }
  return faults;
}
