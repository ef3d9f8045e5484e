import { afterAll, beforeAll, expect, test } from 'vitest';
import type { VantageJson } from '../../src/server/control/api/json.ts';
import { Edges } from '../chaos/edges.ts';
import { Vantage } from '../chaos/vantages.ts';
import { decodeMessage } from '../support/dns-message.ts';
import { encodeQuery } from '../support/dns-query.ts';
import { Installation, OBJECT } from '../support/installation.ts';
import { askOnce } from '../support/peers.ts';
import { freePort } from '../support/ports.ts';

/** Three servers that ask each other: an edge's change is believed when one of the other two agrees. */
const BLOCK = 72;
const EDGES = [1, 2, 3].map((i) => `127.${BLOCK}.0.${i}`);
const NAMES = ['a', 'b', 'c'];
const ZONE = 'z.test';
const LIMIT_MS = 120_000;
let edges: Edges;
let all: readonly Vantage[] = [];
let ports: readonly number[] = [];

beforeAll(async () => {
  edges = await Edges.start(EDGES, OBJECT);
  ports = await Promise.all(NAMES.map(() => freePort()));
  all = await Promise.all(
    NAMES.map(async (name, i) => {
      const dnsPort = await freePort();
      const site = await Installation.make({
        edges: EDGES,
        port: edges.port,
        zones: { [ZONE]: '' },
        // The last is the spare on all of them.
        speeds: Object.fromEntries(EDGES.map((edge, n) => [edge, n === EDGES.length - 1 ? 2.5 : 0.1])),
        keys: {
          edge_count: 2,
          run_frequency: 1,
          dnschange_maxfreq: 100_000,
          logpath: null,
          named_dir: null,
          server: { listen: [`127.0.0.1:${dnsPort}`], udp_workers: 1 },
          http: { listen: `127.0.0.1:${await freePort()}` },
          vantage: {
            name,
            engine: 'peers',
            listen: `127.0.0.1:${ports[i]}`,
            key_file: 'peers.key',
            peers: NAMES.flatMap((peer, n) =>
              peer === name ? [] : [{ name: peer, url: `http://127.0.0.1:${ports[n]}` }],
            ),
            min_peers_agree: 1,
          },
        },
      });
      await site.write('peers.key', `hex:${'5a'.repeat(32)}\n`);
      return new Vantage(name, `127.${BLOCK}.1.${i + 1}`, site, dnsPort, [], `127.${BLOCK}.0.`);
    }),
  );
  for (const vantage of all) vantage.launch();
  for (const { server } of all) await server?.ready();
}, LIMIT_MS);
afterAll(async () => {
  for (const vantage of all) {
    await vantage.end();
    await vantage.site.remove();
  }
  await edges.close();
}, LIMIT_MS);

const QUERY = encodeQuery({ name: ZONE, type: 'A' });

async function eventually<T>(look: () => Promise<T>, isRight: (seen: T) => boolean): Promise<T> {
  const until = performance.now() + LIMIT_MS / 2;
  for (;;) {
    const seen = await look();
    if (isRight(seen)) return seen;
    if (performance.now() > until) throw new Error(`it stays ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Asked again where no answer comes, as resolvers do. */
async function answered({ dnsPort }: Vantage): Promise<readonly string[]> {
  const reply = await eventually(
    () => askOnce(dnsPort, QUERY, 500),
    (message) => message !== null,
  );
  return decodeMessage(reply ?? Buffer.of()).answer.map(({ text }) => text);
}

async function shown({ server }: Vantage): Promise<VantageJson> {
  return JSON.parse((await server?.get('/api/v1/vantage'))?.text ?? 'null') as VantageJson;
}

const sources = (of: readonly Vantage[]): readonly string[] => of.map(({ source }) => source);

/** Each of these has asked the edge so often more. */
async function probed(edge: string, times: number, by: readonly Vantage[]): Promise<void> {
  const count = (): readonly number[] => by.map(({ source }) => edges.asked(edge, source));
  const before = count();
  await eventually(
    async () => count(),
    (now) => now.every((one, i) => one - before[i] >= times),
  );
}

test('one that is alone in what it sees changes nothing, two act, and each for itself', {
  timeout: LIMIT_MS,
}, async () => {
  const [a, b, c] = all;
  // All count each other.
  await eventually(
    () => Promise.all(all.map(shown)),
    (seen) => seen.every(({ networks }) => networks[0]?.counting === 3),
  );
  for (const vantage of all)
    await eventually(
      () => answered(vantage),
      (seen) => seen.length === 2,
    );
  const [edge] = await answered(a);

  edges.die(edge, sources([a]));
  await probed(edge, 4, all);
  for (const vantage of all) expect(await answered(vantage)).toContain(edge);
  await expect.poll(async () => (await shown(a)).networks[0].suspects).toMatchObject([{ edge }]);
  await expect.poll(async () => (await a.server?.get('/healthz'))?.status).toBe(200); // suspect is no fault

  // A stranger's request is refused and counted.
  const refused = await fetch(`http://127.0.0.1:${ports[0]}/vantage`, { method: 'POST', body: 'x'.repeat(100) });
  expect(refused.status).toBe(401);
  const metrics = (await a.server?.get('/metrics'))?.text ?? '';
  expect(metrics).toContain('# TYPE edgewise_peers_refused_total counter');
  expect(metrics).toContain('edgewise_peers_refused_total{kind="wrong-key"} 1\n');
  expect(metrics).toContain('edgewise_peers_refused_total{kind="replayed"} 0\n');

  edges.die(edge, sources([a, b]));
  for (const vantage of [a, b])
    await eventually(
      () => answered(vantage),
      (seen) => !seen.includes(edge),
    );
  expect(await answered(c)).toContain(edge); // it sees the edge well

  edges.revive(edge, sources(all));
  await probed(edge, 3, all);
  // With nobody to agree, one that sees another die does not believe it alone.
  for (const vantage of [b, c]) await vantage.end();
  const [other] = await answered(a);
  edges.die(other, sources([a]));
  await probed(other, 5, [a]);
  expect(await answered(a)).toContain(other);
  const health = await eventually(
    async () => await a.server?.get('/healthz'),
    (seen) => seen?.text.includes('views that do not count: b') === true,
  );
  expect(health?.status).toBe(503);
});
