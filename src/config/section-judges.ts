/** The section `judges`: what makes of a network's results whether an edge passes. */
import { z } from 'zod';
import { number, optional, section } from './fields.ts';
import { key, readBy } from './key-docs.ts';

/** Results in a row that a change may need. */
const RESULTS_MAX = 1000;

const results = (what: string) =>
  number(`how many results in a row ${what}, a whole number`, { min: 1, max: RESULTS_MAX });

const named = section(
  {
    rise_fall: key(
      section(
        {
          rise: key(
            results('must pass for an edge to be up again'),
            'Passes in a row after which an edge that is down is up.',
            { example: '2' },
          ),
          fall: key(
            results('must fail for it to be down'),
            'Failures in a row after which an edge that is up is down.',
            { example: '3' },
          ),
        },
        '{rise: 2, fall: 3}, results in a row',
      ),
      'Counts results in a row; in between an edge stays what it was.',
    ),
  },
  'goodenough, or {rise_fall: {rise: 2, fall: 3}}',
);

/** `goodenough` has no keys, so its name is enough. */
const judge = readBy(
  z.unknown().transform((given, context): JudgeConfig => {
    if (given === 'goodenough') return { kind: 'goodenough' };
    const found = named.safeParse(given);
    if (found.success) return { kind: 'rise_fall', ...found.data.rise_fall };
    for (const issue of found.error.issues) context.issues.push({ ...issue, input: given } as z.core.$ZodRawIssue);
    return z.NEVER;
  }),
  named,
);

export const judges = key(
  optional(z.record(z.string(), judge, { error: 'expected a map from networks to their judges' }), {}),
  'What makes of the results of a network whether an edge passes: the last result alone (`goodenough`), or results in a row.',
  {
    default: '{}',
    value: 'a map from networks to goodenough, or {rise_fall: {rise: 2, fall: 3}}',
    example: '{net-a: {rise_fall: {rise: 2, fall: 3}}}',
  },
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
