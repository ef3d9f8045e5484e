import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { VantageJson } from '../../src/server/control/api/json.ts';
import { type Vantage, Vantages } from '../chaos/vantages.ts';
import { eventually } from '../support/edgewise.ts';

/** Three servers that agree through an etcd of three members. */
let site: Vantages;
const START_MS = 120_000;

beforeAll(async () => {
  site = await Vantages.start({ block: 71 });
}, START_MS);
afterAll(() => site.stop(), START_MS);

async function get<T>({ server }: Vantage, path: string): Promise<T> {
  const reply = await server?.get(path);
  return JSON.parse(reply?.text ?? 'null') as T;
}

test('false alarm, death, a decider that is killed, no store, a restart without it', {
  timeout: START_MS,
}, async () => {
  await site.health(true);
  const [edge] = site.live;
  const before = await site.agreed(site.live);

  // One of three sees it dead: it is suspect, and nothing changes.
  const [alarmed] = site.all;
  site.die(edge, [alarmed]);
  await site.probed(edge, 3, site.all);
  await expect
    .poll(async () => (await get<VantageJson>(alarmed, '/api/v1/vantage')).networks[0].suspects)
    .toMatchObject([{ edge, says: [{ vantage: 'a', up: false }, {}, {}] }]);
  const metrics = async (): Promise<string> => (await alarmed.server?.get('/metrics'))?.text ?? '';
  await expect.poll(metrics).toContain(`edgewise_edge_suspect{network="mynet",edge="${edge}"} 1`);
  await expect.poll(metrics).toContain('edgewise_vantage_counting{network="mynet"} 3');
  expect(await site.agreed(site.live)).toBe(before);
  site.revive(edge);
  await site.probed(edge, 2, site.all);

  // All see it dead: all answer without it, under one serial.
  await site.ready();
  const died = site.flip();
  const after = await site.agreed(site.live);
  expect(after).toBeGreaterThan(before);
  expect(died).not.toBe('');

  // The decider is killed: another one decides.
  const decider = await site.decider();
  await decider.kill();
  await site.deciderIsNot(decider);
  await decider.begin();
  await site.agreed(site.live);

  // Without the store the same is answered, with an alarm, after a restart, too.
  const serial = await site.agreed(site.live);
  for (const vantage of site.all) await vantage.link('drop');
  await site.health(false);
  const restarted = site.all[2];
  await restarted.end();
  await restarted.begin();
  expect(await site.agreed(site.live)).toBe(serial);
  for (const vantage of site.all) await vantage.link('pass');
  await site.health(true);
  expect(site.violations()).toEqual([]);
});

test('reloads with other endpoints, another quorum, another name and members', { timeout: START_MS }, async () => {
  const serial = await site.agreed(site.live);
  const reload = async (vantage: Vantage, keys: Readonly<Record<string, unknown>>): Promise<void> => {
    const config = parse(await vantage.site.read('edgemanage.yaml')) as { vantage: object };
    await vantage.site.write('edgemanage.yaml', stringify({ ...config, vantage: { ...config.vantage, ...keys } }));
    vantage.server?.child.kill('SIGHUP');
  };
  const allCount = async (...names: readonly string[]): Promise<void> => {
    await eventually(
      () => Promise.all(site.all.map((vantage) => get<VantageJson>(vantage, '/api/v1/vantage'))),
      (seen) =>
        seen.every(
          ({ networks, decider, vantages }) =>
            networks[0]?.counting === 3 &&
            names.includes(decider?.vantage ?? '') &&
            isDeepStrictEqual(vantages.map(({ vantage }) => vantage).sort(), names),
        ),
    );
    await site.health(true);
  };

  // One after the other, the decider among them: nothing changes but who is asked, and how votes are counted.
  for (const vantage of site.all) {
    const { clientPort } = site.etcd.members[0];
    await reload(vantage, { endpoints: [`http://127.0.0.1:${clientPort}`], quorum: 'all' });
  }
  await allCount('a', 'b', 'c');
  for (const vantage of site.all) await vantage.link('drop'); // the links are not used any more
  const [edge] = site.live;
  site.die(edge, [site.all[0], site.all[1]]);
  await site.probed(edge, 3, site.all);
  expect(await site.agreed(site.live)).toBeGreaterThanOrEqual(serial); // one of all sees it well
  site.revive(edge);
  await site.probed(edge, 2, site.all);

  // One has another name, and all other members.
  const [, , last] = site.all;
  await reload(last, { name: 'd', members: ['a', 'b', 'd'], quorum: 'majority' });
  for (const vantage of site.others(last)) await reload(vantage, { members: ['a', 'b', 'd'], quorum: 'majority' });
  await allCount('a', 'b', 'd');
  expect((await get<VantageJson>(last, '/api/v1/vantage')).vantage).toBe('d');
  await site.ready(site.others(last)); // two are enough, and views of c come no more
  site.flip();
  expect(await site.agreed(site.live)).toBeGreaterThan(serial);
});
