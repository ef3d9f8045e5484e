import { z } from 'zod';
import { type AnyOperation, json, operation } from '../../http/operation.ts';
import { problem, problemSchema } from '../../http/problem.ts';
import { askReplay } from '../replay.ts';
import { replaySchema } from '../schemas/replay.ts';

/** Seconds after which it is worth trying again. */
const RETRY_AFTER = '5';

const words = z.array(z.string().max(100)).max(20);
const time = z.string().max(40).optional();

const refusal = (description: string) => ({
  description,
  schema: problemSchema,
  type: 'application/problem+json',
});

export const REPLAY: readonly AnyOperation[] = [
  operation({
    method: 'GET',
    path: '/api/v1/networks/{network}/replay',
    summary: 'Recorded rounds decided again under other settings',
    description: 'One at a time, of 20,000 rounds and eight seconds at most. Nothing is changed.',
    tag: 'networks',
    access: 'read',
    lane: 'none',
    params: z.object({ network: z.string() }),
    query: z.object({
      set: z
        .union([z.string().transform((word) => [word]), words])
        .pipe(words)
        .default([])
        .describe('`KEY=VALUE`, as `edgewise replay --set` takes it; several times for several settings.'),
      since: time.describe('The first round: `2h`, `18:00`, `2026-11-22T18:00Z` or epoch seconds; a day ago.'),
      until: time.describe('The last, likewise; now.'),
    }),
    answers: {
      200: { description: 'What would have been', schema: replaySchema },
      404: refusal('There is no such network'),
      422: refusal('The settings or times make no sense'),
      503: refusal('Another replay runs, or it took too long'),
    },
    handle: async ({ view }, { params: { network }, query: { set, since = null, until = null } }) => {
      const result = await askReplay(view, { network, set, since, until });
      if (result.ok) return json(200, result.replay);
      return problem(result.status, result.detail, result.status === 503 ? { 'retry-after': RETRY_AFTER } : undefined);
    },
  }),
];
