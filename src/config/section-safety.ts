/** The section `safety`: what keeps checks that err, or fail all together, from emptying a network's answers. */
import { z } from 'zod';
import type { ConfigFault } from './fault.ts';
import { list, number, optional, section } from './fields.ts';
import { key } from './key-docs.ts';
import { type CheckConfig, listFaults, referenceCheck, withPaths } from './section-checks.ts';
import type { Path } from './yaml-source.ts';

/** So many edges, or so many of a hundred. */
export type MinUp = { readonly value: number; readonly percent: boolean };

const EDGES_MAX = 100_000;
const MIN_UP = `a number of edges, 1 to ${EDGES_MAX}, or a share of them such as "50%"`;
const minUp = z.union([z.number(), z.string()], { error: `expected ${MIN_UP}` }).transform((given, context): MinUp => {
  const share = typeof given === 'string' ? /^\s*(\d{1,3}(?:\.\d+)?)\s*%\s*$/.exec(given) : null;
  const value = share === null ? given : Number(share[1]);
  const most = share === null ? EDGES_MAX : 100;
  const isWhole = share !== null || Number.isInteger(value);
  if (typeof value === 'number' && isWhole && value > 0 && value <= most) return { value, percent: share !== null };
  context.issues.push({ code: 'custom', input: given, message: `expected ${MIN_UP}` });
  return z.NEVER;
});

/** After an hour of passing, earlier failures are forgotten. */
const HOLD_UP_MAX = 3600;

const REFERENCES_MAX = 16;
/** Seconds; an answer's change may wait for this while references do not answer. */
const REFERENCE_TIMEOUT = 3;

/** `fallback: NET`, as a section or as text. */
function fallbackOf(given: unknown): string | null {
  if (typeof given === 'string') return /^fallback:\s*(\S.*)$/.exec(given.trim())?.[1] ?? null;
  if (typeof given !== 'object' || given === null || Object.keys(given).length !== 1) return null;
  const value = 'fallback' in given ? given.fallback : null;
  return typeof value === 'string' && value !== '' ? value : null;
}

const BELOW = 'keep, all, or fallback: and the network that answers instead';
const below = z
  .unknown()
  .transform((given, context): { kind: 'keep' | 'all' | 'fallback'; fallback: string | null } => {
    if (given === 'keep' || given === 'all') return { kind: given, fallback: null };
    const fallback = fallbackOf(given);
    if (fallback !== null) return { kind: 'fallback', fallback };
    context.issues.push({ code: 'custom', input: given, message: `expected ${BELOW}` });
    return z.NEVER;
  });

const network = section({
  fill: key(
    optional(z.enum(['failing', 'none'], { error: 'expected failing or none' }), 'failing' as const),
    'What becomes of places for which no edge passes: members of the last set that fail keep them (`failing`), or they stay empty (`none`).',
  ),
  min_up: key(
    optional(minUp, null),
    'How many edges must pass, or what share of those that are not unavailable. With fewer the checks are not believed, and `below` says what is answered.',
    {
      otherwise: 'any number',
      example: '"50%"',
      value: 'a number of edges, 1 to 100000, or a share of them such as "50%"',
    },
  ),
  hold_up: key(
    optional(number('seconds', { min: 0, max: HOLD_UP_MAX, integer: false, above: true }), null),
    'How long an edge must pass after it failed before it is live again; twice as long after each further fall within an hour of passing.',
    {
      otherwise: 'an edge is back at once after its first fall, and later the longer the more often it falls',
      example: '60',
    },
  ),
  reference: key(
    optional(
      list(referenceCheck, 'a list of checks, each with its address').max(REFERENCES_MAX, {
        error: `expected at most ${REFERENCES_MAX} references`,
      }),
      [],
    ),
    'What must answer as long as the line of this server works. While more than half of them fail, edges that fail are not believed. Each is a check with its `address`.',
    { otherwise: 'none', like: 'checks.NETWORK[]', example: '[{address: 192.0.2.1, kind: tcp, port: 53}]' },
  ),
  below: key(
    optional(below, { kind: 'keep' as const, fallback: null }),
    'What is answered while fewer than `min_up` pass: the last set, every edge, or the set of another network.',
    { default: 'keep', value: 'keep, all, or {fallback: NETWORK}', example: '{fallback: net-b}' },
  ),
});

export const safety = key(
  optional(z.record(z.string(), network, { error: 'expected a map from networks to their safety rules' }), {}),
  'What keeps checks that err from emptying the answers of a network.',
  { default: '{}', value: 'a map from networks to their safety rules', example: '{net-a: {fill: none, min_up: 2}}' },
);

