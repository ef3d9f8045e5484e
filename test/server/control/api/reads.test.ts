import { expect, test } from 'vitest';
import { explain } from '../../../../src/health/explain/explain.ts';
import { edgeVersion } from '../../../../src/server/control/api/edge-version.ts';
import { READ_ONLY } from '../../../../src/server/control/http/access.ts';
import { dispatch } from '../../../../src/server/control/http/dispatch.ts';
import type { Reply, StreamReply } from '../../../../src/server/control/http/operation.ts';
import { Renderer } from '../../../../src/server/control/http/renderer.ts';
import { Router } from '../../../../src/server/control/http/router.ts';
import { createMetrics } from '../../../../src/server/control/metrics/metrics.ts';
import { OPERATIONS } from '../../../../src/server/control/operations.ts';
import type { NetworkView, StatusView, ZoneView } from '../../../../src/server/control/views/views.ts';
import { expectDescribed } from '../../../support/described.ts';
import { throwingGuard } from '../../../support/guard.ts';
import { recordStory } from '../../../support/recorded-story.ts';
import { NOW, network, statusView } from './api-fixture.ts';

const guard = throwingGuard();

/** As a client sees it, checked against its description. */
async function get(path: string, view: StatusView = statusView()) {
  const site = {
    sources: { view, metrics: createMetrics(view), actions: null },
    router: new Router(OPERATIONS),
    access: READ_ONLY,
    lanes: { health: new Renderer<Reply | StreamReply>(guard), rest: new Renderer<Reply | StreamReply>(guard) },
  };
  const [bare, query = ''] = path.split('?');
  const request = {
    method: 'GET',
    path: bare,
    header: () => null,
    client: '127.0.0.1',
    isTls: false,
    certificate: null,
  };
  const reply = await dispatch(site, request, query, () => Promise.reject(new Error('no body')));
  if ('stream' in reply) throw new Error(`${path} goes on`);
  const { status, type, headers } = reply;
  const json = expectDescribed({ method: 'GET', path, status, type, body: String(reply.body) });
  return { status, json, headers };
}

const past = (over: Partial<NetworkView>) => statusView({ networks: () => [{ ...network, ...over }] });

test('an edge is what its network says of it, with its samples and what explain says', async () => {
  const rounds = recordStory([{ fetches: { e1: 0.1, e2: 0.2 } }, { fetches: { e1: 0.1, e2: 10 } }], { edgeCount: 1 });
  const view = past({ recentFacts: rounds.map(({ facts }) => facts) });
  const { json, headers } = await get('/api/v1/networks/net-a/edges/e2', view);
  const { edges } = (await get('/api/v1/networks/net-a', view)).json as { edges: { edge: string }[] };
  const explained = explain(rounds, { only: 'e2', interval: network.round.runFrequency });
  if (explained === null) throw new Error('nothing is explained');
  const [own] = explained.edges;
  expect(json).toMatchObject({
    ...edges.find(({ edge }) => edge === 'e2'),
    network: 'net-a',
    now: NOW,
    samples: [
      { at: rounds[0].facts.now, seconds: 0.2, fail: null },
      { at: rounds[1].facts.now, seconds: 10, fail: { reason: 'timeout' }, addresses: [{ check: 'http' }] },
    ],
    mode_changes: [],
    explanation: { at: explained.at, scope: 'turn', live: own.live, why: own.why, prospects: own.prospects },
  });
  expect(own.prospects?.length).toBeGreaterThan(0);
  expect(headers).toEqual({ etag: edgeVersion(network.members.get('e2')) });
});

test('an edge of which nothing was decided yet', async () => {
  const view = past({ decision: null, edges: ['new'], live: [], members: new Map() });
  const { json } = await get('/api/v1/networks/net-a/edges/new', view);
  expect(json).toMatchObject({ edge: 'new', mode: 'available', state: 'out', samples: [], explanation: null });
});

