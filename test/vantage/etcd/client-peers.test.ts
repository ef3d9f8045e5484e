import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { Secret } from '../../../src/system/secret.ts';
import { EtcdClient, type EtcdClientOptions } from '../../../src/vantage/etcd/client/client.ts';
import { Watch } from '../../../src/vantage/etcd/client/watch.ts';
import type { Answer } from '../../../src/vantage/etcd/client/wire.ts';
import { prefixEnd } from '../../../src/vantage/etcd/client/wire.ts';
import { ETCD_USER, EtcdCluster } from '../../support/etcd.ts';
import { throwingGuard } from '../../support/guard.ts';
import { LinkProxy } from '../../support/link-proxy.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function cluster(options: Parameters<typeof EtcdCluster.start>[0] = {}): Promise<EtcdCluster> {
  const etcd = await EtcdCluster.start(options);
  closers.push(() => etcd.stop());
  return etcd;
}

const WAIT = { timeout: 60_000 };
const NO_TLS = { ca: null, cert: null, key: null };

function clientOf(endpoints: readonly string[], options: Partial<EtcdClientOptions> = {}): EtcdClient {
  const client = new EtcdClient({ endpoints, timeoutMs: 15_000, user: null, tls: NO_TLS, ...options });
  closers.push(() => client.close());
  return client;
}

function value<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new Error(answer.fault.text);
  return answer.value;
}

const all = (prefix: string) => ({ key: prefix, end: prefixEnd(prefix) });

test('keys, transactions, leases, large values, and a watch through a compaction', async () => {
  const etcd = await cluster();
  const client = clientOf(etcd.endpoints);

  let hints = 0;
  const onChange = (): void => {
    hints += 1;
  };
  const watch = new Watch({ client, prefix: 'edgewise/', timeoutMs: 15_000, guard: throwingGuard(), onChange });
  closers.push(() => watch.stop());
  watch.start();
  await expect.poll(() => hints, WAIT).toBe(1);

  const octets = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet));
  const written = await client.put('edgewise/ä', octets);
  await client.put('edgewise/z', '');
  await client.put('other', 'x');
  await expect.poll(() => hints, WAIT).toBeGreaterThan(1);
  expect(written.ok && written.header.revision).toBe(2n);
  const found = value(await client.range(all('edgewise/')));
  expect(
    found.kvs.map(({ key, createRevision, modRevision, lease }) => [key, createRevision, modRevision, lease]),
  ).toEqual([
    ['edgewise/z', 3n, 3n, '0'],
    ['edgewise/ä', 2n, 2n, '0'],
  ]);
  expect(found.kvs[1]?.value.equals(octets)).toBe(true);
  expect(found.kvs[0]?.value).toHaveLength(0);
  expect(value(await client.range({ ...all('edgewise/'), limit: 1, keysOnly: true }))).toMatchObject({
    more: true,
    kvs: [{ key: 'edgewise/z' }],
  });
  expect(value(await client.range({ ...all('edgewise/'), minModRevision: 3n })).kvs).toHaveLength(1);
  expect(value(await client.range({ key: 'none' }))).toEqual({ kvs: [], more: false });

  const swap = (revision: bigint) =>
    client.txn({
      compare: [
        { key: 'edgewise/z', target: 'mod', revision },
        { key: 'none', target: 'create', revision: 0n },
      ],
      success: [
        { kind: 'put', key: 'edgewise/z', value: 'new' },
        { kind: 'range', range: { key: 'edgewise/z' } },
      ],
      failure: [
        { kind: 'range', range: { key: 'edgewise/z' } },
        { kind: 'range', range: { key: 'none' } },
      ],
    });
  expect(value(await swap(3n))).toMatchObject({ succeeded: true, ranges: [{ kvs: [{ value: Buffer.from('new') }] }] });
  expect(value(await swap(3n))).toMatchObject({
    succeeded: false,
    ranges: [{ kvs: [{ modRevision: 5n }] }, { kvs: [] }],
  });

  await etcd.compact();
  const before = hints;
  value(await client.put('edgewise/after', 'compaction'));
  await expect.poll(() => hints, WAIT).toBeGreaterThan(before);
  expect(watch.isLive()).toBe(true);

  const { id, ttl } = value(await client.grant(60));
  expect(ttl).toBe(60);
  value(await client.put('edgewise/leased', 'x', id));
  expect(value(await client.range({ key: 'edgewise/leased' })).kvs[0]?.lease).toBe(id);
  expect(value(await client.keepAlive(id))).toBe(60);
  value(await client.revoke(id));
  expect(value(await client.keepAlive(id))).toBe(0);
  expect(value(await client.range({ key: 'edgewise/leased' })).kvs).toEqual([]);
  expect(await client.put('edgewise/leased', 'x', id)).toMatchObject({
    ok: false,
    fault: { kind: 'refused', code: 5 },
  });

  const mebi = Buffer.alloc(1 << 20, 'x');
  for (const name of ['a', 'b', 'c', 'd', 'e']) value(await client.put(`large/${name}`, mebi));
  const three = value(await client.range({ ...all('large/'), limit: 3 }));
  expect(three.kvs.map((kv) => kv.value.length)).toEqual([1 << 20, 1 << 20, 1 << 20]);
  expect((await client.range(all('large/'))).ok).toBe(true);
  expect(await client.put('large/f', Buffer.alloc(2 << 20))).toMatchObject({ ok: false });
  value(await client.delete(all('large/')));
  expect(value(await client.range(all('large/'))).kvs).toEqual([]);
});

