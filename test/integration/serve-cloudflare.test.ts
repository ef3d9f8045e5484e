import { writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { PublishJson } from '../../src/server/control/api/json.ts';
import { EdgewiseServer, edgewise, eventually } from '../support/edgewise.ts';
import { Installation, NETWORK } from '../support/installation.ts';
import { MockCloudflare, type MockZone } from '../support/mock-cloudflare.ts';
import { MockFleet } from '../support/mock-fleet.ts';
import { listenKeys, publishingKeys } from '../support/serve-keys.ts';

/** A real server, real edges that die and return, and Cloudflare's API, which fails meanwhile. */

const EDGES = ['127.96.2.1', '127.96.2.2', '127.96.2.3'];
const TOKEN = 'secret-token-of-forty-characters-or-more-0';
const NAME = 'cloud.example.test';

let fleet: MockFleet;
let mock: MockCloudflare;
let zone: MockZone;
let site: Installation;
let server: EdgewiseServer | null = null;

beforeAll(async () => {
  [fleet, mock] = await Promise.all([MockFleet.start(EDGES, 'anything'), MockCloudflare.start()]);
});
afterAll(() => Promise.all([fleet.close(), mock.stop()]));

beforeEach(async () => {
  mock.zones.splice(0);
  mock.always = null;
  mock.tokens.set(TOKEN, { mayEdit: true, mayReadZone: true, zones: null });
  zone = mock.addZone('example.test');
  mock.addRecord(zone, { type: 'A', name: NAME, content: '127.96.2.99', ttl: 60, comment: 'made by hand' });
  mock.addRecord(zone, { type: 'TXT', name: NAME, content: 'unrelated' });
  site = await Installation.make({
    edges: EDGES,
    port: fleet.port,
    zones: { 'good.test': '' },
    keys: {
      ...publishingKeys(fleet.port, EDGES),
      publish: [
        {
          provider: 'cloudflare',
          network: NETWORK,
          name: 'main',
          zone: 'example.test',
          names: ['cloud'],
          token_file: 'cloudflare.token',
          api: mock.api,
          timeout: 2,
        },
      ],
      ...(await listenKeys()),
    },
  });
  await writeFile(site.path('cloudflare.token'), `${TOKEN}\n`, { mode: 0o600 });
});
afterEach(async () => {
  await server?.stop('SIGKILL');
  server = null;
  await fleet.behave(EDGES, { kind: 'ok' });
  await site.remove();
});

function addresses(): readonly string[] {
  return zone.records
    .filter(({ name, type }) => name === NAME && type === 'A')
    .map(({ content }) => content)
    .sort();
}

async function until(expected: readonly string[]): Promise<void> {
  await eventually(
    async () => addresses(),
    (seen) => JSON.stringify(seen) === JSON.stringify(expected),
  );
}

/** Until the target fails with this sentence, which `/healthz` repeats, without the token. */
async function untilProblem(sentence: RegExp): Promise<void> {
  await eventually(
    async () => {
      const { text } = (await server?.get('/api/v1/publish')) ?? { text: '{"publish":[]}' };
      return (JSON.parse(text) as { publish: readonly PublishJson[] }).publish[0]?.problem ?? '';
    },
    (problem) => sentence.test(problem),
  );
  const health = await eventually(
    async () => (await server?.get('/healthz')) ?? { status: 0, text: '' },
    ({ text }) => text.includes('publish main: '),
  );
  expect(health.status).toBe(503);
  expect(health.text).not.toContain(TOKEN);
}

test('an edge dies and returns, and the API is in trouble, refuses the token, limits and hangs meanwhile', async () => {
  const byHand = zone.records[0]?.id;
  server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
  await until(EDGES);
  // A record that was there lives on with another address.
  expect(zone.records.find(({ id }) => id === byHand)).toMatchObject({ comment: 'made by hand' });

  mock.always = { kind: 'answer', status: 503, body: '<html>upstream</html>' };
  await fleet.behave(EDGES[0], { kind: 'refuse' });
  await untilProblem(/status 503/);
  mock.always = null;
  await until(EDGES.slice(1));

  mock.tokens.clear();
  await fleet.behave(EDGES[0], { kind: 'ok' });
  await untilProblem(/Zone \/ DNS \/ Edit/);
  expect(addresses()).toEqual(EDGES.slice(1));
  mock.tokens.set(TOKEN, { mayEdit: true, mayReadZone: true, zones: null });
  await until(EDGES);

  mock.always = { kind: 'answer', status: 429, headers: { 'retry-after': '2' }, body: '' };
  await fleet.behave(EDGES[1], { kind: 'refuse' });
  await untilProblem(/takes no more requests for now; asked again in \d+ s/);
  mock.always = { kind: 'hang' };
  await untilProblem(/no answer within/);
  const answers = await eventually(
    async () => (await server?.dig('good.test', 'A')) ?? [],
    (seen) => !seen.includes(EDGES[1] ?? ''),
  );
  expect(answers).toHaveLength(2);
  mock.always = null;
  await until([EDGES[0] ?? '', EDGES[2] ?? '']);
  expect(zone.records.filter(({ type }) => type === 'TXT')).toHaveLength(1);
});

test('-n says what would be done, and writes nothing', async () => {
  const asked = mock.requests.length;
  const ended = await edgewise(['run', '-n', '-v', '-A', NETWORK, '--config', site.path('edgemanage.yaml')]);
  expect(`${ended.stdout}${ended.stderr}`).toMatch(
    /main: would do: cloud\.example\.test A: adds .*removes 127\.96\.2\.99/,
  );
  expect(mock.requests.slice(asked).map(({ method }) => method)).not.toContain('POST');
  expect(mock.requests.length).toBeGreaterThan(asked);
  expect(addresses()).toEqual(['127.96.2.99']);
});
