import { randomBytes } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import type { Stored } from '../../../src/vantage/engine.ts';
import { EtcdCluster } from '../../support/etcd.ts';
import { LinkProxy } from '../../support/link-proxy.ts';
import { codec, MEMBERS, makeNode, type Node, type NodeOptions, setOf, viewOf, WAIT } from './engine-fixture.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function cluster(members: 1 | 3 = 1): Promise<EtcdCluster> {
  const etcd = await EtcdCluster.start({ members });
  closers.push(() => etcd.stop());
  return etcd;
}

async function start(name: string, options: NodeOptions): Promise<Node> {
  const node = makeNode(name, options);
  closers.push(() => node.engine.stop());
  await node.engine.start();
  return node;
}

function propose(node: Node, serial: number, changes: Parameters<typeof setOf>[2] = {}): Promise<Stored> {
  const { agreement } = node.engine;
  if (agreement === null) throw new Error('no agreement');
  return agreement.propose(setOf(node, serial, changes));
}

/** The one that decides, as soon as all agree upon it. */
async function decider(nodes: readonly Node[]): Promise<Node> {
  const found = (): Node | undefined => {
    const [name, ...others] = new Set(nodes.map((node) => node.role().decider));
    return others.length === 0 ? nodes.find((node) => node.name === name && node.role().isOurs) : undefined;
  };
  await expect.poll(found, WAIT).toBeDefined();
  return found() as Node;
}

const linkTo = async (etcd: EtcdCluster): Promise<LinkProxy> => {
  const link = await LinkProxy.start({ address: '127.0.0.1', port: Number(new URL(etcd.endpoints[0] ?? '').port) });
  closers.push(() => link.stop());
  return link;
};

test('three vantages: views, one decider, one set everywhere, and another decider when it leaves', async () => {
  const etcd = await cluster();
  const options = { endpoints: etcd.endpoints, intervalMs: 5000 }; // what comes sooner comes by the watch
  const nodes = await Promise.all(MEMBERS.map((name) => start(name, options)));
  const [a, b, c] = nodes as [Node, Node, Node];
  a.engine.publishView(viewOf('fra1', 1));
  b.engine.publishView(viewOf('ams1', 1, { clock: Date.now() / 1000 - 3600 }));
  await expect
    .poll(
      () =>
        c.engine
          .views('cdn')
          .map(({ view }) => view.vantage)
          .sort(),
      WAIT,
    )
    .toEqual(['ams1', 'fra1']);
  await expect.poll(() => a.engine.views('cdn').map(({ view }) => view.vantage), WAIT).toEqual(['ams1']);
  expect(c.events).toContain('view cdn fra1');
  b.engine.publishView(viewOf('ams1', 2, { network: 'a/b %' }));
  await expect.poll(() => a.engine.views('a/b %')[0]?.view.turn, WAIT).toBe(2);
  expect(a.engine.views('a/b %')[0]?.age).toBeLessThan(60);

  const first = await decider(nodes);
  const { token } = first.role();
  expect(token).toMatch(/^\d+$/);
  expect(nodes.map((node) => node.role().token)).toEqual([token, token, token]);
  expect(await first.engine.agreement?.mayAct()).toBeNull();
  const others = nodes.filter((node) => node !== first);
  for (const node of others) {
    expect(await node.engine.agreement?.mayAct()).toMatch(/do not decide/);
    expect(await propose(node, 101)).toMatchObject({ kind: 'refused' });
  }
  expect(await propose(first, 101)).toEqual({ kind: 'stored' });
  expect(first.serial()).toBe(101);
  for (const node of nodes) await expect.poll(() => node.serial(), WAIT).toBe(101);
  expect(await propose(first, 102, { token: '1' })).toMatchObject({ kind: 'refused' });
  expect(await propose(first, 102)).toEqual({ kind: 'stored' });

  await first.engine.stop();
  const second = await decider(others);
  expect(second.role().token).not.toBe(token);
  expect(second.serial()).toBe(102);
  expect(await propose(second, 103)).toEqual({ kind: 'stored' });
  const late = await start(first.name, options);
  await expect.poll(() => late.serial(), WAIT).toBe(103);
  expect(late.events.filter((event) => event === 'decided cdn')).toHaveLength(1);

  // One that cannot decide gives it up at once.
  second.engine.agreement?.setCandidate(false);
  expect(second.role().isOurs).toBe(false);
  const third = await decider([late, ...others.filter((node) => node !== second)]);
  expect(third).not.toBe(second);
  const status = third.engine.vantages();
  expect(status.map(({ name }) => name).sort()).toEqual([...MEMBERS].sort());
  expect(status.find(({ isSelf }) => isSelf)).toMatchObject({ name: third.name, version: '9.9', reachable: true });
  expect(nodes.filter((node) => node !== first).flatMap(({ engine }) => engine.faults())).toEqual([]);
});

