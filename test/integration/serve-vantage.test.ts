import { afterAll, beforeAll, expect, test } from 'vitest';
import type { VantageJson } from '../../src/server/control/api-json.ts';
import { type Vantage, Vantages } from '../chaos/vantages.ts';

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
  const shown = await get<VantageJson>(alarmed, '/api/v1/vantage');
  expect(shown.networks[0].suspects).toMatchObject([{ edge, says: [{ vantage: 'a', up: false }, {}, {}] }]);
  const metrics = (await alarmed.server?.get('/metrics'))?.text ?? '';
  expect(metrics).toContain(`edgewise_edge_suspect{network="mynet",edge="${edge}"} 1`);
  expect(metrics).toContain('edgewise_vantage_counting{network="mynet"} 3');
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
