import { expect, test } from 'vitest';
import { z } from 'zod';
import type { AccessPolicy } from '../../../../src/server/control/http/access.ts';
import type { Body } from '../../../../src/server/control/http/body.ts';
import { dispatch, matches } from '../../../../src/server/control/http/dispatch.ts';
import { json, operation, type Reply, type StreamReply } from '../../../../src/server/control/http/operation.ts';
import { problem } from '../../../../src/server/control/http/problem.ts';
import { Renderer } from '../../../../src/server/control/http/renderer.ts';
import { Router } from '../../../../src/server/control/http/router.ts';
import { createMetrics } from '../../../../src/server/control/metrics/metrics.ts';
import { throwingGuard } from '../../../support/guard.ts';
import { statusView } from '../api/api-fixture.ts';

const view = statusView();
const answers = { 200: { description: 'ok' } };
const params = z.object({ name: z.string().max(8) });

const operations = [
  operation({
    method: 'GET',
    path: '/things/{name}',
    summary: 'Read',
    tag: null,
    access: 'read',
    params,
    query: z.object({ deep: z.enum(['yes', 'no']).optional() }),
    answers,
    handle: (_, { params: { name }, query, author }) => json(200, { name, query, author }),
  }),
  operation({
    method: 'PUT',
    path: '/things/{name}',
    summary: 'Change',
    tag: null,
    access: 'write',
    params,
    body: { schema: z.object({ mode: z.enum(['force', 'available']) }), form: true },
    answers,
    version: (_, { name }) => (name === 'none' ? null : '"v1"'),
    handle: (_, { body, author }) => json(200, { ...body, author }),
  }),
  operation({
    method: 'POST',
    path: '/do',
    summary: 'Do',
    tag: null,
    access: 'write',
    answers,
    handle: () => json(200, { done: true }),
  }),
];

operations.push(
  operation({
    method: 'GET',
    path: '/unknown/{name}',
    summary: 'Never there',
    tag: null,
    access: 'read',
    params,
    answers,
    handle: (_, { params: { name } }) => problem(404, `no thing ${JSON.stringify(name)}`),
  }),
  operation({
    method: 'POST',
    path: '/decide',
    summary: 'Decide',
    tag: null,
    access: 'write',
    body: { schema: z.object({ force: z.boolean().default(false) }), isOptional: true },
    answers,
    handle: (_, { body }) => json(200, body),
  }),
);

const ANNA: AccessPolicy = { admit: () => ({ ok: true, author: 'anna', right: 'write' }) };

async function ask(...request: Parameters<typeof replyTo>) {
  const { reply, read } = await replyTo(...request);
  return { status: reply.status, value: JSON.parse(String(reply.body)), headers: reply.headers ?? {}, read };
}

async function replyTo(
  method: string,
  target: string,
  headers: { readonly [name: string]: string } = {},
  body: Body | string = '',
  access = ANNA,
) {
  const site = {
    sources: { view, metrics: createMetrics(view), actions: null },
    router: new Router(operations),
    access,
    lanes: {
      health: new Renderer<Reply | StreamReply>(throwingGuard()),
      rest: new Renderer<Reply | StreamReply>(throwingGuard()),
    },
  };
  const [path = '', query = ''] = target.split('?');
  let read = 0;
  const reply = await dispatch(
    site,
    { method, path, header: (name) => headers[name] ?? null, client: '127.0.0.1', isTls: false, certificate: null },
    query,
    async () => {
      read += 1;
      return typeof body === 'string' ? { ok: true, text: body } : body;
    },
  );
  if ('stream' in reply) throw new Error('no stream was asked for');
  return { reply, read };
}

const JSON_TYPE = { 'content-type': 'application/json' };
const SEEN = { ...JSON_TYPE, 'if-match': '"v1"' };
const FORM = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };

test.each([
  ['GET', '/things/a', {}, '', 200, { name: 'a', author: 'anna' }],
  ['HEAD', '/things/a', {}, '', 200, { name: 'a' }],
  ['GET', '/things/a%2Fb', {}, '', 200, { name: 'a/b' }],
  ['GET', '/things/__proto__', {}, '', 404, { title: 'Not Found' }], // nine letters are too many here
  ['GET', '/things/a?deep=yes&other=1', {}, '', 200, { query: { deep: 'yes' } }],
  ['GET', '/things/a?deep=perhaps', {}, '', 400, { detail: expect.stringContaining('query: deep: ') }],
  ['GET', '/things/a?deep=yes&deep=no', {}, '', 400, {}],
  ['GET', '/things/a/', {}, '', 404, {}],
  ['GET', '/things/%zz', {}, '', 404, {}],
  ['GET', '/things', {}, '', 404, {}],
  ['GET', '//things/a', {}, '', 404, {}],
  ['GET', '/things/../do', {}, '', 404, {}],
  ['DELETE', '/things/a', {}, '', 405, { detail: 'only GET and HEAD and PUT' }],
  ['POST', '/do', {}, '', 200, { done: true }],
  ['PUT', '/things/a', SEEN, '{"mode":"force"}', 200, { mode: 'force', author: 'anna' }],
  ['PUT', '/things/a', { ...JSON_TYPE, 'if-match': '*' }, '{"mode":"force"}', 200, {}],
  ['PUT', '/things/a', { ...JSON_TYPE, 'if-match': '"v0", "v1"' }, '{"mode":"force"}', 200, {}],
  ['PUT', '/things/a', JSON_TYPE, '{"mode":"force"}', 428, {}],
  ['PUT', '/things/a', { ...JSON_TYPE, 'if-match': '"v0"' }, '{"mode":"force"}', 412, {}],
  ['PUT', '/things/a', { ...JSON_TYPE, 'if-match': 'W/"v1"' }, '{"mode":"force"}', 412, {}],
  ['PUT', '/things/none', SEEN, '{"mode":"force"}', 404, {}],
  ['PUT', '/things/a', SEEN, '{"mode":"maybe"}', 422, { detail: expect.stringContaining('mode: ') }],
  ['PUT', '/things/a', SEEN, '{"mode"', 400, {}],
  ['PUT', '/things/a', SEEN, '', 400, {}],
  ['PUT', '/things/a', { 'if-match': '"v1"' }, '{"mode":"force"}', 415, {}],
  ['PUT', '/things/a', { ...SEEN, 'content-type': 'text/plain' }, '{"mode":"force"}', 415, {}],
  ['POST', '/decide', {}, '', 200, { force: false }],
  ['POST', '/decide', FORM, '', 200, { force: false }], // `curl -d ''`
  ['POST', '/decide', JSON_TYPE, '', 200, { force: false }],
  ['POST', '/decide', JSON_TYPE, '{"force":true}', 200, { force: true }],
  ['POST', '/decide', JSON_TYPE, ' ', 400, {}],
  ['POST', '/decide', {}, '{"force":true}', 415, {}], // not taken for an empty one
  ['POST', '/decide', FORM, 'force=true', 415, {}],
  ['POST', '/decide', { 'content-type': 'text/plain' }, '{}', 415, {}],
  ['PUT', '/things/a', FORM, 'mode=force&if_match=%22v1%22', 200, { mode: 'force' }],
  ['PUT', '/things/a', FORM, 'mode=force&if_match=%22v0%22', 412, {}],
  ['PUT', '/things/a', FORM, 'mode=force', 428, {}],
] as const)('%s %s %o %s: %i', async (method, target, headers, body, status, value) => {
  const answer = await ask(method, target, headers, body);
  expect(answer.status).toBe(status);
  expect(answer.value).toMatchObject(value);
});

test.each([
  ['GET', '/things', 'text/html,*/*;q=0.8', 'text/html'],
  ['GET', '/<script>', 'text/html', 'text/html'],
  ['GET', '/things/much-too-long', 'TEXT/HTML', 'text/html'],
  ['GET', '/unknown/<b>', 'text/html', 'text/html'],
  ['GET', '/unknown/<b>', '*/*', 'application/problem+json'],
  ['GET', '/things', null, 'application/problem+json'],
  ['GET', '/api/v1/none', 'text/html', 'application/problem+json'],
  ['POST', '/none', 'text/html', 'application/problem+json'],
] as const)('nothing there: %s %s, which accepts %s', async (method, path, accept, type) => {
  const { reply } = await replyTo(method, path, accept === null ? {} : { accept });
  expect([reply.status, reply.type.split(';')[0]]).toEqual([404, type]);
  const body = String(reply.body);
  if (type !== 'text/html') expect(JSON.parse(body)).toMatchObject({ status: 404, title: 'Not Found' });
  else {
    expect(body).toContain('<a href="/">');
    expect(body).not.toMatch(/<(script|b)>/);
    expect(reply.headers).toEqual({ vary: 'accept' });
  }
});

test('who may not is told so before anything is read', async () => {
  const nobody: AccessPolicy = { admit: () => ({ ok: false, reply: json(401, { no: true }) }) };
  const { status, read } = await ask('PUT', '/things/a', SEEN, '{"mode":"force"}', nobody);
  expect([status, read]).toEqual([401, 0]);
});

test.each([
  ['too-large', 413],
  ['broken', 400],
] as const)('a body that is %s: %i', async (why, status) => {
  expect((await ask('PUT', '/things/a', SEEN, { ok: false, why })).status).toBe(status);
});

test('a stale version is answered with the present one', async () => {
  const { headers } = await ask('PUT', '/things/a', { ...JSON_TYPE, 'if-match': '"v0"' }, '{"mode":"force"}');
  expect(headers).toEqual({ etag: '"v1"' });
});

test.each([
  ['"a"', true],
  [' * ', true],
  ['"b", "a"', true],
  ['"b"', false],
  ['W/"a"', false],
  ['a', false],
  ['', false],
])('If-Match: %s of "a": %s', (list, expected) => {
  expect(matches(list, '"a"')).toBe(expected);
});