test('a proposal whose outcome is unknown is settled by what is stored; a decider that is cut off loses its role', async () => {
  const etcd = await cluster();
  const link = await linkTo(etcd);
  const [direct = ''] = etcd.endpoints;
  const near = { endpoints: [`http://127.0.0.1:${link.port}`], timeoutMs: 1000 };
  const a = await start('fra1', near);
  await decider([a]);
  expect(await propose(a, 101)).toEqual({ kind: 'stored' });

  // It is stored, and nobody says so.
  await link.set('no-answers');
  expect(await propose(a, 102)).toMatchObject({ kind: 'unknown' });
  expect(a.serial()).toBe(101);
  await link.set('pass');
  await expect.poll(() => a.serial(), WAIT).toBe(102);

  const b = await start('ams1', { endpoints: [direct] });
  const first = a.role().token;
  await link.set('half-open');
  await expect.poll(() => a.role().isOurs, WAIT).toBe(false);
  expect(a.engine.agreement?.isConnected()).toBe(false);
  expect(a.engine.faults()[0]).toMatch(/does not answer in time/);
  await decider([b]);
  expect(await propose(b, 103)).toEqual({ kind: 'stored' });
  expect(a.serial()).toBe(102);
  await link.set('pass');
  await expect.poll(() => a.serial(), WAIT).toBe(103);
  expect(await propose(a, 104, { token: first ?? '' })).toMatchObject({ kind: 'refused' });
  await expect.poll(() => a.role(), WAIT).toMatchObject({ decider: 'ams1', isOurs: false });
});

test('a set of an endpoint that answers is stored once, though another took the request as well', async () => {
  const etcd = await cluster();
  const link = await linkTo(etcd);
  const [direct = ''] = etcd.endpoints;
  const a = await start('fra1', { endpoints: [`http://127.0.0.1:${link.port}`, direct], timeoutMs: 3000 });
  await decider([a]);
  await link.set('no-answers');
  for (let serial = 101; serial <= 103; serial++) expect(await propose(a, serial)).toEqual({ kind: 'stored' });
  expect(a.serial()).toBe(103);
  expect(JSON.parse((await etcd.get('edgewise/test/sets/cdn')) ?? '').serial).toBe(103);
});

