import { expect, test } from 'vitest';
import { DEFLECT } from '../../../../src/server/control/api/operations/deflect.ts';
import type { AccessPolicy } from '../../../../src/server/control/http/access.ts';
import type {
  ActionResult,
  Author,
  ControlActions,
  ModeOrder,
  ModeSet,
} from '../../../../src/server/control/http/control-actions.ts';
import { dispatch } from '../../../../src/server/control/http/dispatch.ts';
import type { Reply, StreamReply } from '../../../../src/server/control/http/operation.ts';
import { Renderer } from '../../../../src/server/control/http/renderer.ts';
import { Router } from '../../../../src/server/control/http/router.ts';
import { createMetrics } from '../../../../src/server/control/metrics/metrics.ts';
import { expectDescribed } from '../../../support/described.ts';
import { throwingGuard } from '../../../support/guard.ts';
import { NOW, statusView } from './api-fixture.ts';

type Asked = { readonly order: ModeOrder; readonly author: Author };
const guard = throwingGuard();
const ALICE: AccessPolicy = { admit: () => ({ ok: true, author: 'alice', right: 'write' }) };

async function ask(
  method: string,
  path: string,
  sent: string | null = null,
  { type = 'application/json', result = null as ActionResult<ModeSet> | null } = {},
) {
  const asked: Asked[] = [];
  const setMode: ControlActions['setMode'] = async (order, author) => {
    asked.push({ order, author });
    const comment = order.comment === '' ? '' : `[${author.name}] ${order.comment}`;
    const { mode, until } = order;
    return result ?? { ok: true, value: { mode, comment, since: NOW, until, effects: [], live: [] } };
  };
  const view = statusView();
  const site = {
    sources: { view, metrics: createMetrics(view), actions: { setMode } as unknown as ControlActions },
    router: new Router(DEFLECT),
    access: ALICE,
    lanes: { health: new Renderer<Reply | StreamReply>(guard), rest: new Renderer<Reply | StreamReply>(guard) },
  };
  const [bare, query = ''] = path.split('?');
  const header = (name: string) => (name === 'content-type' ? type : null);
  const request = { method, path: bare, header, client: '127.0.0.1', isTls: false, certificate: null };
  const reply = await dispatch(site, request, query, async () => ({ ok: true, text: sent ?? '' }));
  if ('stream' in reply) throw new Error(`${path} goes on`);
  const { status } = reply;
  const json = expectDescribed({ method, path, status, type: reply.type, body: String(reply.body) });
  return { status, json, asked };
}

test('networks and edges are listed with the keys of deflect-api', async () => {
  expect((await ask('GET', '/api/dnet/list')).json).toEqual(['net-a']);
  expect((await ask('GET', '/api/edge/list?dnet=net-a')).json).toEqual([
    { edgename: 'e1', mode: 'available', state: 'in', health: 'pass_threshold', state_time: -1, comment: null },
    { edgename: 'e2', mode: 'available', state: 'out', health: 'fail', state_time: 65, comment: null },
    {
      edgename: 'e3',
      mode: 'unavailable',
      state: 'out',
      health: 'unknown',
      state_time: -1,
      comment: '[me] new "disk"\nsoon',
    },
  ]);
});

test.each(['', '?dnet=', '?dnet=net-b', '?dnet=net-a&dnet=net-a'])('no edges are listed of %s', async (query) => {
  expect((await ask('GET', `/api/edge/list${query}`)).status).toBe(400);
});

const WISH = { dnet: 'net-a', edge: 'e3', mode: 'available', comment: 'mended', comment_user: 'circleci' };

test.each([
  ['JSON', JSON.stringify(WISH), 'application/json'],
  ['a form', new URLSearchParams(WISH).toString(), 'application/x-www-form-urlencoded'],
])('a mode is set in the name of whoever the token names: %s', async (_, sent, type) => {
  const { status, json, asked } = await ask('PUT', '/api/edge/config', sent, { type });
  expect(status).toBe(201);
  expect(json).toEqual({
    edge: 'e3',
    prev_state: { mode: 'unavailable', comment: '[me] new "disk"\nsoon' },
    current_state: { mode: 'available', comment: '[alice] mended (for circleci)' },
  });
  expect(asked).toMatchObject([
    {
      order: { network: 'net-a', edge: 'e3', mode: 'available', comment: 'mended (for circleci)', until: null },
      author: { name: 'alice', client: '127.0.0.1' },
    },
  ]);
});

test('without a comment the user is not one', async () => {
  const { json, asked } = await ask('PUT', '/api/edge/config', JSON.stringify({ ...WISH, comment: '' }));
  expect(asked[0].order.comment).toBe('');
  expect(json).toMatchObject({ current_state: { comment: null } });
});

test.each([
  [404, { ...WISH, dnet: 'net-b' }],
  [404, { ...WISH, edge: '192.0.2.9' }],
  [422, { ...WISH, mode: 'off' }],
  [422, { ...WISH, comment_user: 'x'.repeat(81) }],
  [422, { mode: 'available' }],
])('%d: %j changes nothing', async (expected, wish) => {
  const { status, asked } = await ask('PUT', '/api/edge/config', JSON.stringify(wish));
  expect([status, asked]).toEqual([expected, []]);
});

test('what the server cannot do is said', async () => {
  const result = { ok: false, fault: { code: 'busy', message: 'a run has the lock' } } as const;
  const { status, json } = await ask('PUT', '/api/edge/config', JSON.stringify(WISH), { result });
  expect([status, json]).toMatchObject([409, { detail: 'a run has the lock' }]);
});
