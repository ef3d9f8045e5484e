import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { PublishJson } from '../../src/server/control/api/json.ts';
import { SECRET } from '../publish/providers/provider-snippets.ts';
import { nsupdate, type RunningPrimary, seenSet, startPrimary, ZONE } from '../publish/providers/rfc2136-fixture.ts';
import { EdgewiseServer, edgewise, eventually } from '../support/edgewise.ts';
import { Installation, NETWORK } from '../support/installation.ts';
import { MockFleet } from '../support/mock-fleet.ts';
import { listenKeys, publishingKeys } from '../support/serve-keys.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

/** A real server, real edges that die and return, and a real primary that is away meanwhile. */

const EDGES = ['127.96.1.1', '127.96.1.2', '127.96.1.3'];
const WWW = { name: `www.${ZONE}`, type: 'A' } as const;

let fleet: MockFleet;
let primary: RunningPrimary;
let proxy: TcpProxy;
let silent: TcpProxy;
let site: Installation;
let server: EdgewiseServer | null = null;

beforeAll(async () => {
  [fleet, primary] = await Promise.all([MockFleet.start(EDGES, 'anything'), startPrimary('bind')]);
  proxy = await TcpProxy.start({ address: '127.0.0.1', port: primary.port });
  silent = await TcpProxy.start({ address: '127.0.0.1', port: primary.port });
  await silent.set('hang');
});
afterAll(async () => {
  await Promise.all([fleet.close(), proxy.stop(), silent.stop()]);
  await primary.stop();
});

beforeEach(async () => {
  const to = (port: number): string => `127.0.0.1:${port}`;
  const target = { provider: 'rfc2136', network: NETWORK, key: 'upd.example.net.', zone: ZONE, ttl: 60 };
  site = await Installation.make({
    edges: EDGES,
    port: fleet.port,
    zones: { 'good.test': '' },
    keys: {
      ...publishingKeys(fleet.port, EDGES),
      transfer: { keys: [{ name: 'upd.example.net.', algorithm: 'hmac-sha256', secret: SECRET }] },
      publish: [
        { ...target, name: 'main', to: to(proxy.port), names: ['www'], every: 10 },
        { ...target, name: 'silent', to: to(silent.port), names: ['cloud'], timeout: 1 },
      ],
      ...(await listenKeys()),
    },
  });
});
afterEach(async () => {
  await server?.stop('SIGKILL');
  server = null;
  await fleet.behave(EDGES, { kind: 'ok' });
  await site.remove();
});

/** The set as BIND has it, once it is this. */
async function untilSet(addresses: readonly string[]): Promise<void> {
  const seen = await eventually(
    () => seenSet(primary.port, WWW),
    (set) => JSON.stringify(set?.addresses) === JSON.stringify(addresses),
  );
  expect(seen?.ttl).toBe(60);
}

async function targetNow(name: string): Promise<PublishJson> {
  const { text } = (await server?.get('/api/v1/publish')) ?? { text: '{"publish":[]}' };
  const found = (JSON.parse(text) as { publish: PublishJson[] }).publish.find(({ target }) => target === name);
  if (found === undefined) throw new Error(`no target ${name}: ${text}`);
  return found;
}

test('an edge dies and returns, and BIND is away meanwhile; a target that hangs delays nothing', async () => {
  server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
  await untilSet(EDGES);
  await fleet.behave(EDGES[0], { kind: 'refuse' });
  await untilSet(EDGES.slice(1));
  expect(await server.dig('good.test', 'A')).toEqual(expect.arrayContaining(EDGES.slice(1)));

  await proxy.set('refuse');
  await fleet.behave(EDGES[0], { kind: 'ok' });
  await eventually(
    () => targetNow('main'),
    ({ state }) => state === 'failing',
  );
  await fleet.behave(EDGES[1], { kind: 'refuse' });
  const now = [EDGES[0], EDGES[2]];
  const answers = await eventually(
    async () => (await server?.dig('good.test', 'A')) ?? [],
    (seen) => JSON.stringify([...seen].sort()) === JSON.stringify(now),
  );
  expect(answers).toHaveLength(2);
  const health = await eventually(
    async () => (await server?.get('/healthz')) ?? { status: 0, text: '' },
    ({ text }) => text.includes('network mynet: publish silent: '),
  );
  expect(health.status).toBe(503);
  expect(health.text).toMatch(/network mynet: publish main: .*127\.0\.0\.1:\d+/);
  expect(health.text).not.toContain(SECRET);
  expect((await seenSet(primary.port, WWW))?.addresses).toEqual(EDGES.slice(1));

  await proxy.set('pass');
  await untilSet(now);
  await eventually(
    () => targetNow('main'),
    ({ state }) => state === 'right',
  );
  // What commands read is written behind what is done.
  await expect
    .poll(() => edgewise(['explain', '-A', NETWORK, '--config', site.path('edgemanage.yaml')]))
    .toMatchObject({ stdout: expect.stringMatching(/published: main is as it should be since /) });
  const { text: metrics } = await server.get('/metrics');
  expect(metrics).toContain(`edgewise_provider_state{target="main",network="${NETWORK}",state="right"} 1`);
  expect(metrics).toContain(`edgewise_provider_state{target="silent",network="${NETWORK}",state="failing"} 1`);
});

test('-n says what would be done, and writes nothing', async () => {
  const before = await seenSet(primary.port, WWW);
  await fleet.behave(EDGES[2], { kind: 'refuse' });
  const ended = await edgewise(['run', '-n', '-A', NETWORK, '--config', site.path('edgemanage.yaml')]);
  expect(ended.stdout).toMatch(/^main: would do: www\.example\.test A: /m);
  expect(await seenSet(primary.port, WWW)).toEqual(before);
});

test('a server of -n says it as well, and again when the live set would change', async () => {
  // Whatever the tests before have left there.
  await nsupdate(primary.port, [`update delete ${WWW.name}. A`, `update add ${WWW.name}. 60 A 127.96.9.9`]);
  const before = await seenSet(primary.port, WWW);
  server = await EdgewiseServer.start(site.path('edgemanage.yaml'), ['-n']);
  await server.prints(new RegExp(`main: would do: www.example.test A: .*${EDGES[2]}`));
  await fleet.behave(EDGES[2], { kind: 'refuse' });
  await server.prints(new RegExp(`main: would do: www.example.test A: (?!.*${EDGES[2]}).*${EDGES[1]}`));
  expect(await targetNow('main')).toMatchObject({ state: 'differs', corrections: 0 });
  expect(await seenSet(primary.port, WWW)).toEqual(before);
});
