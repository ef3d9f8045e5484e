/** An edge or a canary: what an operator set, what the newest fetch saw, and how it is judged. */
import { z } from 'zod';
import { CHECK_KINDS, FAIL_REASONS } from '../../../../health/checks/sample.ts';
import { JUDGEMENTS, MODES } from '../../../../health/state/edge-store.ts';
import { count, epochSeconds, type Json, seconds } from './fields.ts';

export const modeSchema = z
  .enum(MODES)
  .describe(
    '`available`: live by its health; `unavailable`: never live; `force`: live before others while it passes; `blindforce`: live whatever its health.',
  );

export const phasesSchema = z
  .object({
    resolve: seconds.nullable(),
    connect: seconds.nullable(),
    tls: seconds.nullable(),
    first_byte: seconds.nullable(),
    total: seconds.describe('Everything, the look-up and the body included.'),
  })
  .meta({
    id: 'Phases',
    description:
      'Seconds that each phase of the last try took, summed over redirects; null: not reached, or not needed.',
  });

export type PhasesJson = Json<typeof phasesSchema>;

export const failSchema = z
  .object({
    reason: z.enum(FAIL_REASONS),
    detail: z.string().describe('For a person.'),
    unknown: z.boolean().optional().describe('Trouble of the prober itself, of which no sample is made.'),
  })
  .meta({ id: 'Fail', description: 'Why a fetch failed.' });

export const checkSchema = z
  .object({
    name: z.string(),
    kind: z.enum(CHECK_KINDS),
    seconds: seconds.describe("Elapsed seconds; the network's timeout when it failed."),
    fail: failSchema.nullable().describe('Null: it passed.'),
    attempts: count.describe('Tries on connection errors, at least 1.'),
    hops: count.describe('Redirects followed.'),
    phases: phasesSchema,
    samples: count.describe('Stored of this check.'),
    window_average: seconds.nullable().describe('Of the samples of the last 300 s, seconds; null: there are none.'),
    average: seconds.nullable().describe('Of all stored samples, seconds; null: there are none.'),
  })
  .meta({ id: 'Check', description: "One check's own result in the newest fetch, and its stored samples." });

export type CheckJson = Json<typeof checkSchema>;

export const uptimeSchema = z
  .object({
    up: z.boolean().nullable().describe('Null: not judged (unavailable), or not asked for three intervals.'),
    since: epochSeconds
      .nullable()
      .describe('When it came up or went down last, or was judged first, epoch seconds; null: it was never judged.'),
    transitions: z.array(z.object({ at: epochSeconds, up: z.boolean() })).describe('Newest last, at most 100.'),
    downtime_last_day: seconds.describe('Known downtime of the last 24 hours, seconds.'),
    last_failure: z
      .object({
        at: epochSeconds,
        reason: z.string().describe('As the `reason` of a `Fail`.'),
        check: z.string().nullable().describe("The check that decided; null: the edge's name had no address."),
        detail: z.string(),
      })
      .nullable()
      .describe('Null: none is known.'),
    position: z
      .object({ count: count, of: count, towards: z.enum(['up', 'down']) })
      .nullable()
      .describe(
        '`count` results in a row, of the `of` that are needed, speak for a change to `towards` (`rise_fall`); null: none does.',
      ),
  })
  .meta({ id: 'Uptime', description: 'Since when it is up or down, and how often that changed.' });

export type UptimeJson = Json<typeof uptimeSchema>;

export const memberSchema = z.object({
  mode: modeSchema,
  comment: z.string().describe("The operator's; empty: none."),
  mode_since: epochSeconds.nullable().describe('When the mode was set, epoch seconds; null: it was never changed.'),
  mode_until: epochSeconds
    .nullable()
    .describe('When the mode goes back to available by itself, epoch seconds; null: it stays.'),
  addresses: z
    .object({ v4: z.string().nullable(), v6: z.string().nullable() })
    .describe('Fit to be published; null: none of this family.'),
  last_at: epochSeconds
    .nullable()
    .describe('When the newest fetch was made, epoch seconds; null: none since the start of the server.'),
  fail: failSchema.nullable().describe('Of the newest fetch; null: it passed, or there is none.'),
  address: z.string().nullable().describe('The address that was fetched from; null: none.'),
  attempts: count.nullable(),
  hops: count.nullable().describe('Redirects followed.'),
  check: z.string().nullable().describe('The check that decided.'),
  checks: z.array(checkSchema).describe("Every check's own result; empty before the first."),
  stalled_ms: z
    .number()
    .min(0)
    .nullable()
    .describe('How long the prober itself stood still during the fetch, milliseconds.'),
  phases: phasesSchema.nullable().describe('Of the newest fetch; null: there is none.'),
  uptime: uptimeSchema,
});

export type MemberJson = Json<typeof memberSchema>;

export const verdictSchema = z.object({
  judgement: z.enum(JUDGEMENTS).nullable().describe('Null: unavailable, or never fetched.'),
  last: seconds.nullable().describe('The newest sample, seconds; null: there is none.'),
  window_average: seconds.nullable().describe('Of the samples of the last 300 s, seconds; null: there are none.'),
  average: seconds.nullable().describe('Of all stored samples, seconds; null: there are none.'),
});

export type VerdictJson = Json<typeof verdictSchema>;

export const saySchema = z
  .object({
    vantage: z.string(),
    up: z.boolean().nullable().describe('Null: no opinion, or none that counts.'),
    detail: z.string().describe('Why, a short phrase.'),
  })
  .meta({ id: 'Say', description: 'What one vantage point says of an edge.' });

export type SayJson = Json<typeof saySchema>;

export const edgeSchema = memberSchema
  .extend(verdictSchema.shape)
  .extend({
    edge: z.string(),
    mode_version: z
      .string()
      .describe('The entity tag of mode, comment and their times, for the `If-Match` of a change of the mode.'),
    state: z.enum(['in', 'out']).describe('`in`: live, its addresses are answered.'),
    why: z.string().nullable().describe('Why it is judged so; null: it is not.'),
    reason: z.string().nullable().describe('Why it is live or not; null: nothing was decided yet.'),
    verification_failed: z.boolean().describe('Its object was not the expected one in the last round.'),
    says: z
      .array(saySchema)
      .optional()
      .describe('What each vantage point says of it; absent: this server decides alone.'),
    suspect: z
      .boolean()
      .optional()
      .describe('Whether some vantage points see it down and the quorum does not; absent: this server decides alone.'),
  })
  .meta({ id: 'Edge', description: 'An edge: its mode, its newest fetch, its judgement, and whether it is live.' });

export type EdgeJson = Json<typeof edgeSchema>;

export const canarySchema = memberSchema
  .extend(verdictSchema.shape)
  .extend({
    zone: z.string(),
    address: z.string().describe('As configured.'),
    active: z.boolean(),
    victim: z.string().nullable().describe('The edge it stands in for; null: none.'),
    changed: z.boolean().describe('What its zone publishes changed in the last round, apart from the live set.'),
    held: z.boolean().describe('The rotation limit keeps a change of it back.'),
    why: z.string().describe('Why it is used or not.'),
    judgement_why: z.string().nullable().describe('Why it is judged so; null: it is not.'),
    verification_failed: z.boolean().describe('Its object was not the expected one in the last round.'),
  })
  .meta({ id: 'Canary', description: "A zone's canary, and whether it stands in for an edge." });

export type CanaryJson = Json<typeof canarySchema>;
