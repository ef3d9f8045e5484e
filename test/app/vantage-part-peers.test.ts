/** The part of a server that agrees with other vantages, beside a real etcd. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Reload } from '../../src/app/part.ts';
import { VantagePart } from '../../src/app/vantage/vantage-part.ts';
import { makeContents } from '../../src/vantage/etcd/contents/contents.ts';
import { BASE, parse } from '../config/config-fixture.ts';
import { EtcdCluster } from '../support/etcd.ts';
import { throwingGuard } from '../support/guard.ts';

const WAIT = { timeout: 60_000 };
let cluster: EtcdCluster;
beforeAll(async () => {
  cluster = await EtcdCluster.start({ members: 1 });
}, 60_000);
afterAll(async () => cluster?.stop());

test('a network that is gone after a reload keeps nobody from deciding, even if a late round says so', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgewise-vantage-'));
  const endpoints = JSON.stringify(cluster.endpoints);
  const vantage = `vantage: {name: a, engine: etcd, endpoints: ${endpoints}, members: [a, b], lease: 2}`;
  const { config, faults } = parse(`${BASE}\nstate_dir: ${folder}\n${vantage}\n`);
  if (config === null) throw new Error(JSON.stringify(faults));
  const part = new VantagePart({
    config,
    log: () => undefined,
    guard: throwingGuard(),
    onChange: () => undefined,
    onContents: () => undefined,
    takeContents: async () => undefined,
    makeContents,
  });
  const decides = (isOurs: boolean) => vi.waitFor(() => expect(part.sets?.role().isOurs).toBe(isOurs), WAIT);
  try {
    await part.part.start();
    await decides(true);
    const gone = part.of('gone')?.sets;
    gone?.setFit(false);
    await decides(false);
    const networks = new Map([['stays', {}]]);
    const reload = { was: config, config, lists: { networks, faults: [] } } as unknown as Reload;
    const prepared = await part.part.prepare(reload);
    if (prepared.ok) await prepared.commit();
    await decides(true);
    gone?.setFit(false);
    expect(part.sets?.role().isOurs).toBe(true);
    part.of('stays')?.sets?.setFit(false);
    await decides(false);
  } finally {
    await part.part.stop();
    rmSync(folder, { recursive: true });
  }
});
