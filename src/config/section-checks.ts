/**
 * The section `checks`: what the edges of a network are asked, instead of edgemanage's fetch. The keys of a kind are in a
 * file of `checks/` and have a line in `CHECK_SCHEMAS` and, where they can contradict each other, in `CHECK_FAULTS`; the
 * kind itself is in `src/health/checks`.
 */
import { z } from 'zod';
import { command, commandFaults } from './checks/command.ts';
import { dns, dnsFaults } from './checks/dns.ts';
import { http } from './checks/http.ts';
import { icmp, icmpFaults } from './checks/icmp.ts';
import { type CheckFaults, type Found, fault, type Get } from './checks/keys.ts';
import { tcp, tcpFaults } from './checks/tcp.ts';
import { address, list, optional, section } from './fields.ts';
import { key } from './key-docs.ts';
import type { Path } from './yaml-source.ts';

/** Checks of one address run side by side, so that this bounds the sockets that one worker's place may hold. */
const CHECKS_MAX = 16;

/** By kind: every key of such a check, with the words for what is expected. */
export const CHECK_SCHEMAS = { http, tcp, icmp, command, dns } as const;

const CHECK_FAULTS: { readonly [kind in keyof Schemas]?: CheckFaults } = {
  tcp: tcpFaults,
  icmp: icmpFaults,
  command: commandFaults,
  dns: dnsFaults,
};

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
  Object.values(CHECK_SCHEMAS).map((schema) =>
    section({
      ...schema.shape,
      address: key(address(), 'Where this check is made, instead of the addresses of the edges.', {
        example: '192.0.2.1',
      }),
    }),
  ) as unknown as [Schema, ...Schema[]],
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
      combine: key(
        optional(z.enum(['all', 'any'], { error: 'expected all or any' }), 'all' as const),
        'Whether all of the checks must pass, or any one.',
      ),
      of: key(
        list(check, 'a list of checks')
          .min(1, { error: 'expected at least one check' })
          .max(CHECKS_MAX, { error: `expected at most ${CHECKS_MAX} checks` }),
        'The checks, up to sixteen; they run side by side.',
      ),
    },
    'a list of checks, or a section with combine and of',
  ),
);

export const checks = key(
  optional(z.record(z.string(), plan, { error: 'expected a map from networks to their checks' }), {}),
  'What the edges of a network are asked, instead of the fetch of `testobject`. A list must pass as a whole.',
  {
    default: '{}',
    value: 'a map from networks to a list of checks, or to a section with combine and of',
    example: '{net-a: [{kind: http, uri: /health, status: 200-299}]}',
  },
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

/**
 * What is wrong between checks that are each fine alone. Reads the plain values. `timeout`: the network's, seconds.
 */
export function checkFaults(get: Get, timeout: number): readonly Found[] {
  const networks = get('checks');
  if (typeof networks !== 'object' || networks === null) return [];
  return Object.keys(networks).flatMap((network) => {
    const listed: Path = Array.isArray(get('checks', network)) ? ['checks', network] : ['checks', network, 'of'];
    return listFaults(get, listed, timeout, `another check of ${network}`);
  });
}

/**
 * Of the list at `listed`, one check in which shares its name with `another`. `usual`: the timeout of a check without
 * one of its own, seconds.
 */
export function listFaults(
  get: Get,
  listed: Path,
  timeout: number,
  another: string,
  usual = timeout,
): readonly Found[] {
  const of = get(...listed);
  if (!Array.isArray(of)) return [];
  const names = of.map((_, i) => get(...listed, i, 'name'));
  return of.flatMap((_, i): Found[] => {
    const own = get(...listed, i, 'timeout');
    const late = typeof own === 'number' && own > timeout;
    const twice = typeof names[i] === 'string' && names.indexOf(names[i]) < i;
    const head = `${listed.join('.')}[${i}]`;
    const faults = faultsOfKind(get(...listed, i, 'kind'));
    return [
      ...(faults?.(get, [...listed, i], head, usual) ?? []),
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

function faultsOfKind(kind: unknown): CheckFaults | undefined {
  const found = Object.entries(CHECK_FAULTS).find(([name]) => name === kind);
  return found?.[1];
}
