import { afterAll, beforeAll, expect, test } from 'vitest';
import { EtcdClient } from '../../../src/vantage/etcd/client/client.ts';
import { etcdModeStore, modeKey, modesPrefix } from '../../../src/vantage/etcd/mode-store.ts';
import { EtcdCluster } from '../../support/etcd.ts';

let etcd: EtcdCluster;
let client: EtcdClient;
beforeAll(async () => {
  etcd = await EtcdCluster.start();
  const tls = { ca: null, cert: null, key: null };
  client = new EtcdClient({ endpoints: etcd.endpoints, timeoutMs: 15_000, user: null, tls });
});
afterAll(async () => {
  await client.close();
  await etcd.stop();
});

test('what is put by an expected revision is read, and nothing else', async () => {
  const store = etcdModeStore(client);
  const key = modeKey('edgewise/a', '2001:db8::1');
  expect(await store.read(modesPrefix('edgewise/a'))).toMatchObject({ ok: true, entries: [] });
  const first = await store.put(key, 'one', 0n);
  if (first.kind !== 'stored') throw new Error(first.kind);
  expect(await store.put(key, 'two', 0n)).toEqual({ kind: 'refused' });
  const second = await store.put(key, 'two', first.revision);
  if (second.kind !== 'stored') throw new Error(second.kind);
  await etcd.put(modeKey('edgewise/b', 'other'), 'x');
  expect(await store.read(modesPrefix('edgewise/a'))).toMatchObject({
    ok: true,
    clusterId: expect.stringMatching(/^\d+$/),
    entries: [{ key, value: Buffer.from('two'), revision: second.revision }],
  });
});

test('more than one answer holds', async () => {
  const keys = Array.from({ length: 600 }, (_, i) => modeKey('many', `edge-${String(i).padStart(3, '0')}`));
  for (let at = 0; at < keys.length; at += 100) {
    const success = keys.slice(at, at + 100).map((key) => ({ kind: 'put', key, value: key }) as const);
    expect(await client.txn({ compare: [], success, failure: [] })).toMatchObject({ ok: true });
  }
  const read = await etcdModeStore(client).read(modesPrefix('many'));
  expect(read.ok && read.entries.map(({ key }) => key)).toEqual(keys);
});