test('garbage is refused with a line each, and moves nothing; somebody else under our name is noticed', async () => {
  const etcd = await cluster();
  const options = { endpoints: etcd.endpoints, highest: () => 150 };
  const a = await start('fra1', options);
  await decider([a]);
  expect(await propose(a, 150)).toMatchObject({ kind: 'refused', why: expect.stringMatching(/150 is not later/) });
  expect(await propose(a, 151)).toEqual({ kind: 'stored' });
  const before = a.engine.agreement?.decided('cdn');
  const put = (key: string, value: string | Buffer): Promise<void> => etcd.put(`edgewise/test/${key}`, value);
  await put('sets/cdn', Buffer.alloc(1000, 0xff));
  await put('sets/x', codec.encodeDecidedSet(setOf(a, 999, { network: 'y' })));
  await put('sets/%zz', '{}');
  await put('sets/b', Buffer.alloc((1 << 20) + 1, ' '));
  await put('views/ams1/cdn', '[[[');
  await put('views/lon1/cdn', `{"v":1,"gzip":"${Buffer.alloc(600_000).toString('base64')}"}`);
  await put('views/mallory/cdn', codec.encodeView(viewOf('mallory', 1)));
  await put('views/ams1/other', codec.encodeView(viewOf('lon1', 1)));
  await put('nonsense', 'x');
  await expect.poll(() => a.engine.faults().length, WAIT).toBe(8);
  expect(a.engine.agreement?.decided('cdn')).toBe(before);
  expect(a.engine.agreement?.decided('x')).toBeNull();
  expect(a.engine.views('cdn')).toEqual([]);
  expect(a.log).toEqual(expect.arrayContaining([expect.stringMatching(/views\/mallory\/cdn is of no member/)]));
  expect(a.engine.vantages().find(({ name }) => name === 'ams1')?.problem).toMatch(/views\/ams1\//);
  // Who starts among it knows no set, and says why.
  const b = await start('ams1', options);
  expect(b.serial()).toBeNull();
  expect(b.engine.faults().join()).toMatch(/sets\/cdn cannot be read/);
  // The decider stores over it.
  expect(await propose(a, 152)).toEqual({ kind: 'stored' });
  await expect.poll(() => b.serial(), WAIT).toBe(152);

  a.engine.publishView(viewOf('fra1', 1));
  await expect.poll(() => b.engine.views('cdn')[0]?.view.turn, WAIT).toBe(1);
  await put('views/fra1/cdn', codec.encodeView(viewOf('fra1', 1, { boot: 'other' })));
  await expect
    .poll(() => a.engine.faults().join(), WAIT)
    .toMatch(/written by another server, too: vantage.name "fra1"/);
  // What a process that is gone had on its way comes late, and an earlier turn after a later one.
  await expect.poll(() => b.engine.views('cdn')[0]?.view.boot, WAIT).toBe('other');
  await put('views/fra1/cdn', codec.encodeView(viewOf('fra1', 99)));
  await put('views/fra1/cdn', codec.encodeView(viewOf('fra1', 5, { boot: 'other' })));
  await expect.poll(() => b.engine.views('cdn')[0]?.view.turn, WAIT).toBe(5);
  await put('views/fra1/cdn', codec.encodeView(viewOf('fra1', 4, { boot: 'other' })));
  await put('views/fra1/last', codec.encodeView(viewOf('fra1', 1, { network: 'last', boot: 'other' })));
  await expect.poll(() => b.engine.views('last').length, WAIT).toBe(1);
  expect(b.engine.views('cdn')[0]?.view).toMatchObject({ boot: 'other', turn: 5 });
});

test('a key of a decider that has no lease, and large sets', async () => {
  const etcd = await cluster();
  await etcd.put('edgewise/test/leader', 'ghost');
  const a = await start('fra1', { endpoints: etcd.endpoints });
  expect(a.role()).toMatchObject({ decider: 'ghost', isOurs: false });
  expect(a.engine.faults().join()).toMatch(/leader in etcd has no lease.*delete it/);
  await etcd.etcdctl('del', 'edgewise/test/leader');
  await decider([a]);
  const says = (octets: number) => {
    const detail = (): string => randomBytes(octets).toString('hex');
    const say = () => ['fra1', 'ams1'].map((vantage) => ({ vantage, up: true, detail: detail() }));
    return new Map(Array.from({ length: 10_000 }, (_, number) => [`e${number}`, say()]));
  };
  expect(await propose(a, 101, { says: says(5) })).toEqual({ kind: 'stored' });
  expect((await etcd.get('edgewise/test/sets/cdn'))?.slice(0, 20)).toMatch(/^\{"v":1,"gzip":"/);
  const b = await start('ams1', { endpoints: etcd.endpoints });
  await expect.poll(() => b.engine.agreement?.decided('cdn')?.says.size, WAIT).toBe(10_000);
  const refused = await propose(a, 102, { says: says(90) });
  expect(refused).toMatchObject({ kind: 'refused', why: expect.stringMatching(/at most 1048576 can be stored/) });
  // What nobody could read is not stored.
  const unread = await propose(a, 102, { live: [] });
  expect(unread).toMatchObject({ kind: 'refused', why: expect.stringMatching(/could not be read/) });
  expect(a.serial()).toBe(101);
});

test('etcd wiped, and restored from an older snapshot: noticed, and everything goes on', async () => {
  const etcd = await cluster();
  const nodes = await Promise.all(['fra1', 'ams1'].map((name) => start(name, { endpoints: etcd.endpoints })));
  const [a, b] = nodes as [Node, Node];
  a.engine.publishView(viewOf('fra1', 1));
  expect(await propose(await decider(nodes), 101)).toEqual({ kind: 'stored' });
  const snapshot = await etcd.snapshot();
  for (let serial = 102; serial < 110; serial++) await propose(await decider(nodes), serial);
  await expect.poll(() => b.serial(), WAIT).toBe(109);
  await etcd.wipe();
  for (const node of nodes)
    await expect.poll(() => node.engine.warnings().join(), WAIT).toMatch(/wiped, restored or replaced/);
  for (const node of nodes) await expect.poll(() => node.serial(), WAIT).toBeNull();
  expect(await propose(await decider(nodes), 110)).toEqual({ kind: 'stored' });
  for (const node of nodes) await expect.poll(() => node.serial(), WAIT).toBe(110);
  const put = () => etcd.get('edgewise/test/views/fra1/cdn');
  await expect.poll(put, WAIT).toMatch(/"turn":1/);

  await etcd.restore(snapshot);
  for (const node of nodes) await expect.poll(() => node.serial(), WAIT).toBe(101);
  expect(await propose(await decider(nodes), 111)).toEqual({ kind: 'stored' });
  for (const node of nodes) await expect.poll(() => node.serial(), WAIT).toBe(111);
});

test("three members: etcd's leader is stopped, and a member that goes on answers what it knew", async () => {
  const etcd = await cluster(3);
  const nodes = await Promise.all(
    ['fra1', 'ams1'].map((name) => start(name, { endpoints: etcd.endpoints, lease: 10 })),
  );
  expect(await propose(await decider(nodes), 101)).toEqual({ kind: 'stored' });
  const stopped = await etcd.leader();
  etcd.pause(stopped);
  await etcd.leader();
  expect(await propose(await decider(nodes), 102)).toEqual({ kind: 'stored' });
  for (const node of nodes) await expect.poll(() => node.serial(), WAIT).toBe(102);
  etcd.resume(stopped);
  await etcd.healthy();
  await etcd.compact();
  expect(await propose(await decider(nodes), 103)).toEqual({ kind: 'stored' });
  for (const node of nodes) await expect.poll(() => node.serial(), WAIT).toBe(103);
  for (const node of nodes) expect(node.engine.faults().join()).not.toMatch(/wiped/);
});