/** The safety rules of one network. */
export type SafetyConfig = {
  /**
   * Whether members that fail keep the places for which no edge passes (`failing`, edgemanage's rule), or leave them
   * empty (`none`).
   */
  readonly fill: 'failing' | 'none';
  /** How many edges must pass for checks to be believed; null: any number. */
  readonly minUp: MinUp | null;
  /** What is answered while fewer pass: the last set, all edges, or the set of another network. */
  readonly below: 'keep' | 'all' | 'fallback';
  /** The network whose set is answered with `fallback`; else null. */
  readonly fallback: string | null;
  /** Seconds that an edge must pass after it failed before it is live again; null: edgewise's own damping only. */
  readonly holdUp: number | null;
  /** What must answer as long as our own line works; empty: that is not asked. */
  readonly reference: readonly ReferenceConfig[];
};

/** A check with the one address at which it is made. `timeout` is set. */
export type ReferenceConfig = { readonly address: string; readonly check: CheckConfig };

/** Rules that recorded rounds can be decided by again, as far as they are given. */
export type ReplayedSafety = Partial<Pick<SafetyConfig, 'fill' | 'minUp' | 'below' | 'holdUp'>>;

/**
 * Reads values of `fill`, `min_up`, `below` and `hold_up` given as text; `none` takes `min_up` and `hold_up` away. What
 * another network answered was not recorded, so that it cannot be `below`.
 */
export function replayedSafety(
  given: Readonly<Record<string, string>>,
):
  | { readonly ok: true; readonly rules: ReplayedSafety }
  | { readonly ok: false; readonly problems: readonly string[] } {
  const values = Object.entries(given).map(([key, text]): [string, unknown] => {
    if (text === 'none' && key !== 'fill') return [key, null];
    return [key, /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : text];
  });
  const found = network.safeParse(Object.fromEntries(values));
  if (!found.success) {
    return { ok: false, problems: found.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) };
  }
  const { fill, min_up, below, hold_up } = found.data;
  if (below.kind === 'fallback') {
    return { ok: false, problems: ['below: a fallback cannot be replayed; expected keep or all'] };
  }
  return {
    ok: true,
    rules: {
      ...('fill' in given ? { fill } : {}),
      ...('min_up' in given ? { minUp: min_up } : {}),
      ...('below' in given ? { below: below.kind } : {}),
      ...('hold_up' in given ? { holdUp: hold_up } : {}),
    },
  };
}

/** `at`: the absolute path of a file that is named. `timeout`: of a network's checks together, seconds. */
export function safetyConfigs(
  given: z.output<typeof safety>,
  at: (path: string) => string,
  timeout: number,
): ReadonlyMap<string, SafetyConfig> {
  return new Map(
    Object.entries(given).map(([name, { fill, min_up, below, hold_up, reference }]) => [
      name,
      {
        fill,
        minUp: min_up,
        below: below.kind,
        fallback: below.fallback,
        holdUp: hold_up,
        reference: reference.map((one) => referenceOf(one, at, timeout)),
      },
    ]),
  );
}

function referenceOf(
  { address, ...check }: z.output<typeof referenceCheck>,
  at: (path: string) => string,
  timeout: number,
): ReferenceConfig {
  const port = 'port' in check && typeof check.port === 'number' ? ` port ${check.port}` : '';
  const name = check.name ?? `${check.kind} ${address}${port}`;
  const named = { ...check, name, timeout: check.timeout ?? usualTimeout(timeout) } as CheckConfig;
  return { address, check: withPaths(named, at) };
}

function usualTimeout(timeout: number): number {
  return Math.min(REFERENCE_TIMEOUT, timeout);
}

type Found = Pick<ConfigFault, 'severity' | 'code' | 'message'> & { readonly path: Path; readonly what?: 'key' };

/**
 * What is wrong between rules that are each fine alone. Reads the plain values. `timeout`: the network's, seconds.
 */
export function safetyFaults(get: (...path: Path) => unknown, timeout: number): readonly Found[] {
  const networks = get('safety');
  if (typeof networks !== 'object' || networks === null) return [];
  return Object.keys(networks).flatMap((name): Found[] => {
    const isSet = (key: string): boolean => (get('safety', name, key) ?? null) !== null;
    const found = [
      ...listFaults(get, ['safety', name, 'reference'], timeout, 'another reference', usualTimeout(timeout)),
    ];
    found.push(...circleFaults(get, name));
    if (!isSet('below') || isSet('min_up')) return found;
    const message = `safety.${name}.below: has no effect without min_up`;
    return [...found, { severity: 'warning', code: 'ignored', path: ['safety', name, 'below'], what: 'key', message }];
  });
}

/** A network cannot answer for itself, by way of others either. */
function circleFaults(get: (...path: Path) => unknown, name: string): readonly Found[] {
  const way: string[] = [];
  for (let next: string | null = name; next !== null; next = fallbackOf(get('safety', next, 'below'))) {
    if (way.includes(next)) {
      if (next !== name) return []; // said of those that are in the circle
      const message =
        way.length === 1
          ? `safety.${name}.below: ${name} cannot be its own fallback`
          : `safety.${name}.below: these networks are each other's fallback: ${way.join(', ')}`;
      return [{ severity: 'error', code: 'bad-value', path: ['safety', name, 'below'], message }];
    }
    way.push(next);
  }
  return [];
}
