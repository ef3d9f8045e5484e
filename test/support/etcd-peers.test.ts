import { afterEach, expect, test } from 'vitest';
import { EtcdCluster } from './etcd.ts';

let etcd: EtcdCluster | null = null;

afterEach(async () => {
  await etcd?.stop();
  etcd = null;
});

async function revision(cluster: EtcdCluster, member: number): Promise<number> {
  const answer = await cluster.call('/v3/kv/range', { key: Buffer.from('a').toString('base64') }, member);
  return Number((answer as { readonly header: { readonly revision: string } }).header.revision);
}

test('three members: a paused and a killed leader are followed by another; wiped and restored', async () => {
  etcd = await EtcdCluster.start({ members: 3 });
  await etcd.put('a', 'one');
  const snapshot = await etcd.snapshot();
  await etcd.put('a', 'two');
  const first = await etcd.leader();
  etcd.pause(first);
  await expect(etcd.call('/health', null, first)).rejects.toThrow();
  const second = await etcd.leader();
  expect(second).not.toBe(first);
  etcd.resume(first);
  await etcd.kill(second);
  expect(await etcd.leader()).not.toBe(second);
  await etcd.restart(second);
  await etcd.healthy();
  expect(await etcd.get('a')).toBe('two');
  await etcd.compact();

  const before = await revision(etcd, 0);
  await etcd.restore(snapshot);
  expect(await etcd.get('a')).toBe('one');
  expect(await revision(etcd, 0)).toBeLessThan(before);

  await etcd.wipe();
  expect(await etcd.get('a')).toBeNull();
});

test('TLS with a client certificate, and users', async () => {
  etcd = await EtcdCluster.start({ tls: true, auth: true });
  expect(etcd.endpoints[0]).toMatch(/^https:/);
  await etcd.put('edgewise/x', 'one');
  expect(await etcd.get('edgewise/x')).toBe('one');
  const { stdout } = await etcd.etcdctl('get', 'edgewise/x', '--print-value-only');
  expect(stdout).toBe('one\n');
});
