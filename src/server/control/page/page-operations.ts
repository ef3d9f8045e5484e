/** The status page, its fragments and its events. */
import { hostname } from 'node:os';
import { z } from 'zod';
import type { Guard } from '../../../system/guard.ts';
import { INDEX } from '../api/operations/root.ts';
import { type AnyOperation, operation, type Reply } from '../http/operation.ts';
import { problem } from '../http/problem.ts';
import type { StatusView } from '../views/views.ts';
import { sessionLine } from './action-forms.ts';
import { actionOperations } from './action-operations.ts';
import { PageChanges } from './changes.ts';
import { HTML_TYPE, PAGE_HEADERS } from './document.ts';
import { edgePage } from './edge-page.ts';
import { type Html, html } from './html.ts';
import { layout } from './layout.ts';
import { type PageQuery, pageQuery } from './query.ts';
import { RenderedSections } from './rendered-sections.ts';
import { replayPage } from './replay-page.ts';
import { type SectionKey, sectionKeys } from './sections.ts';
import { StaticFiles } from './static-files.ts';

/** For one server. `guard`: around the timer that looks for changes. `canSignIn`: whether anybody can. */
export function pageOperations(
  view: StatusView,
  guard: Guard,
  canSignIn: () => boolean = () => false,
): readonly AnyOperation[] {
  const files = new StaticFiles();
  const changes = new PageChanges(view, guard, files.version);
  const rendered = new RenderedSections(view, changes);
  return [
    operation({
      method: 'GET',
      path: '/',
      summary: 'The status page; for others than browsers what there is',
      tag: null,
      access: 'read',
      query: pageQuery,
      variant: ({ header }) => (wantsHtml(header('accept')) ? 'html' : 'text'),
      answers: { 200: { description: 'The page', type: 'text/html' } },
      isPersonal: true,
      handle: (sources, { query, request, author, right }) => {
        if (!wantsHtml(request.header('accept'))) return index();
        changes.look();
        return {
          status: 200,
          type: HTML_TYPE,
          body: page(query, author, right === 'write' && sources.actions !== null).text,
          headers: { ...PAGE_HEADERS, vary: 'accept' },
        };
      },
    }),
    fragment('/fragments/{section}', z.object({ section: z.string() }), ({ section }) => section),
    fragment('/fragments/network/{network}', z.object({ network: z.string() }), ({ network }) => `network/${network}`),
    operation({
      method: 'GET',
      path: '/events',
      summary: 'Versions of the sections of the page, as they change',
      tag: null,
      access: 'read',
      answers: { 200: { description: 'Server-sent events', type: 'text/event-stream' } },
      handle: () => ({
        status: 200,
        type: 'text/event-stream; charset=utf-8',
        stream: (sink) => changes.listen(sink),
      }),
    }),
    edgePage({ view, host, version: () => changes.page, address: (file) => files.address(file) }),
    replayPage({ view, host, address: (file) => files.address(file) }),
    ...files.operations(),
    ...actionOperations(files, host, () => changes.look(true)),
  ];

  function host(): string {
    const vantage = view.vantage();
    return vantage === null ? hostname() : `${hostname()} · ${vantage.name}`;
  }

  function page(query: PageQuery, author: string | null, mayWrite: boolean): Html {
    const keys = sectionKeys(view);
    const vantage = view.vantage();
    return layout({
      host: host(),
      now: view.now(),
      version: changes.page,
      query,
      networks: view.networks().map(({ name }) => name),
      present: {
        secondaries: view.secondaries().length > 0,
        publish: view.providers().length > 0 || view.notices().size > 0,
        vantage: vantage !== null,
      },
      address: (file) => files.address(file),
      sections: keys.map((key) => rendered.section(key, query, mayWrite)?.markup ?? html``),
      session: sessionLine({ author, mayWrite, canSignIn: canSignIn() }),
    });
  }

  function fragment<Params>(path: string, params: z.ZodType<Params>, keyOf: (params: Params) => string): AnyOperation {
    return operation({
      method: 'GET',
      path,
      summary: 'A section of the page',
      tag: null,
      access: 'read',
      params,
      query: pageQuery,
      answers: { 200: { description: 'The section', type: 'text/html' } },
      isPersonal: true,
      handle: ({ actions }, { params: found, query, right }): Reply => {
        // Without listeners nobody looks for changes.
        if (!changes.isWatched) changes.look();
        const section = rendered.section(keyOf(found) as SectionKey, query, right === 'write' && actions !== null);
        if (section === null) return problem(404, 'the page has no such section');
        // A copy is kept, and asked about each time.
        const headers = { ...PAGE_HEADERS, etag: section.etag, 'cache-control': 'private, no-cache' };
        return { status: 200, type: HTML_TYPE, body: section.octets, headers };
      },
    });
  }
}

function index(): Reply {
  return { status: 200, type: 'text/plain; charset=utf-8', body: INDEX, headers: { vary: 'accept' } };
}

/** A browser names it; curl and scripts take whatever there is. */
function wantsHtml(accept: string | null): boolean {
  return accept !== null && /\btext\/html\b/i.test(accept);
}
