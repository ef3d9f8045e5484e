/**
 * The verbs with which deflect-api drives edgemanage, under its paths and with its keys. What they change goes the same
 * way as `PUT /api/v1/networks/{network}/edges/{edge}/mode`.
 */
import { z } from 'zod';
import { JUDGEMENTS, MODES } from '../../../../health/state/edge-store.ts';
import { type AnyOperation, json, operation } from '../../http/operation.ts';
import { problem, problemSchema } from '../../http/problem.ts';
import type { NetworkView } from '../../views/views.ts';
import { edgeMode } from '../edge.ts';
import { edgeRows } from '../network.ts';
import { replyOf, setMode } from '../writes.ts';

const COMMENT_MAX = 400;
const USER_MAX = 80;

const edgeRow = z
  .object({
    edgename: z.string(),
    mode: z.enum(MODES),
    state: z.enum(['in', 'out']).describe('`in`: live.'),
    health: z.enum([...JUDGEMENTS, 'unknown']).describe('`unknown`: never fetched.'),
    state_time: z.int().describe('Whole seconds in its state; -1: not known.'),
    comment: z.string().nullable().describe('Null: none.'),
  })
  .meta({ id: 'DeflectEdge', description: 'An edge as deflect-api lists it.' });

const change = z
  .object({
    dnet: z.string().describe('The network.'),
    edge: z.string(),
    mode: z.enum(MODES),
    comment: z.string().max(COMMENT_MAX).default('').describe('Needed for every mode but available.'),
    comment_user: z
      .string()
      .max(USER_MAX)
      .default('')
      .describe(
        'For whom it is set. It is added to the comment; the author is whoever the token or certificate names.',
      ),
  })
  .meta({
    id: 'DeflectChange',
    description: 'A mode as deflect-api sets it.',
    examples: [
      { dnet: 'mynet', edge: '198.51.100.11', mode: 'unavailable', comment: 'new disk', comment_user: 'circleci' },
    ],
  });

const stateOf = z.object({ mode: z.enum(MODES), comment: z.string().nullable() });
const changed = z
  .object({ edge: z.string(), prev_state: stateOf, current_state: stateOf })
  .meta({ id: 'DeflectChanged', description: 'What was set before, and what is now.' });

const refusal = (description: string) => ({ description, schema: problemSchema, type: 'application/problem+json' });

export const DEFLECT: readonly AnyOperation[] = [
  operation({
    method: 'GET',
    path: '/api/dnet/list',
    summary: 'Names of the networks',
    tag: 'deflect-api',
    access: 'read',
    answers: { 200: { description: 'Sorted', schema: z.array(z.string()) } },
    handle: ({ view }) =>
      json(
        200,
        view.networks().map(({ name }) => name),
      ),
  }),
  operation({
    method: 'GET',
    path: '/api/edge/list',
    summary: 'The edges of a network, as edge_query lists them',
    tag: 'deflect-api',
    access: 'read',
    query: z.object({ dnet: z.string().describe('The network.') }),
    answers: {
      200: { description: 'Sorted by name', schema: z.array(edgeRow) },
      400: refusal('`dnet` is missing, or there is no such network'),
    },
    handle: ({ view }, { query: { dnet } }) => {
      const network = view.networks().find(({ name }) => name === dnet);
      if (network === undefined) return problem(400, `no network ${JSON.stringify(dnet)}`);
      return json(200, rowsOf(network, view.now()));
    },
  }),
  operation({
    method: 'PUT',
    path: '/api/edge/config',
    summary: "Set an edge's mode, as edge_conf does",
    description: 'Without `If-Match`, which clients of deflect-api do not send: the last one counts.',
    tag: 'deflect-api',
    access: 'write',
    body: { schema: change, form: true },
    answers: {
      201: { description: 'It is in force', schema: changed },
      404: refusal('There is no such network, or it has no such edge'),
      409: refusal('It cannot be done here, or not now'),
      422: refusal('It cannot be asked for like this'),
      503: refusal('This server changes nothing'),
    },
    handle: async (sources, { body, ...input }) => {
      const { dnet, edge, mode } = body;
      const network = sources.view.networks().find(({ name }) => name === dnet);
      const before = network === undefined ? null : edgeMode(network, edge);
      if (before === null) return problem(404, `no edge ${JSON.stringify(edge)} in network ${JSON.stringify(dnet)}`);
      const asked = { params: { network: dnet, edge }, body: { mode, comment: commentOf(body) } };
      const done = await setMode(sources, { ...input, ...asked });
      const reply = replyOf(done, (set) => ({
        edge,
        prev_state: { mode: before.mode, comment: before.comment || null },
        current_state: { mode: set.mode, comment: set.comment || null },
      }));
      return reply.status === 200 ? { ...reply, status: 201 } : reply;
    },
  }),
];

/** `disk (for circleci)`. Without a comment there is nothing to add the user to. */
function commentOf({ comment, comment_user: user }: z.infer<typeof change>): string {
  return comment.trim() === '' || user.trim() === '' ? comment : `${comment} (for ${user.trim()})`;
}

function rowsOf(network: NetworkView, now: number): readonly z.infer<typeof edgeRow>[] {
  const row = edgeRows(network);
  return [...network.edges].sort().map((edge) => {
    const { mode, state, judgement, comment } = row(edge);
    const since = network.members.get(edge)?.stateSince ?? null;
    return {
      edgename: edge,
      mode,
      state,
      health: judgement ?? 'unknown',
      state_time: since === null ? -1 : Math.max(0, Math.trunc(now - since)),
      comment: comment || null,
    };
  });
}
