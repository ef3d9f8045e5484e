import { expect, test } from 'vitest';
import { json, type Request } from '../../../../src/server/control/http/operation.ts';
import { Router } from '../../../../src/server/control/http/router.ts';
import { createMetrics } from '../../../../src/server/control/metrics/metrics.ts';
import { OPERATIONS } from '../../../../src/server/control/operations.ts';
import type { NetworkView, StatusView } from '../../../../src/server/control/views/views.ts';
import { expectDescribed } from '../../../support/described.ts';
import { recordStory } from '../../../support/recorded-story.ts';
import { NOW, network, statusView } from './api-fixture.ts';

const request: Request = {
  method: 'GET',
  path: '/',
  header: () => null,
  client: '127.0.0.1',
  isTls: false,
  certificate: null,
};

async function answer(path: string, view: StatusView, change: (value: object) => object = (value) => value) {
  const found = new Router(OPERATIONS).find('GET', path);
  if (found.kind !== 'found') throw new Error(`no ${path}`);
  const { operation, segments } = found;
  const reply = await operation.handle(
    { view, metrics: createMetrics(view), actions: null },
    {
      params: segments,
      query: operation.query?.parse({ dnet: 'net-a' }),
      body: undefined,
      author: null,
      right: 'read',
      request,
    },
  );
  if ('stream' in reply) throw new Error(`${path} goes on`);
  const { status, type } = reply;
  const body = String(reply.body);
  return {
    method: 'GET',
    path,
    status,
    type,
    body: type.includes('json') ? JSON.stringify(change(JSON.parse(body))) : body,
  };
}

const brokenZone = {
  name: 'broken.test',
  network: 'net-a',
  file: '/zones/net-a/broken.test.zone',
  state: 'broken',
  serial: 0,
  faults: [
    {
      severity: 'error',
      code: 'zone-unreadable',
      at: null,
      message: 'no such type',
    },
  ],
  records: 0,
  signaturesEnd: null,
  loadedAt: 0,
} as const;

const recorded = recordStory([{ fetches: { e1: 0.1, e2: 0.2 } }, { fetches: { e1: 0.1, e2: 20 } }], { edgeCount: 1 });
const FORCED = { action: 'forced_update', by: 'alice', reason: 'moved', edge: null, mode: null, until: null } as const;
const PAST: NetworkView['past'] = {
  changes: async () => ({
    changes: [
      {
        at: NOW - 60,
        added: ['e1'],
        removed: [],
        live: ['e1'],
        reasons: new Map([['e1', 'fills up']]),
        actions: [FORCED],
      },
    ],
    earlier: NOW - 90,
  }),
  modeChanges: async () => [
    { at: NOW - 60, network: 'net-a', edge: 'e2', mode: 'force', until: NOW + 60, comment: '[me] try', by: 'me' },
  ],
};
const UNREADABLE: NetworkView['past'] = {
  changes: () => Promise.reject(new Error('EIO')),
  modeChanges: () => Promise.reject(new Error('EIO')),
};

const VIEWS = {
  'as usual': statusView(),
  'before the first decision': statusView({
    networks: () => [{ ...network, decision: null, live: [], members: new Map(), changes: [] }],
  }),
  'nothing at all': statusView({ networks: () => [], zones: () => [], secondaries: () => [], ready: () => false }),
  'with a past': statusView({
    networks: () => [{ ...network, recentFacts: recorded.map(({ facts }) => facts), past: PAST }],
  }),
  'its past cannot be read': statusView({ networks: () => [{ ...network, past: UNREADABLE }] }),
  'a broken zone': statusView({ zones: () => [brokenZone] }),
};

const PATHS = OPERATIONS.filter(({ method, tag }) => method === 'GET' && tag !== null).map(({ path }) =>
  path.replace('{network}', 'net-a').replace('{edge}', 'e2').replace('{zone}', 'example.test'),
);

test.each(Object.entries(VIEWS))('every answer is as it is described: %s', async (_name, view) => {
  for (const path of PATHS) expectDescribed(await answer(path, view));
});

test('what is not described is found', async () => {
  const path = '/api/v1/networks/net-a';
  const view = statusView();
  expectDescribed(await answer(path, view));
  const more = answer(path, view, (value) => ({ ...value, more: 1 }));
  await expect(more.then(expectDescribed)).rejects.toThrow('not described');
  const less = answer(path, view, (value) => ({ ...value, serial: undefined }));
  await expect(less.then(expectDescribed)).rejects.toThrow('serial');
  const { body } = json(200, {});
  const other = { method: 'GET', path, status: 201, type: 'application/json', body: String(body) };
  expect(() => expectDescribed(other)).toThrow('status 201');
});
