import { z } from 'zod';
import { TARGET_STATES } from '../../../../publish/providers/target-status.ts';
import { count, epochSeconds, type Json } from './fields.ts';

export const publishSchema = z
  .object({
    target: z.string().describe('Its name in the configuration.'),
    provider: z.string(),
    network: z.string(),
    names: z.array(z.string()),
    state: z
      .enum(TARGET_STATES)
      .describe(
        '`differs`: it would be changed, but nothing is written; `foreign`: somebody else changed it, and it stays so.',
      ),
    since: epochSeconds.describe('Of the state, epoch seconds.'),
    last_right: epochSeconds.nullable().describe('Epoch seconds; null: never yet.'),
    problem: z.string().nullable().describe('Null: none.'),
    corrections: count.describe('Since the start.'),
    failures: count.describe('Since the start.'),
    foreign_changes: count.describe('Since the start.'),
    sets: z
      .array(
        z.object({
          name: z.string(),
          type: z.enum(['A', 'AAAA']),
          ttl: count.nullable().describe('Seconds; null: records of several TTLs.'),
          addresses: z.array(z.string()),
        }),
      )
      .describe('As they were last read.'),
  })
  .meta({ id: 'PublishTarget', description: "Sets that are kept at other people's DNS." });

export type PublishJson = Json<typeof publishSchema>;

export const publishListSchema = z
  .object({ publish: z.array(publishSchema).describe('A row a target, sorted by name.') })
  .meta({ id: 'PublishList' });
