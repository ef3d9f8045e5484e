/** The section `judges`: what makes of a network's results whether an edge passes. */
import { z } from 'zod';
import { number, optional, section } from './fields.ts';

/** Results in a row that a change may need. */
const RESULTS_MAX = 1000;

const results = (what: string) =>
  number(`how many results in a row ${what}, a whole number`, { min: 1, max: RESULTS_MAX });

const named = section(
  {
    rise_fall: section(
      { rise: results('must pass for an edge to be up again'), fall: results('must fail for it to be down') },
      '{rise: 2, fall: 3}, results in a row',
    ),
  },
  'goodenough, or {rise_fall: {rise: 2, fall: 3}}',
);

/** `goodenough` has no keys, so its name is enough. */
const judge = z.unknown().transform((given, context): JudgeConfig => {
  if (given === 'goodenough') return { kind: 'goodenough' };
  const found = named.safeParse(given);
  if (found.success) return { kind: 'rise_fall', ...found.data.rise_fall };
  for (const issue of found.error.issues) context.issues.push({ ...issue, input: given } as z.core.$ZodRawIssue);
  return z.NEVER;
});

export const judges = optional(
  z.record(z.string(), judge, { error: 'expected a map from networks to their judges' }),
  {},
);

/**
 * How a network's edges are judged: by their last result (`goodenough`, edgemanage's judge), or by results in a row:
 * an edge that is up is down after `fall` failures, one that is down is up after `rise` passes.
 */
export type JudgeConfig =
  | { readonly kind: 'goodenough' }
  | { readonly kind: 'rise_fall'; readonly rise: number; readonly fall: number };

export function judgeConfigs(given: z.output<typeof judges>): ReadonlyMap<string, JudgeConfig> {
  return new Map(Object.entries(given));
}
