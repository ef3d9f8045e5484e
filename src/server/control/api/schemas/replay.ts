import { z } from 'zod';
import { count, epochSeconds, type Json } from './fields.ts';

const tally = z.object({
  rotations: count.describe('Changes of the live set: what DNS clients saw, or would have seen.'),
  held_rounds: count.describe('Rounds in which the rotation limit kept a wanted change back.'),
  hold_exceptions: count.describe('Members replaced in spite of the limit.'),
  short_rounds: count.describe('Rounds with fewer live edges than wanted.'),
  empty_rounds: count.describe('Rounds with no live edge at all.'),
  canary_changes: count.describe('Canaries that came into use, went, or were replaced.'),
  rounds_live: z.record(z.string(), count).describe('Rounds in which each edge was live.'),
});

export const replaySchema = z
  .object({
    network: z.string(),
    set: z.array(z.string()).describe('The settings that were tried.'),
    rounds: count.describe('How many recorded rounds were decided again.'),
    since: epochSeconds.nullable().describe('Of the first of them, epoch seconds; null: none is recorded.'),
    until: epochSeconds.nullable().describe('Of the last.'),
    left_out: count.describe('Older rounds of the span that were too many for one answer.'),
    recorded: tally.describe('As it was.'),
    replayed: tally.describe('As it would have been.'),
    differing_rounds: count,
    differences: z
      .array(
        z.object({
          from: epochSeconds,
          until: epochSeconds,
          rounds: count,
          recorded: z.array(z.string()),
          replayed: z.array(z.string()),
          why: z.record(z.string(), z.string()).describe('For each edge that differs, in the first of these rounds.'),
        }),
      )
      .describe('Consecutive rounds that differ alike, the first hundred.'),
    differences_left_out: count,
    breaks: count.describe('Times the record does not continue the round before it.'),
    timeout_cut: z.boolean().describe('A longer timeout than recorded was asked for, which cannot be replayed.'),
  })
  .meta({
    id: 'Replay',
    description: 'Recorded rounds decided again under other settings, as `edgewise replay` does.',
  });

export type ReplayJson = Json<typeof replaySchema>;
