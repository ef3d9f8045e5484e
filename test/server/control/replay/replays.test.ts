import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decideFacts } from '../../../../src/health/choose/decide.ts';
import { encodeRecord } from '../../../../src/health/state/history-log-record.ts';
import { REPLAY } from '../../../../src/server/control/api/operations/replay.ts';
import { Router } from '../../../../src/server/control/http/router.ts';
import { replayPage } from '../../../../src/server/control/page/replay-page.ts';
import type { ReplayOrder } from '../../../../src/server/control/replay/order.ts';
import { Replays } from '../../../../src/server/control/replay/replays.ts';
import type { StatusView } from '../../../../src/server/control/views/views.ts';
import { expectDescribed } from '../../../support/described.ts';
import { throwingGuard } from '../../../support/guard.ts';
import { recordStory } from '../../../support/recorded-story.ts';
import { NOW } from '../../../support/round-input.ts';
import { network, statusView } from '../api/api-fixture.ts';

/** Twenty rounds, a minute apart, in which B wavers around 0.6 s. */
const records = recordStory(
  Array.from({ length: 20 }, (_, i) => ({ fetches: { A: 0.1, B: i % 2 === 0 ? 0.4 : 0.8, C: 0.45 } })),
  { edgeCount: 2, goodenough: 0.7, maxfreq: 100 },
);
let folder: string;
let order: ReplayOrder;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgewise-replays-'));
  const path = join(folder, 'net-a.rounds.jsonl');
  // The story is decided anew for its lines, which are those that a server writes.
  await writeFile(path, records.map(({ facts }) => `${encodeRecord(facts, decideFacts(facts)).trimEnd()}\n`).join(''));
  order = { path, set: ['goodenough=0.9'], since: NOW - 1, until: NOW + 3600, runFrequency: 60 };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const replays = () => new Replays(throwingGuard());

test('a thread decides what is recorded again', async () => {
  const answer = await replays().replay(order);
  if (!answer.ok) throw new Error(answer.message);
  expect(answer.left).toBe(0);
  expect(answer.replay.rounds).toBe(20);
  expect(answer.replay.recorded.rotations).toBeGreaterThan(answer.replay.replayed.rotations);
  expect(answer.replay.differences[0].why).toBeInstanceOf(Map);
});

test('whoever asks for the same shares it; another one has to wait until it has rested', async () => {
  const all = replays();
  const first = all.replay(order);
  expect(all.replay({ ...order })).toBe(first);
  const other = { ...order, set: ['edge_count=1'] };
  expect(await all.replay(other)).toMatchObject({ ok: false, code: 'busy' });
  expect((await first).ok).toBe(true);
  await expect.poll(async () => (await all.replay(other)).ok).toBe(true);
});

test.each([
  [{ set: ['goodenough=no'] }, { ok: false, code: 'invalid', message: expect.stringContaining('goodenough must be') }],
  [{ set: ['nothing=1'] }, { ok: false, code: 'invalid', message: expect.stringContaining('"nothing" cannot be') }],
  [
    { set: ['goodenough=99'] },
    { ok: false, code: 'invalid', message: expect.stringContaining('less than the timeout') },
  ],
  [{ path: '/nowhere/at/all' }, { ok: true, left: 0, replay: expect.objectContaining({ rounds: 0, since: null }) }],
  [{ path: '/' }, { ok: false, code: 'failed' }],
  [{ until: NOW + 60 }, { ok: true, replay: expect.objectContaining({ rounds: 2 }) }],
] as const)('%o', async (over, answer) => {
  expect(await replays().replay({ ...order, ...over })).toMatchObject(answer);
});

/** The server as it answers when the rounds above are those of net-a. */
function recorded(over: Partial<StatusView> = {}): StatusView {
  const all = replays();
  return statusView({
    now: () => NOW + 3600,
    networks: () => [network],
    replay: (_, asked) => all.replay({ ...asked, path: order.path }),
    ...over,
  });
}

async function get(view: StatusView, path: string, query: object) {
  const [replay] = REPLAY;
  const page = replayPage({ view, host: () => 'here', address: (file) => `/static/x/${file}` });
  const found = new Router([replay, page]).find('GET', path);
  if (found.kind !== 'found') throw new Error(`no ${path}`);
  const { operation, segments } = found;
  const reply = await operation.handle(
    { view } as never,
    {
      params: segments,
      query: operation.query?.parse(query),
    } as never,
  );
  if ('stream' in reply) throw new Error('it never ends');
  return { status: reply.status, type: reply.type, body: String(reply.body), headers: reply.headers ?? {} };
}

const API = '/api/v1/networks/net-a/replay';

test.each([
  [API, { set: 'goodenough=0.9' }, 200],
  [API, { set: ['goodenough=0.9', 'edge_count=1'], since: '2h' }, 200],
  [API, { since: 'soon' }, 422],
  [API, { since: '10m', until: '2h' }, 422],
  [API, { set: 'edge_count=0' }, 422],
  ['/api/v1/networks/none/replay', {}, 404],
])('%s %o answers %i, as described', async (path, query, status) => {
  const reply = await get(recorded(), path, query);
  expect(reply.status).toBe(status);
  expectDescribed({ method: 'GET', path, ...reply });
});

test('one that runs keeps others away, who are told when to come again', async () => {
  const view = recorded({ replay: async () => ({ ok: false, code: 'busy', message: 'another one runs' }) });
  const { status, headers } = await get(view, API, {});
  expect([status, headers['retry-after']]).toEqual([503, '5']);
});

const PAGE = '/networks/net-a/replay';

test.each([
  ['busy', 503, /Not yet.*one runs, come in 3 s.*<a href=""[^>]*>Try again<\/a>/s],
  ['failed', 503, /This cannot be replayed.*one runs, come in 3 s(?!.*Try again)/s],
] as const)(
  'the page of a server that is %s says so, and asks again only where that helps',
  async (code, status, text) => {
    const view = recorded({ replay: async () => ({ ok: false, code, message: 'one runs, come in 3 s' }) });
    const reply = await get(view, PAGE, { goodenough: '0.9' });
    expect(reply.status).toBe(status);
    expect(reply.body).toMatch(text);
    expect(reply.body).toContain('value="0.9"');
  },
);

test('the page asks for settings, and shows what would have been', async () => {
  const empty = await get(recorded(), PAGE, {});
  expect(empty.status).toBe(200);
  expect(empty.body).toContain('name="goodenough"');
  expect(empty.body).not.toContain('id="result"');
  const { status, body } = await get(recorded(), PAGE, { goodenough: '0.9', edge_count: '' });
  expect(status).toBe(200);
  expect(body).toContain('With goodenough=0.9');
  expect(body).toContain('20 rounds from');
  expect(body).toMatch(/<th scope="row">B<\/th><td class="n">\d+\.\d %<\/td><td class="n">100\.0 %/);
});

test.each([
  [{ goodenough: '<b>"\'&' }, 422, 'value="&lt;b&gt;&quot;&#39;&amp;"'],
  [{ since: 'tomorrow?' }, 422, 'is not a time'],
  [{ goodenough: ['1', '0.9'] }, 200, 'With goodenough=0.9'],
  [{ goodenough: 'x'.repeat(5000) }, 422, `value="${'x'.repeat(40)}"`],
])('the page asked for %o answers %i', async (query, status, contains) => {
  const reply = await get(recorded(), PAGE, query);
  expect(reply.status).toBe(status);
  expect(reply.body).toContain(contains);
});
