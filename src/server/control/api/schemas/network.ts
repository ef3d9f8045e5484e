import { z } from 'zod';
import { OPERATOR_ACTIONS } from '../../../../health/choose/operator-action.ts';
import { count, epochSeconds, type Json, seconds, serial } from './fields.ts';
import { canarySchema, edgeSchema, modeSchema } from './member.ts';

export const networkSummarySchema = z
  .object({
    network: z.string(),
    live: z.array(z.string()).describe('Names of the live edges, sorted.'),
    wanted: count.describe('How many edges should be live.'),
    edges: count.describe('How many edges are listed.'),
    serial: serial.describe('Of the live set.'),
    held: z.boolean().describe('The rotation limit keeps a wanted change back.'),
    overdue: z.boolean().describe('The next probing round should have ended.'),
    last_run: epochSeconds.nullable().describe('When the last round ended, epoch seconds; null: none has.'),
  })
  .meta({ id: 'NetworkSummary', description: 'A network in a line.' });

export type NetworkSummaryJson = Json<typeof networkSummarySchema>;

export const networkListSchema = z
  .object({ networks: z.array(networkSummarySchema).describe('Sorted by name.') })
  .meta({ id: 'NetworkList' });

export const safetySchema = z
  .object({
    unfilled: count.describe('Places that stay empty because only edges that pass may take them (`fill: none`).'),
    min_up: z
      .object({
        needed: count.describe('So many edges must not fail (`min_up`).'),
        up: count.describe('So many do not.'),
        below: z
          .enum(['keep', 'all', 'fallback'])
          .nullable()
          .describe('What is answered while `up` is less than `needed`; null: it is not.'),
      })
      .nullable()
      .describe('Null: not set.'),
    uplink: z
      .object({
        in_doubt: z.boolean().describe('More than half of them fail: our own line is in doubt, and the set is kept.'),
        known: count.describe('References that were asked.'),
        failing: z.array(z.string()).describe('References that fail.'),
      })
      .nullable()
      .describe('Null: there are no references.'),
    held_up: z.array(z.string()).describe('Edges that pass and are not live yet because of `hold_up`.'),
  })
  .meta({
    id: 'Safety',
    description: 'What the safety rules (`safety:` of the configuration) made of the last decision.',
  });

export type SafetyJson = Json<typeof safetySchema>;

export const operatorActionSchema = z
  .object({
    action: z
      .enum(OPERATOR_ACTIONS)
      .describe(
        '`mode`: an edge was set to `mode`; `mode_end`: the time of a mode was over; `override`: one is in force (`edgewise cluster override`); the others as in the API.',
      ),
    by: z.string().nullable().describe('Who did it; null: nobody (`mode_end`), or it is not known.'),
    reason: z.string().nullable().describe('Null: none was given.'),
    edge: z.string().nullable().describe('Null: it was about no edge in particular.'),
    mode: modeSchema.nullable().describe('Null: it set none.'),
    until: epochSeconds.nullable().describe('When that mode ends by itself, epoch seconds; null: it does not.'),
  })
  .meta({ id: 'OperatorAction', description: 'What an operator did.' });

export const changeSchema = z
  .object({
    at: epochSeconds,
    serial: serial.describe('Of the live set after the change.'),
    added: z.array(z.string()),
    removed: z.array(z.string()),
    live: z.array(z.string()).describe('Names of the live edges after the change.'),
    reasons: z.record(z.string(), z.string()).describe('A sentence for each edge that came or went, by its name.'),
    actions: z.array(operatorActionSchema).describe('What operators did since the decision before; empty: nothing.'),
  })
  .meta({ id: 'Change', description: 'A change of the live set.' });

export type ChangeJson = Json<typeof changeSchema>;

export const recordedChangeSchema = changeSchema
  .extend({ serial: serial.nullable().describe('Of the live set after the change; null: not recorded.') })
  .meta({ id: 'RecordedChange', description: 'A change of the live set, as the log of rounds has it.' });

