/** What the forms of the page have done. The work and its rules are those of the API (`api/writes.ts`). */
import { z } from 'zod';
import type { Sample } from '../../../health/checks/sample.ts';
import { edgeVersion } from '../api/edge-version.ts';
import { networkDetail } from '../api/network.ts';
import { act, type Done, modeChange, replyOf, setMode } from '../api/writes.ts';
import { type AnyOperation, operation, type Reply, type Request, type Sources } from '../http/operation.ts';
import { problem } from '../http/problem.ts';
import { edgeForms, smallPage } from './action-forms.ts';
import { html } from './html.ts';
import { anchor } from './parts.ts';
import type { StaticFiles } from './static-files.ts';

const edgeParams = z.object({ network: z.string(), edge: z.string() });
const networkParams = z.object({ network: z.string() });
const nothing = z.object({});
const answers = {
  200: { description: 'What came of it, for scripts', type: 'text/plain' },
  303: { description: 'Back to the page', type: 'text/plain' },
};

/** A browser without the script is led back to the page; the script gets a sentence. */
function wantsPage({ header }: Request): boolean {
  return /\btext\/html\b/i.test(header('accept') ?? '');
}

/** `changed`: called when something was done, before the answer. */
export function actionOperations(
  files: StaticFiles,
  headers: Reply['headers'],
  changed: () => void,
): readonly AnyOperation[] {
  return [
    operation({
      method: 'GET',
      path: '/networks/{network}/edges/{edge}/change',
      summary: 'Forms to change an edge',
      tag: null,
      access: 'read',
      isPersonal: true,
      params: edgeParams,
      answers: { 200: { description: 'The forms', type: 'text/html' } },
      handle: ({ view, actions }, { params: { network, edge }, right }) => {
        if (right !== 'write' || actions === null) return problem(403, 'only an administrator changes things here');
        const found = view.networks().find(({ name }) => name === network);
        const now = view.now();
        const shown = found && networkDetail(found, now).edges.find((each) => each.edge === edge);
        if (found === undefined || shown === undefined) return problem(404, 'there is no such edge');
        const version = edgeVersion(found.members.get(edge));
        return page(200, edge, edgeForms({ network, edge: shown, version, now }));
      },
    }),
    operation({
      method: 'POST',
      path: '/networks/{network}/edges/{edge}/mode',
      summary: "Set an edge's mode",
      tag: null,
      access: 'write',
      params: edgeParams,
      body: { schema: modeChange.extend({ if_match: z.string().default('') }), form: true },
      answers,
      handle: async (sources, input) => {
        const { params, body, request } = input;
        const where = anchor('edge', params.network, params.edge);
        const stale = staleText(sources, params.network, params.edge, body.if_match);
        if (stale !== null) return refused(request, problem(412, stale));
        const done = await setMode(sources, input);
        return answer(request, where, done, ({ mode, effects, live }) =>
          [`${params.edge} is ${mode}.`, ...effects, `Live: ${live.join(', ') || 'none'}.`].join(' '),
        );
      },
    }),
    operation({
      method: 'POST',
      path: '/networks/{network}/edges/{edge}/probe',
      summary: 'Ask an edge now',
      tag: null,
      access: 'write',
      params: edgeParams,
      body: { schema: nothing, form: true },
      answers,
      handle: async (sources, { params, ...by }) => {
        const done = await act(sources, by, (actions, author) => actions.probeNow(params, author));
        return answer(by.request, anchor('edge', params.network, params.edge), done, sampleText);
      },
    }),
    operation({
      method: 'POST',
      path: '/networks/{network}/update',
      summary: 'Decide now',
      tag: null,
      access: 'write',
      params: networkParams,
      body: { schema: z.object({ force: z.literal('true').optional() }), form: true },
      answers,
      handle: async (sources, { params: { network }, body, ...by }) => {
        const order = { network, force: body.force === 'true' };
        const done = await act(sources, by, (actions, author) => actions.updateNow(order, author));
        return answer(by.request, anchor('network', network), done, ({ changed, live, held }) => {
          const what = changed ? 'The live set changed.' : 'The live set stays as it is.';
          return `${what} Live: ${live.join(', ') || 'none'}.${held === null ? '' : ` Held: ${held}`}`;
        });
      },
    }),
    operation({
      method: 'POST',
      path: '/reload',
      summary: 'Read the configuration, the lists and the zones again',
      tag: null,
      access: 'write',
      body: { schema: nothing, form: true },
      answers,
      handle: async (sources, by) => {
        const done = await act(sources, by, (actions, author) => actions.reload(author));
        return answer(by.request, 'summary', done, ({ warnings }) => ['Reloaded.', ...warnings].join(' '));
      },
    }),
    operation({
      method: 'POST',
      path: '/notices/{target}/test',
      summary: 'Send a target of notices a sample',
      tag: null,
      access: 'write',
      params: z.object({ target: z.string() }),
      body: { schema: nothing, form: true },
      answers,
      handle: async (sources, { params: { target }, ...by }) => {
        const done = await act(sources, by, (actions, author) => actions.testNotice(target, author));
        return answer(by.request, 'publish', done, () => `${target} took the test.`);
      },
    }),
  ];

  function page(status: number, title: string, contents: ReturnType<typeof html>): Reply {
    const body = smallPage({ title, contents, address: (file) => files.address(file) }).text;
    return { status, type: 'text/html; charset=utf-8', body, ...(headers === undefined ? {} : { headers }) };
  }

  function answer<Value>(request: Request, id: string, done: Done<Value>, said: (value: Value) => string): Reply {
    if (done === 'not-available' || !done.ok)
      return refused(
        request,
        replyOf(done, () => ({})),
      );
    changed();
    if (wantsPage(request)) {
      return { status: 303, type: 'text/plain; charset=utf-8', body: '', headers: { location: `/#${id}` } };
    }
    return { status: 200, type: 'text/plain; charset=utf-8', body: `${said(done.value)}\n` };
  }

  /** A problem; for a browser as a page. */
  function refused(request: Request, reply: Reply): Reply {
    if (!wantsPage(request)) return reply;
    const { title, detail } = problemText.parse(JSON.parse(String(reply.body)));
    const contents = html`<h2>${title}</h2><p role="alert">${detail}</p>`;
    const made = page(reply.status, title, contents);
    return { ...made, headers: { ...reply.headers, ...made.headers } };
  }
}

const problemText = z.object({ title: z.string(), detail: z.string() });

/** Why a form that shows `version` is too old; null: it is not. */
function staleText({ view }: Sources, network: string, edge: string, version: string): string | null {
  const found = view.networks().find(({ name }) => name === network);
  if (found === undefined || !found.edges.includes(edge)) return null; // whoever sets it says so
  if (version === edgeVersion(found.members.get(edge))) return null;
  return `somebody changed ${edge} since this form was made: look at it again, then decide`;
}

function sampleText({ edge, seconds, fail }: Sample): string {
  return fail === null ? `${edge} answered in ${seconds.toFixed(3)} s.` : `${edge} fails: ${fail.detail}.`;
}