test('a mode has the same version wherever it is read', async () => {
  const mode = await get('/api/v1/networks/net-a/edges/e3/mode');
  const edge = await get('/api/v1/networks/net-a/edges/e3');
  const { mode_version: version } = mode.json as { mode_version: string };
  expect(mode.json).toEqual({
    edge: 'e3',
    mode: 'unavailable',
    comment: '[me] new "disk"\nsoon',
    mode_since: NOW - 60,
    mode_until: NOW + 60,
    mode_version: version,
  });
  expect([mode.headers, edge.headers]).toEqual([{ etag: version }, { etag: version }]);
});

test.each([
  '/api/v1/networks/net-b/edges/e1',
  '/api/v1/networks/net-a/edges/E1',
  '/api/v1/networks/net-a/edges/192.0.2.9',
  '/api/v1/networks/net-a/edges/constructor/mode',
  '/api/v1/networks/net-b/changes',
  '/api/v1/zones/none.test',
  '/api/v1/zones/.',
])('%s is not there', async (path) => {
  expect((await get(path)).status).toBe(404);
});

const zone = (name: string, over: Partial<ZoneView> = {}): ZoneView => ({
  name,
  network: 'net-a',
  file: `/zones/${name}.zone`,
  state: 'ok',
  serial: 1,
  faults: [],
  records: 1,
  signaturesEnd: null,
  loadedAt: NOW,
  ...over,
});
const ZONES = [
  zone('a.test'),
  zone('b.test', { state: 'broken', network: null }),
  zone('c.test', { state: 'stale' }),
  zone('d.test', { state: 'broken' }),
];

test.each([
  ['', 'a b c d', null],
  ['limit=2', 'a b', 'b.test'],
  ['limit=2&after=b.test', 'c d', null],
  ['limit=1&after=bb.test', 'c', 'c.test'],
  ['limit=4', 'a b c d', null],
  ['after=d.test&limit=3', '', null],
  ['state=broken', 'b d', null],
  ['state=broken&limit=1&after=b.test', 'd', null],
  ['network=net-a&state=broken', 'd', null],
  ['network=none', '', null],
])('zones: %s', async (query, names, next) => {
  const { json } = await get(`/api/v1/zones?${query}`, statusView({ zones: () => ZONES }));
  const { zones, ...rest } = json as { zones: { zone: string }[]; next: string | null };
  expect(zones.map((each) => each.zone.split('.')[0]).join(' ')).toBe(names);
  expect(rest.next).toBe(next);
});

test.each(['limit=0', 'limit=1001', 'limit=1.5', 'limit=', 'limit=1&limit=2', 'state=bad', 'state=ok&state=ok'])(
  'zones cannot be asked for by %s',
  async (query) => {
    expect((await get(`/api/v1/zones?${query}`)).status).toBe(400);
  },
);

test.each(['limit=101', 'limit=-1', 'since=x', 'before=Infinity', 'since=-1'])(
  'changes cannot be asked for by %s',
  async (query) => {
    expect((await get(`/api/v1/networks/net-a/changes?${query}`)).status).toBe(400);
  },
);

test('a zone is found by its name however it is written', async () => {
  for (const name of ['example.test', 'EXAMPLE.test.', 'example%2etest']) {
    expect((await get(`/api/v1/zones/${name}`)).json).toMatchObject({ zone: 'example.test' });
  }
});

test('changes of this process have their serials, earlier ones none', async () => {
  const found = [NOW - 90, NOW - 4].map((at) => ({
    at,
    added: ['e1'],
    removed: [],
    live: ['e1'],
    reasons: new Map(),
    actions: [],
  }));
  const orders: unknown[] = [];
  const changes: NetworkView['past']['changes'] = async (order) => {
    orders.push(order);
    return { changes: found, earlier: null };
  };
  const view = past({ past: { ...network.past, changes } });
  const { json } = await get(`/api/v1/networks/net-a/changes?since=${NOW - 100}&limit=7`, view);
  expect(json).toMatchObject({ network: 'net-a', changes: [{ serial: null }, { serial: NOW - 4 }], earlier: null });
  expect(orders).toEqual([{ since: NOW - 100, before: Number.MAX_SAFE_INTEGER, limit: 7 }]);
});
