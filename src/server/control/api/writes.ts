/** What `/api/v1` changes. Who may is settled before (`http/access.ts`); what is done is `ControlActions`. */
import { z } from 'zod';
import { momentSeconds, spanSeconds } from '../../../health/modes/duration.ts';
import { MODES } from '../../../health/state/edge-store.ts';
import type { ActionFault, ActionResult, Author, ControlActions, ModeSet } from '../http/control-actions.ts';
import { type AnyOperation, type Input, json, operation, type Reply, type Sources } from '../http/operation.ts';
import { problem, problemSchema } from '../http/problem.ts';
import { edgeVersion } from './edge-version.ts';
import { sampleJson } from './sample.ts';
import { sampleSchema } from './schemas/sample.ts';

/** Longer ones would be cut where modes are listed. */
const COMMENT_MAX = 500;

const edgeParams = z.object({ network: z.string(), edge: z.string() });
const seconds = z.number().nullable();

/** A mode as an operator asks for it; JSON, or the fields of a form, whose empty ones count as left out. */
export const modeChange = z
  .object({
    mode: z.enum(MODES).describe('force: live while it passes; blindforce: live whatever it does; unavailable: never.'),
    comment: z.string().max(COMMENT_MAX).default('').describe('Why; needed for every mode but available.'),
    for: z.string().optional().describe('Back to available after this time: 45m, 2h, 1h30m, 2d.'),
    until: z.string().optional().describe('Back to available then: 2026-11-22T18:00Z, 18:00, epoch seconds.'),
  })
  .meta({ examples: [{ mode: 'unavailable', comment: 'new disk', for: '2h' }, { mode: 'available' }] });
export type ModeChange = z.infer<typeof modeChange>;

export const modeSet = z.object({
  edge: z.string(),
  mode: z.enum(MODES),
  comment: z.string().describe('As it is stored, with the author before it.'),
  mode_since: seconds,
  mode_until: seconds,
  mode_version: z.string().describe('As the `ETag`: the next change is based on it.'),
  effects: z.array(z.string()).describe('What else it means, a sentence each.'),
  live: z.array(z.string()).describe('What is served of the network from now on.'),
});

export const updateOrder = z
  .object({
    force: z
      .boolean()
      .default(false)
      .describe('Past the limit of rotations (`dnschange_maxfreq`), and past nothing else.'),
    reason: z.string().max(COMMENT_MAX).default('').describe('Why, for the records.'),
  })
  .meta({ examples: [{ force: true, reason: 'a hold keeps edges that fail' }] });

const updated = z.object({
  changed: z.boolean(),
  live: z.array(z.string()),
  serial: z.int(),
  held: z.string().nullable().describe('Why a change that is wanted was not made.'),
});

const refusals = {
  404: { description: 'There is no such thing', schema: problemSchema, type: 'application/problem+json' },
  409: { description: 'It cannot be done here, or not now', schema: problemSchema, type: 'application/problem+json' },
  503: { description: 'This server changes nothing', schema: problemSchema, type: 'application/problem+json' },
};
const tooOften = { description: 'Too often', schema: problemSchema, type: 'application/problem+json' };
const stale = { schema: problemSchema, type: 'application/problem+json' };
const invalid = { description: 'It cannot be asked for like this', schema: problemSchema };

export const OPERATIONS: readonly AnyOperation[] = [
  operation({
    method: 'PUT',
    path: '/api/v1/networks/{network}/edges/{edge}/mode',
    summary: "Set an edge's mode",
    description: 'As `edgewise mode` does: kept with the edge, so that it holds in every network that lists it.',
    tag: 'changes',
    access: 'write',
    params: edgeParams,
    body: { schema: modeChange },
    answers: {
      200: {
        description: 'It is in force',
        schema: modeSet,
        headers: { ETag: 'Of the new mode, for the `If-Match` of the next change.' },
      },
      412: { ...stale, description: 'It is no longer as it was seen' },
      428: { ...stale, description: 'Without If-Match' },
      422: { ...invalid, type: 'application/problem+json' },
      ...refusals,
    },
    version: (sources, params) => modeVersion(sources, params),
    handle: async (sources, input) => {
      const done = await setMode(sources, input);
      const reply = replyOf(done, (set) => modeJson(input.params.edge, set));
      return done !== 'not-available' && done.ok ? { ...reply, headers: { etag: versionOf(done.value) } } : reply;
    },
  }),
  operation({
    method: 'POST',
    path: '/api/v1/networks/{network}/edges/{edge}/probe',
    summary: 'Ask an edge now',
    description: 'By all its checks. The sample counts as any other.',
    tag: 'changes',
    access: 'write',
    params: edgeParams,
    answers: { 200: { description: 'What it answered', schema: sampleSchema }, 429: tooOften, ...refusals },
    handle: async (sources, { params, ...input }) =>
      replyOf(await act(sources, input, (actions, author) => actions.probeNow(params, author)), sampleJson),
  }),
  operation({
    method: 'POST',
    path: '/api/v1/networks/{network}/update',
    summary: 'Decide now',
    tag: 'changes',
    access: 'write',
    params: z.object({ network: z.string() }),
    body: { schema: updateOrder, isOptional: true },
    answers: { 200: { description: 'What was decided', schema: updated }, 429: tooOften, ...refusals },
    handle: async (sources, { params: { network }, ...input }) => {
      const { force, reason } = input.body;
      const done = await act(sources, input, (actions, author) =>
        actions.updateNow({ network, force, reason }, author),
      );
      return replyOf(done, (value) => value);
    },
  }),
  operation({
    method: 'POST',
    path: '/api/v1/reload',
    summary: 'Read the configuration, the lists and the zones again',
    description: 'As SIGHUP does. Settings with errors change nothing.',
    tag: 'changes',
    access: 'write',
    answers: {
      200: {
        description: 'The settings are in force',
        schema: z.object({ warnings: z.array(z.string()).describe('With their places.') }),
      },
      ...refusals,
    },
    handle: async (sources, input) =>
      replyOf(await act(sources, input, (actions, author) => actions.reload(author)), (value) => value),
  }),
  operation({
    method: 'POST',
    path: '/api/v1/notices/{target}/test',
    summary: 'Send a target of notices a sample',
    tag: 'changes',
    access: 'write',
    params: z.object({ target: z.string() }),
    answers: {
      200: { description: 'The target took it', schema: z.object({ sent: z.literal(true) }) },
      429: tooOften,
      502: { description: 'It did not', schema: problemSchema, type: 'application/problem+json' },
      ...refusals,
    },
    handle: async (sources, { params: { target }, ...input }) => {
      const done = await act(sources, input, (actions, author) => actions.testNotice(target, author));
      return replyOf(done, (value) => value, 502);
    },
  }),
];

