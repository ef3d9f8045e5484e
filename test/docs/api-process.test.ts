import { afterAll, beforeAll, expect, test } from 'vitest';
import { OPERATIONS } from '../../src/server/control/operations.ts';
import { Edges } from '../chaos/edges.ts';
import { fetchDescribed } from '../support/described.ts';
import { eventually } from '../support/edgewise.ts';
import { freePort } from '../support/ports.ts';
import { Reader } from './follow.ts';

/**
 * docs/api.md and docs/admin.md: each of their commands is run against a real server with a dead edge, a canary, a broken
 * and a static zone and restricted changes; and so is every read there is, whose answer has to be as it is described.
 */

const EDGES = ['127.79.1.11', '127.79.1.12'];
const DEAD = '127.79.1.13';
const CANARY = '127.79.1.14';
const TOKEN = 'token-of-bob-for-the-tests-of-docs-api';
let edges: Edges;
let reader: Reader;

beforeAll(async () => {
  edges = await Edges.start([...EDGES, CANARY], 'all is well\n');
  const [dns, http] = [await freePort(), await freePort()];
  const own = new Reader((text) =>
    text
      .replaceAll('127.0.0.1:8053', `127.0.0.1:${http}`)
      .replaceAll('198.51.100.11', EDGES[0])
      .replaceAll('$TOKEN', TOKEN),
  );
  reader = own;
  own.write('health.txt', 'all is well\n');
  own.write('edges/mynet', `${[...EDGES, DEAD].join('\n')}\n`);
  own.write('zones/mynet/example.com.zone', 'mail 3600 IN A 127.79.1.25\n');
  own.write('zones/mynet/broken.example.zone', 'mail 3600 IN A not-an-address\n');
  own.write('canaries/mynet', `example.com: ${CANARY}\n`);
  own.write('admin.tokens', `bob ${TOKEN}\n`, 0o600);
  own.write(
    'edgemanage.yaml',
    `testobject: {host: www.example.com, port: ${edges.port}, proto: http, uri: /health.txt, local: health.txt}
dns: {ns_records: [ns1.example.net.], soa_nameserver: ns1.example.net., soa_mailbox: hostmaster.example.net.}
edge_count: 2
goodenough: 0.7
run_frequency: 2
edgelist_dir: edges
zonetemplate_dir: zones
canary_files: canaries/{dnet}
healthdata_store: ${own.folder}/state/health
statefile: ${own.folder}/state/{dnet}.state
lockfile: ${own.folder}/state/lock
server: {listen: "127.0.0.1:${dns}"}
http: {listen: "127.0.0.1:${http}", admin: {tokens: admin.tokens}}
`,
  );
  await own.sh('edgewise serve -c edgemanage.yaml >out 2>&1 & echo $! >pid');
  await eventually(
    async () => (await own.sh(`curl -sf http://127.0.0.1:${http}/readyz`)).status,
    (status) => status === 0,
  );
  base = `http://127.0.0.1:${http}`;
});
let base = '';
afterAll(async () => {
  await reader.sh('kill "$(cat pid)"; while kill -0 "$(cat pid)" 2>/dev/null; do sleep 0.1; done');
  await reader.close();
  edges.close();
});

test('every command of the page is answered', async () => {
  await reader.follow('docs/api.md');
  const asked = reader.seen.flatMap(({ commands }) => commands.match(/^curl /gm) ?? []);
  expect(asked.length).toBeGreaterThanOrEqual(9);
});

test('every read of a running server is as it is described', async () => {
  const changes = await eventually(
    async () => (await fetchDescribed(`${base}/api/v1/networks/mynet/changes`)).json as { changes: unknown[] },
    (found) => found.changes.length > 0,
  );
  expect(changes).toMatchObject({ changes: [{ live: EDGES }], earlier: null });
  const edge = await eventually(
    async () => (await fetchDescribed(`${base}/api/v1/networks/mynet/edges/${DEAD}`)).json,
    (found) => (found as { samples: unknown[] }).samples.length > 1,
  );
  expect(edge).toMatchObject({ state: 'out', judgement: 'fail', explanation: { live: false } });

  for (const { method, path, tag } of OPERATIONS) {
    if (method !== 'GET' || tag === null) continue;
    const own = path.replace('{network}', 'mynet').replace('{zone}', 'example.com').replace('{edge}', EDGES[1]);
    const { status } = await fetchDescribed(`${base}${own}?dnet=mynet`);
    expect([path, status]).toEqual([path, path === '/healthz' ? 503 : path === '/api/v1/vantage' ? 404 : 200]);
  }
  const { json } = await fetchDescribed(`${base}/api/v1/zones?state=broken&limit=1`);
  expect(json).toMatchObject({ zones: [{ zone: 'broken.example', serial: null }], next: null });
});

test('refusals are problems as they are described', async () => {
  const mode = `${base}/api/v1/networks/mynet/edges/${DEAD}/mode`;
  const sent = { method: 'PUT', body: '{"mode":"available"}', headers: { 'content-type': 'application/json' } };
  expect((await fetchDescribed(mode, sent)).status).toBe(401);
  const wrong = { ...sent, headers: { ...sent.headers, authorization: 'Bearer wrong' } };
  expect((await fetchDescribed(`${base}/api/edge/config`, wrong)).status).toBe(401);
  const right = { ...sent, body: '{"mode":"off"}', headers: { ...sent.headers, authorization: `Bearer ${TOKEN}` } };
  expect((await fetchDescribed(`${base}/api/edge/config`, right)).status).toBe(422);
  expect((await fetchDescribed(`${base}/api/v1/zones?limit=0`)).status).toBe(400);
  expect((await fetchDescribed(`${base}/api/v1/networks/mynet/edges/nobody`)).status).toBe(404);
});

test('docs/admin.md: a token, a mode, a change that is stale, the end', async () => {
  const { length } = reader.seen;
  await reader.follow('docs/admin.md', async (commands) => {
    if (!commands.includes('read_tag()')) return;
    // The page's "systemctl reload edgewise": once it is over the new token is known.
    await reader.sh('kill -HUP "$(cat pid)"');
    const ask = `curl -s -o ignored -w '%{http_code}' --json '{}' ${base}/api/v1/networks/none/update`;
    await eventually(
      () => reader.sh(`${ask} -H "Authorization: Bearer $(awk '$1 == "alice" { print $2 }' admin.tokens)"`),
      ({ stdout }) => stdout === '404',
    );
  });
  const [, modes = '', posts = ''] = reader.seen.slice(length).map(({ output }) => output);
  const answers = modes
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  expect(answers).toMatchObject([
    { edge: EDGES[0], mode: 'unavailable', comment: '[alice] new disk', live: expect.not.arrayContaining([EDGES[0]]) },
    { status: 412 },
    { edge: EDGES[0], mode: 'available', comment: '' },
  ]);
  expect(posts.trim().split('\n')).toHaveLength(3);
});
