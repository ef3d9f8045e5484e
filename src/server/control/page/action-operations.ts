/** What the forms of the page have done. The work and its rules are those of the API (`api/writes.ts`). */
import { z } from 'zod';
import type { Sample } from '../../../health/checks/sample.ts';
import { edgeVersion } from '../api/edge-version.ts';
import { networkDetail } from '../api/network.ts';
import { act, type Done, modeChange, replyOf, setMode, updateOrder } from '../api/writes.ts';
import { type AnyOperation, operation, type Reply, type Request, type Sources } from '../http/operation.ts';
import { problem } from '../http/problem.ts';
import { edgeForms } from './action-forms.ts';
import { document, HTML_TYPE, PAGE_HEADERS, pathLine } from './document.ts';
import { edgeAddress } from './edge-page.ts';
import { type Html, html } from './html.ts';
import { anchor } from './parts.ts';
import type { StaticFiles } from './static-files.ts';

const edgeParams = z.object({ network: z.string(), edge: z.string() });
const networkParams = z.object({ network: z.string() });
const nothing = z.object({});
/** Whether the form is on the edge's own page. */
const fromWhere = { back: z.literal('edge').optional().catch(undefined) };
const answers = {
  200: { description: 'What came of it: a sentence for scripts, a page for browsers', type: 'text/plain' },
  303: { description: 'Back to the page, which shows it', type: 'text/plain' },
};

/** A browser without the script is led back to the page; the script gets a sentence. */
function wantsPage({ header }: Request): boolean {
  return /\btext\/html\b/i.test(header('accept') ?? '');
}

/** `changed`: called when something was done, before the answer. */
export function actionOperations(files: StaticFiles, host: () => string, changed: () => void): readonly AnyOperation[] {
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
        const forms = edgeForms({ network, edge: shown, version, now, isOwnPage: false });
        return page(200, edge, forms, toStatus(anchor('edge', network, edge)));
      },
    }),
    operation({
      method: 'POST',
      path: '/networks/{network}/edges/{edge}/mode',
      summary: "Set an edge's mode",
      tag: null,
      access: 'write',
      params: edgeParams,
      body: { schema: modeChange.extend({ if_match: z.string().default(''), ...fromWhere }), form: true },
      answers,
      handle: async (sources, input) => {
        const { params, body, request } = input;
        const back = toEdge(params, body.back);
        const stale = staleText(sources, params.network, params.edge, body.if_match);
        if (stale !== null) return refused(request, problem(412, stale), back);
        const done = await setMode(sources, input);
        return answer(request, done, {
          back,
          isSeen: true,
          said: ({ mode, effects, live }) =>
            [`${params.edge} is ${mode}.`, ...effects, `Live: ${live.join(', ') || 'none'}.`].join(' '),
        });
      },
    }),
    operation({
      method: 'POST',
      path: '/networks/{network}/edges/{edge}/probe',
      summary: 'Ask an edge now',
      tag: null,
      access: 'write',
      params: edgeParams,
      body: { schema: z.object(fromWhere), form: true },
      answers,
      handle: async (sources, { params, body, ...by }) => {
        const done = await act(sources, by, (actions, author) => actions.probeNow(params, author));
        return answer(by.request, done, { back: toEdge(params, body.back), isSeen: false, said: sampleText });
      },
    }),
    operation({
      method: 'POST',
      path: '/networks/{network}/update',
      summary: 'Decide now',
      tag: null,
      access: 'write',
      params: networkParams,
      body: { schema: z.object({ force: z.literal('true').optional(), reason: updateOrder.shape.reason }), form: true },
      answers,
      handle: async (sources, { params: { network }, body, ...by }) => {
        const order = { network, force: body.force === 'true', reason: body.reason };
        const done = await act(sources, by, (actions, author) => actions.updateNow(order, author));
        return answer(by.request, done, {
          back: toStatus(anchor('network', network)),
          isSeen: false,
          said: ({ changed, live, held }) => {
            const what = changed ? 'The live set changed.' : 'The live set stays as it is.';
            return `${what} Live: ${live.join(', ') || 'none'}.${held === null ? '' : ` Held: ${held}`}`;
          },
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
        return answer(by.request, done, {
          back: toStatus('summary'),
          isSeen: false,
          said: ({ warnings }) => ['Reloaded.', ...warnings].join(' '),
        });
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
        return answer(by.request, done, {
          back: toStatus('publish'),
          isSeen: false,
          said: () => `${target} took the test.`,
          failed: 502,
        });
      },
    }),
  ];

  function page(status: number, title: string, contents: Html, [to, text]: Link): Reply {
    const body = document({
      title,
      address: (file) => files.address(file),
      host: host(),
      header: pathLine([['/', 'Status']], title),
      main: html`<section class="small">
${contents}
<p><a href="${to}" data-back>${text}</a></p>
</section>`,
    });
    return { status, type: HTML_TYPE, body: body.text, headers: PAGE_HEADERS };
  }

  /** `isSeen`: the page that is led back to shows what came of it. */
  function answer<Value>(request: Request, done: Done<Value>, way: Way<Value>): Reply {
    const { back, said, isSeen, failed } = way;
    if (done === 'not-available' || !done.ok) {
      const reply = replyOf(done, () => ({}), failed);
      return refused(request, reply, back);
    }
    changed();
    const sentence = said(done.value);
    if (!wantsPage(request)) return { status: 200, type: 'text/plain; charset=utf-8', body: `${sentence}\n` };
    if (isSeen) return { status: 303, type: 'text/plain; charset=utf-8', body: '', headers: { location: back[0] } };
    return page(200, 'Done', html`<h2>Done</h2><p role="status">${sentence}</p>`, back);
  }

  /** A problem; for a browser as a page. */
  function refused(request: Request, reply: Reply, back: Link): Reply {
    if (!wantsPage(request)) return reply;
    const { title, detail } = problemText.parse(JSON.parse(String(reply.body)));
    const made = page(reply.status, title, html`<h2>${title}</h2><p role="alert">${detail}</p>`, back);
    return { ...made, headers: { ...reply.headers, ...made.headers } };
  }
}

type Link = readonly [href: string, text: string];

type Way<Value> = {
  readonly back: Link;
  readonly said: (value: Value) => string;
  readonly isSeen: boolean;
  /** The status of what was tried and did not succeed; left out: 409. */
  readonly failed?: number;
};

/** To that part of the status page. */
function toStatus(id: string): Link {
  return [`/#${id}`, 'Back to the status page'];
}

/** To where the form was. */
function toEdge({ network, edge }: z.infer<typeof edgeParams>, back: 'edge' | undefined): Link {
  if (back === undefined) return toStatus(anchor('edge', network, edge));
  return [edgeAddress(network, edge), `Back to ${edge}`];
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
