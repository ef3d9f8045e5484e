import { afterEach, beforeEach, expect, test } from 'vitest';
import type { NoticeBody } from '../../src/publish/notices/targets/webhook.ts';
import { EdgewiseServer, edgewise, eventually } from '../support/edgewise.ts';
import { Installation, NETWORK, OBJECT } from '../support/installation.ts';
import { MockEdge } from '../support/mock-edge.ts';
import { NoticeServer } from '../support/notice-server.ts';

const EDGES = ['127.0.45.1', '127.0.45.2', '127.0.45.3'];
const ZONE = '@ IN MX 10 mail.elsewhere.test.\n';

let edges: MockEdge[] = [];
let hook: NoticeServer;
let other: NoticeServer;
let site: Installation;
let server: EdgewiseServer | null = null;

beforeEach(async () => {
  hook = await NoticeServer.start();
  other = await NoticeServer.start();
  edges = [];
  let port = 0;
  for (const address of EDGES) {
    const edge = await MockEdge.start({ address, port, body: OBJECT });
    edges.push(edge);
    port = edge.port;
  }
});

afterEach(async () => {
  await server?.stop('SIGKILL');
  server = null;
  await Promise.all(edges.map((edge) => edge.close()));
  await hook.stop();
  await other.stop();
  await site.remove();
});

/** An installation with these targets of notices. */
async function install(notices: readonly unknown[], keys = {}): Promise<void> {
  site = await Installation.make({
    edges: EDGES,
    port: edges[0].port,
    zones: { 'zone.test': ZONE },
    keys: {
      edge_count: 2,
      run_frequency: 1,
      settle: 0.2,
      server: { listen: '127.0.0.1:0' },
      http: { listen: '127.0.0.1:0' },
      notices,
      ...keys,
    },
  });
}

async function start(): Promise<EdgewiseServer> {
  server = await EdgewiseServer.start(site.path('edgemanage.yaml'), ['-v']);
  return server;
}

type Told = { readonly event: string; readonly status: string; readonly subject: string; readonly starts: string };

function told(): readonly Told[] {
  return hook.bodies<NoticeBody>().flatMap(({ events }) =>
    events.map(({ event, status, labels, starts_at: starts }) => ({
      event,
      status,
      subject: labels['edge'] ?? labels['zone'] ?? labels['network'] ?? '',
      starts,
    })),
  );
}

/** Until one is told; the `seen`th of its kind. */
async function untilTold(event: string, status: string, subject = '', seen = 1): Promise<void> {
  await eventually(
    async () => told(),
    (all) =>
      all.filter((one) => one.event === event && one.status === status && (subject === '' || one.subject === subject))
        .length >= seen,
  );
}

test('an edge that dies and returns, a zone that breaks and is mended, start and stop are told; a target that hangs delays none', async () => {
  other.usual = 'hang';
  await install([
    { to: 'webhook', name: 'good', url: hook.url, gather: 0, per_minute: 600 },
    { to: 'webhook', name: 'hangs', url: other.url, gather: 0, timeout: 2, per_minute: 600 },
  ]);
  const running = await start();
  await untilTold('started', 'once');
  await edges[0].behave({ kind: 'status', status: 500 });
  await untilTold('edge_down', 'firing', EDGES[0]);
  await edges[0].behave({ kind: 'ok' });
  await untilTold('edge_down', 'resolved', EDGES[0]);
  await site.write(`zones/${NETWORK}/zone.test.zone`, '@ IN MX nonsense\n');
  await untilTold('zone_broken', 'firing', 'zone.test');
  await site.write(`zones/${NETWORK}/zone.test.zone`, ZONE);
  await untilTold('zone_broken', 'resolved', 'zone.test');
  // What commands read is written behind what is done.
  await expect
    .poll(() => edgewise(['explain', '-A', NETWORK, '-c', site.path('edgemanage.yaml')]))
    .toMatchObject({
      stdout: expect.stringMatching(/^notices: hangs: \d+ events? waits? to be sent, the oldest since /m),
    });
  await site.write('edgemanage.yaml', `${await site.read('edgemanage.yaml')}nonsense: 1\n`);
  running.child.kill('SIGHUP');
  await untilTold('reload_failed', 'firing');
  const health = await running.get('/healthz');
  expect(health.status).toBe(503);
  expect(health.text).toMatch(/notices: hangs takes none since .*no (answer|end) within 2 s/);
  expect(health.text).not.toContain('T0ken');
  const metrics = (await running.get('/metrics')).text;
  expect(metrics).toMatch(/edgewise_notices_sent_total\{target="good"\} [1-9]/);
  expect(metrics).toMatch(/edgewise_notices_sent_total\{target="hangs"\} 0/);
  expect(metrics).toMatch(/edgewise_notices_failed_total\{target="hangs"\} [1-9]/);
  expect(metrics).toMatch(/edgewise_notices_pending\{target="hangs"\} [1-9]/);
  expect(running.output).not.toContain('T0ken');
  expect(await running.stop()).toBe(0);
  await untilTold('stopped', 'once');
});

test('after kill -9 nothing is told twice, what ended meanwhile is closed, and the end is said to be unclean', async () => {
  await install([{ to: 'webhook', url: hook.url, gather: 0, per_minute: 600 }]);
  await edges[0].behave({ kind: 'status', status: 500 });
  await edges[1].behave({ kind: 'status', status: 500 });
  await start();
  await untilTold('edge_down', 'firing', EDGES[0]);
  await untilTold('edge_down', 'firing', EDGES[1]);
  for (let times = 1; times <= 3; times++) {
    // Whatever is under way at this moment.
    await server?.stop('SIGKILL');
    if (times === 3) await edges[0].behave({ kind: 'ok' });
    await start();
    await untilTold('started', 'once', '', times);
  }
  await untilTold('edge_down', 'resolved', EDGES[0]);
  const all = told();
  const downs = all.filter(({ event, status }) => event === 'edge_down' && status === 'firing');
  expect(downs.map(({ subject }) => subject).sort()).toEqual([EDGES[0], EDGES[1]]);
  const seen = all.map((one) => JSON.stringify(one));
  expect(seen.filter((one, i) => seen.indexOf(one) < i)).toEqual([]);
  const starts = hook.bodies<NoticeBody>().flatMap(({ events }) => events.filter(({ event }) => event === 'started'));
  expect(starts.at(-1)?.summary).toContain('not orderly');
});

test('a message that is under way at kill -9 is not sent again; the target is told that it is in doubt', async () => {
  hook.usual = 'hang';
  await install([{ to: 'webhook', url: hook.url, gather: 1, timeout: 60, per_minute: 600, events: ['edge_down'] }]);
  await edges[0].behave({ kind: 'status', status: 500 });
  await start();
  await hook.count(1);
  await server?.stop('SIGKILL');
  hook.usual = { status: 200 };
  await start();
  await untilTold('delivery_in_doubt', 'once');
  await edges[0].behave({ kind: 'ok' });
  await untilTold('edge_down', 'resolved', EDGES[0]);
  const downs = told().filter(
    ({ event, status, subject }) => event === 'edge_down' && status === 'firing' && subject === EDGES[0],
  );
  expect(downs).toHaveLength(1);
});
