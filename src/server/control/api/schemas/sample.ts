import { z } from 'zod';
import { CHECK_KINDS } from '../../../../health/checks/sample.ts';
import { count, epochSeconds, type Json, seconds } from './fields.ts';
import { failSchema, phasesSchema } from './member.ts';

const outcome = z.object({
  seconds: seconds.describe("Elapsed seconds; the network's timeout when it failed."),
  fail: failSchema.nullable().describe('Null: it passed.'),
  attempts: count.describe('Tries on connection errors, at least 1.'),
  hops: count.describe('Redirects followed.'),
  phases: phasesSchema,
});

export const sampleSchema = z
  .object({
    edge: z.string(),
    at: epochSeconds,
    seconds: seconds.describe('Of the first address.'),
    fail: failSchema.nullable().describe('Of the first address; null: it passed.'),
    stalled_ms: z.number().min(0).describe('How long the prober itself stood still meanwhile, milliseconds.'),
    addresses: z
      .array(
        outcome.extend({
          address: z.string(),
          check: z.string().describe('The check that decided.'),
          checks: z.array(outcome.extend({ name: z.string(), kind: z.enum(CHECK_KINDS) })),
        }),
      )
      .describe('The first one is judged by; empty: the name has no address.'),
  })
  .meta({ id: 'Sample', description: 'What one fetch of an edge came to, address by address.' });

export type SampleJson = Json<typeof sampleSchema>;
