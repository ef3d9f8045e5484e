import { z } from 'zod';
import { type AnyOperation, json, operation, type Reply } from '../../http/operation.ts';
import { problem, problemSchema } from '../../http/problem.ts';
import type { NetworkView, StatusView } from '../../views/views.ts';
import { edgeDetail, edgeMode } from '../edge.ts';
import { edgeDetailSchema, edgeModeSchema } from '../schemas/edge-detail.ts';

const params = z.object({ network: z.string(), edge: z.string() });
const ETAG = { ETag: 'Of the mode and its comment and times, for the `If-Match` of a change.' };
const unknown = {
  description: 'There is no such network, or it has no such edge',
  schema: problemSchema,
  type: 'application/problem+json',
};

/** One edge. */
export const EDGES: readonly AnyOperation[] = [
  operation({
    method: 'GET',
    path: '/api/v1/networks/{network}/edges/{edge}',
    summary: 'One edge: its samples and past, and why it is live or not',
    description: 'The reasons, and what would change them, are those of `edgewise explain`.',
    tag: 'networks',
    access: 'read',
    params,
    answers: { 200: { description: 'The edge', schema: edgeDetailSchema, headers: ETAG }, 404: unknown },
    handle: async ({ view }, { params: { network, edge } }) => {
      const found = networkOf(view, network);
      const detail = found === null ? null : await edgeDetail(found, edge, view.now());
      return detail === null ? noEdge(network, edge) : json(200, detail, { etag: detail.mode_version });
    },
  }),
  operation({
    method: 'GET',
    path: '/api/v1/networks/{network}/edges/{edge}/mode',
    summary: "An edge's mode",
    tag: 'networks',
    access: 'read',
    params,
    answers: { 200: { description: 'The mode', schema: edgeModeSchema, headers: ETAG }, 404: unknown },
    handle: ({ view }, { params: { network, edge } }) => {
      const found = networkOf(view, network);
      const mode = found === null ? null : edgeMode(found, edge);
      return mode === null ? noEdge(network, edge) : json(200, mode, { etag: mode.mode_version });
    },
  }),
];

/** The `version` of operations that change an edge's mode; null: there is no such edge. */
export function modeVersionOf(view: StatusView, { network, edge }: z.infer<typeof params>): string | null {
  const found = networkOf(view, network);
  return found === null ? null : (edgeMode(found, edge)?.mode_version ?? null);
}

function networkOf(view: StatusView, network: string): NetworkView | null {
  return view.networks().find(({ name }) => name === network) ?? null;
}

function noEdge(network: string, edge: string): Reply {
  return problem(404, `no edge ${JSON.stringify(edge)} in network ${JSON.stringify(network)}`);
}