/** `not-available`: this server changes nothing. */
export type Done<Value> = ActionResult<Value> | 'not-available';

type ByWhom = Pick<Input, 'author' | 'request'>;

/** Has it done in the name of whoever asks. */
export async function act<Value>(
  { actions }: Sources,
  { author, request }: ByWhom,
  work: (actions: ControlActions, author: Author) => Promise<ActionResult<Value>>,
): Promise<Done<Value>> {
  // Access names an author for every write; one without is a bug that must not change anything.
  if (actions === null || author === null) return 'not-available';
  return work(actions, { name: author, client: request.client });
}

/** What the API and the form of the page do alike. */
export async function setMode(
  sources: Sources,
  input: ByWhom & { readonly params: z.infer<typeof edgeParams>; readonly body: ModeChange },
): Promise<Done<ModeSet>> {
  const { params, body } = input;
  const { mode, comment } = body;
  const version = modeVersion(sources, params);
  if (version === null) return { ok: false, fault: { code: 'unknown', message: 'there is no such edge' } };
  const until = endOf(body, sources.view.now());
  if (typeof until === 'string') return { ok: false, fault: { code: 'invalid', message: until } };
  return act(sources, input, (actions, author) =>
    actions.setMode({ ...params, mode, comment, until, version }, author),
  );
}

/** Of what an operator set of the edge; null: there is no such edge. */
export function modeVersion({ view }: Sources, { network, edge }: z.infer<typeof edgeParams>): string | null {
  const found = view.networks().find(({ name }) => name === network);
  return found?.edges.includes(edge) === true ? edgeVersion(found.members.get(edge)) : null;
}

/** When the mode ends, null for never; a sentence where that cannot be known. */
function endOf({ mode, until = '', for: span = '' }: ModeChange, now: number): number | null | string {
  if (until === '' && span === '') return null;
  if (until !== '' && span !== '') return 'for and until say the same thing in two ways: send one of them';
  if (mode === 'available') return 'for and until need a mode other than available, which is what they end';
  if (span !== '') {
    const length = spanSeconds(span);
    return length === null ? `for: ${JSON.stringify(span)} is no span of time such as 45m, 2h or 1h30m` : now + length;
  }
  const moment = momentSeconds(until, now);
  const shown = JSON.stringify(until);
  if (moment === null) return `until: ${shown} is no time such as 2026-11-22T18:00Z, 18:00 or epoch seconds`;
  return moment > now ? moment : `until: ${shown} is over already`;
}

const STATUS: { readonly [code in ActionFault['code']]: number } = {
  unknown: 404,
  invalid: 422,
  stale: 412,
  busy: 409,
  'too-often': 429,
  failed: 409,
};

/** `failed`: the status of what was tried and did not succeed. */
export function replyOf<Value>(done: Done<Value>, shown: (value: Value) => object, failed = STATUS.failed): Reply {
  if (done === 'not-available') return problem(503, 'this server changes nothing: it is a dry run');
  if (done.ok) return json(200, shown(done.value));
  const { code, message, retryAfter, faults } = done.fault;
  const headers = retryAfter === undefined ? undefined : { 'retry-after': String(Math.ceil(retryAfter)) };
  return problem(code === 'failed' ? failed : STATUS[code], message, headers, faults);
}

function modeJson(edge: string, set: ModeSet): z.infer<typeof modeSet> {
  const { mode, comment, since, until, effects, live } = set;
  return {
    edge,
    mode,
    comment,
    mode_since: since,
    mode_until: until,
    mode_version: versionOf(set),
    effects: [...effects],
    live: [...live],
  };
}

function versionOf({ mode, comment, since, until }: ModeSet): string {
  return edgeVersion({ mode, comment, modeSince: since, modeUntil: until });
}
