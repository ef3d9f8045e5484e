/** The section `safety`: what keeps checks that err, or fail all together, from emptying a network's answers. */
import { z } from 'zod';
import type { ConfigFault } from './fault.ts';
import { list, number, optional, section } from './fields.ts';
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

const network = section({
  fill: optional(z.enum(['failing', 'none'], { error: 'expected failing or none' }), 'failing' as const),
  min_up: optional(minUp, null),
  hold_up: optional(number('seconds', { min: 0, max: HOLD_UP_MAX, integer: false, above: true }), null),
  reference: optional(
    list(referenceCheck, 'a list of checks, each with its address').max(REFERENCES_MAX, {
      error: `expected at most ${REFERENCES_MAX} references`,
    }),
    [],
  ),
  below: optional(z.enum(['keep', 'all'], { error: 'expected keep or all' }), 'keep' as const),
});

export const safety = optional(
  z.record(z.string(), network, { error: 'expected a map from networks to their safety rules' }),
  {},
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
  /** What is answered while fewer pass: the last set, or all edges. */
  readonly below: 'keep' | 'all';
  /** Seconds that an edge must pass after it failed before it is live again; null: edgewise's own damping only. */
  readonly holdUp: number | null;
  /** What must answer as long as our own line works; empty: that is not asked. */
  readonly reference: readonly ReferenceConfig[];
};

/** A check with the one address at which it is made. `timeout` is set. */
export type ReferenceConfig = { readonly address: string; readonly check: CheckConfig };

/** `at`: the absolute path of a file that is named. `timeout`: of a network's checks together, seconds. */
export function safetyConfigs(
  given: z.output<typeof safety>,
  at: (path: string) => string,
  timeout: number,
): ReadonlyMap<string, SafetyConfig> {
  return new Map(
    Object.entries(given).map(([name, { fill, min_up, below, hold_up, reference }]) => [
      name,
      { fill, minUp: min_up, below, holdUp: hold_up, reference: reference.map((one) => referenceOf(one, at, timeout)) },
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
  const named = { ...check, name, timeout: check.timeout ?? Math.min(REFERENCE_TIMEOUT, timeout) } as CheckConfig;
  return { address, check: withPaths(named, at) };
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
    const found = [...listFaults(get, ['safety', name, 'reference'], timeout, 'another reference')];
    if (!isSet('below') || isSet('min_up')) return found;
    const message = `safety.${name}.below: has no effect without min_up`;
    return [...found, { severity: 'warning', code: 'ignored', path: ['safety', name, 'below'], what: 'key', message }];
  });
}
