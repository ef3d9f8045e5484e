import { z } from 'zod';
import { type AnyOperation, json, operation } from '../../http/operation.ts';
import { problem, problemSchema } from '../../http/problem.ts';
import { networkDetail, networkSummary } from '../network.ts';
import { networkListSchema, networkSchema } from '../schemas/network.ts';

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
];
