import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PublishJson } from '../../src/server/control/api/json.ts';
import { type Vantage, Vantages } from '../chaos/vantages.ts';
import { SECRET } from '../publish/providers/provider-snippets.ts';
import { nsupdate, type RunningPrimary, seenSet, startPrimary, ZONE } from '../publish/providers/rfc2136-fixture.ts';
import { eventually } from '../support/edgewise.ts';
import { NETWORK } from '../support/installation.ts';

/** Three servers that agree through etcd, with one set at somebody else's BIND. */
let primary: RunningPrimary;
let site: Vantages;
const START_MS = 120_000;
const WWW = { name: `www.${ZONE}`, type: 'A' } as const;
const KEY = 'upd.example.net.';

beforeAll(async () => {
  primary = await startPrimary('bind');
  const to = `127.0.0.1:${primary.port}`;
  site = await Vantages.start({
    block: 72,
    keys: {
      transfer: {
        allow: [{ from: '127.0.0.1' }],
        keys: [{ name: KEY, algorithm: 'hmac-sha256', secret: SECRET }],
      },
      publish: [
        {
          provider: 'rfc2136',
          network: NETWORK,
          key: KEY,
          zone: ZONE,
          ttl: 60,
          name: 'main',
          to,
          names: ['www'],
          every: 10,
        },
      ],
    },
  });
}, START_MS);
afterAll(async () => {
  await site.stop();
  await primary.stop();
}, START_MS);

function untilSet(addresses: readonly string[]): Promise<unknown> {
  return eventually(
    () => seenSet(primary.port, WWW),
    (set) => JSON.stringify(set?.addresses) === JSON.stringify([...addresses].sort()),
  );
}

/** How often each has corrected the set since its start. */
async function corrections(nodes: readonly Vantage[]): Promise<readonly number[]> {
  return Promise.all(
    nodes.map(async ({ server }) => {
      const { text } = (await server?.get('/api/v1/publish')) ?? { text: '{"publish":[]}' };
      const { publish } = JSON.parse(text) as { readonly publish: readonly PublishJson[] };
      return publish.find(({ target }) => target === 'main')?.corrections ?? Number.NaN;
    }),
  );
}

const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0);

/** Who has not decided since a moment of `site.now()` corrected nothing. That somebody decides is recorded a moment later. */
async function onlyDecidersWrote(nodes: readonly Vantage[], since: number): Promise<void> {
  await eventually(
    async () => {
      const counts = await corrections(nodes);
      const decides = site.hasDecided(since);
      return nodes.filter((node, index) => counts[index] !== 0 && !decides(node)).map(({ name }) => name);
    },
    (wrongly) => wrongly.length === 0,
    10,
  );
}

test('the decider alone writes; when it is killed the next one writes, and sets right what was left', {
  timeout: START_MS,
}, async () => {
  await untilSet(site.live);
  const first = await site.decider();
  await site.ready();
  site.flip();
  await site.agreed(site.live);
  await untilSet(site.live);
  await onlyDecidersWrote(site.all, 0);
  expect(sum(await corrections(site.all))).toBeGreaterThanOrEqual(1);

  // Somebody else meddles just when the decider dies, and an edge dies after it.
  await first.kill();
  await nsupdate(primary.port, [`update delete ${WWW.name}. A`, `update add ${WWW.name}. 60 A 127.96.9.9`]);
  await site.deciderIsNot(first);
  await untilSet(site.live);
  await site.ready(site.others(first));
  site.flip();
  await untilSet(site.live);
  expect(sum(await corrections(site.others(first)))).toBeGreaterThanOrEqual(2);

  // The former one is back and decides no more.
  const back = site.now();
  await first.begin();
  await site.ready();
  site.flip();
  await site.agreed(site.live);
  await untilSet(site.live);
  await onlyDecidersWrote([first], back);
  expect(site.violations()).toEqual([]);
});
