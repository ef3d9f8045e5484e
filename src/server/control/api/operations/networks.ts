import { z } from 'zod';
import { errorText } from '../../../../system/error-text.ts';
import { type AnyOperation, json, operation } from '../../http/operation.ts';
import { problem, problemSchema } from '../../http/problem.ts';
import { changeList, networkDetail, networkSummary } from '../network.ts';
import { changeListSchema, networkListSchema, networkSchema } from '../schemas/network.ts';

const CHANGES_MAX = 100;

const span = z.object({
  since: z.coerce.number().min(0).default(0).describe('Epoch seconds: changes then and later.'),
  before: z.coerce
    .number()
    .min(0)
    .default(Number.MAX_SAFE_INTEGER)
    .describe('Epoch seconds: changes earlier than that, such as `earlier` of another answer.'),
  limit: z.coerce.number().int().min(1).max(CHANGES_MAX).default(50).describe('The newest so many of them.'),
});

export const NETWORKS: readonly AnyOperation[] = [
  operation({
    method: 'GET',
    path: '/api/v1/networks',
    summary: 'The networks and what is live in them',
    tag: 'networks',
    access: 'read',
    answers: { 200: { description: 'Sorted by name', schema: networkListSchema } },
    handle: ({ view }) => json(200, { networks: view.networks().map(networkSummary) }),
  }),
  operation({
    method: 'GET',
    path: '/api/v1/networks/{network}',
    summary: 'One network: edges, judgements and the reasons for them, canaries, changes',
    tag: 'networks',
    access: 'read',
    params: z.object({ network: z.string() }),
    answers: {
      200: { description: 'The network', schema: networkSchema },
      404: { description: 'There is none of this name', schema: problemSchema, type: 'application/problem+json' },
    },
    handle: ({ view }, { params }) => {
      const found = view.networks().find(({ name }) => name === params.network);
      if (found === undefined) return problem(404, `no network ${JSON.stringify(params.network)}`);
      return json(200, networkDetail(found, view.now()));
    },
  }),
  operation({
    method: 'GET',
    path: '/api/v1/networks/{network}/changes',
    summary: 'Changes of the live set, over restarts of the server too',
    description: 'From the recorded rounds, as far back as these go.',
    tag: 'networks',
    access: 'read',
    params: z.object({ network: z.string() }),
    query: span,
    answers: {
      200: { description: 'The changes', schema: changeListSchema },
      404: { description: 'There is none of this name', schema: problemSchema, type: 'application/problem+json' },
      503: { description: 'The records cannot be read', schema: problemSchema, type: 'application/problem+json' },
    },
    handle: async ({ view }, { params, query }) => {
      const found = view.networks().find(({ name }) => name === params.network);
      if (found === undefined) return problem(404, `no network ${JSON.stringify(params.network)}`);
      try {
        return json(200, changeList(found, await found.past.changes(query)));
      } catch (error) {
        return problem(503, `the recorded rounds cannot be read: ${errorText(error)}`);
      }
    },
  }),
];
