import { z } from 'zod';
import { epochSeconds, type Json, seconds } from './fields.ts';
import { edgeSchema, modeSchema } from './member.ts';
import { sampleSchema } from './sample.ts';

export const prospectSchema = z
  .object({
    kind: z
      .enum(['list', 'mode', 'hold', 'address', 'fetch', 'others', 'stays'])
      .describe(
        'What it takes: the edge list, a mode, the rotation limit, an address, its fetches, other edges, or nothing will.',
      ),
    live: z.boolean().describe('Whether the edge would be live then.'),
    seconds: seconds.nullable().describe('Fetch time at which it turns, seconds; null: no fetch time decides.'),
    edges: z.array(z.string()).describe('Others that take part, as the text says.'),
    text: z.string(),
  })
  .meta({ id: 'Prospect', description: 'One thing that would change whether an edge is live.' });

export const explanationSchema = z
  .object({
    at: epochSeconds.describe('Of the decision that is explained, epoch seconds.'),
    scope: z.enum(['turn', 'event']).describe('`event`: decided between two turns, for edges that failed.'),
    live: z.boolean(),
    why: z.string(),
    prospects: z.array(prospectSchema).describe('What would change this.'),
  })
  .meta({ id: 'Explanation', description: 'Why an edge is live or not, and what would change that.' });

export const modeChangeSchema = z
  .object({
    at: epochSeconds,
    network: z.string().describe('In which it was asked for; modes hold in every network that lists the edge.'),
    mode: modeSchema,
    until: epochSeconds.nullable().describe('When the mode was to end by itself, epoch seconds; null: never.'),
    comment: z.string().describe('With the author before it.'),
    by: z.string().nullable().describe('The author; null: not known.'),
  })
  .meta({ id: 'ModeChange', description: "A change of an edge's mode by an operator." });

export const edgeDetailSchema = edgeSchema
  .extend({
    network: z.string(),
    now: epochSeconds.describe("The server's clock at the answer, epoch seconds: ages are differences to it."),
    samples: z
      .array(sampleSchema)
      .describe('The last ones that were decided upon since the start of the server, ten at most, newest last.'),
    mode_changes: z
      .array(modeChangeSchema)
      .nullable()
      .describe('The last hundred at most, newest last; null: they cannot be read.'),
    explanation: explanationSchema
      .nullable()
      .describe('Null: nothing was decided since the start, or the edge is listed only since the last decision.'),
  })
  .meta({ id: 'EdgeDetail', description: 'An edge with its past, and why it is live or not.' });

export type EdgeDetailJson = Json<typeof edgeDetailSchema>;

export const edgeModeSchema = z
  .object({
    edge: z.string(),
    mode: modeSchema,
    comment: z.string().describe('With the author before it; empty: none.'),
    mode_since: epochSeconds.nullable().describe('Epoch seconds; null: it was never changed.'),
    mode_until: epochSeconds
      .nullable()
      .describe('When the mode goes back to available by itself, epoch seconds; null: it stays.'),
    mode_version: z.string().describe('As the `ETag`.'),
  })
  .meta({ id: 'EdgeMode', description: 'What an operator set of an edge.' });

export type EdgeModeJson = Json<typeof edgeModeSchema>;