test('three members: a paused leader, a dead member and one that is cut off delay nothing for long', async () => {
  const etcd = await cluster({ members: 3 });
  const leader = await etcd.leader();
  const paused = etcd.endpoints[leader] ?? '';
  const client = clientOf([paused, ...etcd.endpoints.filter((endpoint) => endpoint !== paused)]);
  value(await client.put('a', '1'));
  etcd.pause(leader);
  await etcd.leader();
  value(await client.put('a', '2'));
  expect(value(await client.range({ key: 'a' })).kvs[0]?.value.toString()).toBe('2');
  etcd.resume(leader);
  await etcd.healthy();
  // What it took while it was paused may be carried out now: a put can happen twice.
  const other = (leader + 1) % 3;
  await etcd.kill(other);
  value(await client.put('a', '3'));
  await etcd.kill((leader + 2) % 3);
  const alone = await clientOf([paused], { timeoutMs: 3000 }).put('a', '4');
  expect(alone).toMatchObject({ ok: false, fault: { kind: 'unreachable' } });
});

test('a link that swallows everything: the request is answered elsewhere, and a watch that is told so goes on', async () => {
  const etcd = await cluster();
  const [direct = ''] = etcd.endpoints;
  const proxy = await LinkProxy.start({ address: '127.0.0.1', port: Number(new URL(direct).port) });
  closers.push(() => proxy.stop());
  const client = clientOf([`http://127.0.0.1:${proxy.port}`, direct], { timeoutMs: 4000 });
  let hints = 0;
  const onChange = (): void => {
    hints += 1;
  };
  const watch = new Watch({ client, prefix: 'a', timeoutMs: 4000, guard: throwingGuard(), onChange });
  closers.push(() => watch.stop());
  watch.start();
  await expect.poll(() => hints, WAIT).toBe(1);
  await proxy.set('half-open');
  value(await client.put('a', '1'));
  watch.restart('nothing was announced');
  await expect.poll(() => hints, WAIT).toBeGreaterThan(1);
});

test('TLS with a client certificate, users, and what is missing of them', async () => {
  const etcd = await cluster({ tls: true, auth: true });
  const files = etcd.tls;
  if (files === null) throw new Error('no TLS');
  const tls = {
    ca: readFileSync(files.caFile, 'utf8'),
    cert: readFileSync(files.certFile, 'utf8'),
    key: readFileSync(files.keyFile, 'utf8'),
  };
  const user = { name: ETCD_USER.user, password: new Secret(ETCD_USER.password) };
  const client = clientOf(etcd.endpoints, { tls, user });
  value(await client.put('edgewise/a', '1'));
  expect(await client.put('elsewhere', '1')).toMatchObject({ ok: false, fault: { kind: 'refused', code: 7 } });
  const { id } = value(await client.grant(60));
  expect(value(await client.keepAlive(id))).toBe(60);
  let hints = 0;
  const onChange = (): void => {
    hints += 1;
  };
  const watch = new Watch({ client, prefix: 'edgewise/', timeoutMs: 15_000, guard: throwingGuard(), onChange });
  closers.push(() => watch.stop());
  watch.start();
  await expect.poll(() => hints, WAIT).toBe(1);

  const text = async (other: EtcdClient): Promise<string> => {
    const answer = await other.put('edgewise/a', '2');
    return answer.ok ? 'stored' : answer.fault.text;
  };
  const wrong = { name: ETCD_USER.user, password: new Secret('wrong') };
  expect(await text(clientOf(etcd.endpoints, { tls, user: wrong }))).toMatch(/authentication failed/);
  expect(await text(clientOf(etcd.endpoints, { tls }))).toMatch(/wants a user and a password|permission denied/);
  expect(await text(clientOf(etcd.endpoints, { tls: { ...tls, ca: null }, user }))).toMatch(/UNABLE_TO|SELF_SIGNED/);
  expect(await text(clientOf(etcd.endpoints, { tls: { ...NO_TLS, ca: tls.ca }, user }))).toMatch(/broke off/);

  // The root changes our password meanwhile: tokens end, and the new password is none we know.
  await etcd.call('/v3/auth/user/changepw', { name: ETCD_USER.user, password: 'another' });
  expect(await text(client)).toMatch(/authentication failed/);
  await etcd.call('/v3/auth/user/changepw', { name: ETCD_USER.user, password: ETCD_USER.password });
  expect(await text(client)).toBe('stored');
});