export const changeListSchema = z
  .object({
    network: z.string(),
    changes: z.array(recordedChangeSchema).describe('The newest of those that were asked for, newest last.'),
    earlier: epochSeconds
      .nullable()
      .describe('Ask again with this as `before` for earlier ones, epoch seconds; null: there are none.'),
  })
  .meta({ id: 'ChangeList', description: 'Changes of the live set, over restarts of the server too.' });

export type ChangeListJson = Json<typeof changeListSchema>;

const familyState = z
  .enum(['passing', 'failing', 'unanswered', 'none'])
  .describe('`failing`: kept for lack of better; `unanswered`: SERVFAIL; `none`: no edge has such addresses.');

const hold = z
  .object({
    until: epochSeconds,
    recent: count.describe('Changes in 600 s.'),
    limit: count.describe('Changes that are allowed in 600 s.'),
    wanted: z.array(z.string()).describe('What would be live; empty when a part of the change went through.'),
    failing: z.array(z.string()).describe('Live members that fail and that nothing but the hold keeps.'),
  })
  .meta({ id: 'Hold', description: 'The rotation limit keeps a wanted change back until `until`.' });

const round = z
  .object({
    last_run: epochSeconds.nullable().describe('When the last round ended, epoch seconds; null: none has.'),
    seconds: seconds.nullable().describe('How long it took, seconds; null: none ended since the start.'),
    run_frequency: seconds.describe('How often a round is made, seconds.'),
    next_due: epochSeconds.nullable().describe('When the next round is due, epoch seconds.'),
    overdue: z.boolean(),
    cancelled_canaries: z
      .array(z.string())
      .describe('Canaries that were not fetched because too many others had failed.'),
  })
  .meta({ id: 'Round', description: 'The probing rounds.' });

export const networkSchema = z
  .object({
    network: z.string(),
    now: epochSeconds.describe("The server's clock at the answer, epoch seconds: ages are differences to it."),
    serial: serial.describe('Of the live set.'),
    at: epochSeconds
      .nullable()
      .describe(
        'When the last decision was made, epoch seconds; null: none since the start, and `live` is the saved set.',
      ),
    wanted: count.describe('How many edges should be live.'),
    live: z
      .array(
        z.object({
          edge: z.string(),
          v4: z.string().nullable(),
          v6: z.string().nullable(),
          why: z.string().nullable().describe('Null: nothing was decided yet.'),
        }),
      )
      .describe('What is answered, sorted by name.'),
    outcome: z
      .enum(['unchanged', 'changed', 'held', 'empty'])
      .nullable()
      .describe(
        'Of the last decision; null before the first. `empty`: no edge is fit to be live, and what was answered stays.',
      ),
    hold: hold.nullable().describe('Null: nothing is kept back.'),
    families: z
      .object({ ipv4: familyState, ipv6: familyState })
      .nullable()
      .describe('How each address family is answered; null before the first decision.'),
    safety: safetySchema.nullable().describe('Null before the first decision.'),
    notes: z.array(z.string()).describe('Warnings about the set as a whole.'),
    edges: z.array(edgeSchema).describe('Sorted by name.'),
    canaries: z.array(canarySchema),
    changes: z.array(changeSchema).describe('The last 50 since the start of the server at most, newest last.'),
    rotations: z.object({
      last_600s: count,
      times: z.array(epochSeconds).describe('The last hundred changes at most, newest last.'),
    }),
    maxfreq: z.number().min(0).describe('Changes allowed in 600 s (`dnschange_maxfreq`).'),
    verification_failures: z
      .array(z.string())
      .describe('Edges and canaries whose object was not the expected one in the last round.'),
    goodenough: seconds,
    timeout: seconds,
    round,
  })
  .meta({ id: 'Network', description: 'A network: what is live, every edge, and the reasons.' });

export type NetworkJson = Json<typeof networkSchema>;
