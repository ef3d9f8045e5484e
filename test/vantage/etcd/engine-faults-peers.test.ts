import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, test, vi } from 'vitest';
import { Guard } from '../../../src/system/guard.ts';
import type { Role, Stored } from '../../../src/vantage/engine.ts';
import { EtcdClient } from '../../../src/vantage/etcd/client/client.ts';
import { Watch } from '../../../src/vantage/etcd/client/watch.ts';
import { keysOf } from '../../../src/vantage/etcd/keys.ts';
import { Sets } from '../../../src/vantage/etcd/sets.ts';
import { readEtcdSettings } from '../../../src/vantage/etcd/settings.ts';
import { ETCD_USER, EtcdCluster } from '../../support/etcd.ts';
import { throwingGuard } from '../../support/guard.ts';
import { LinkProxy } from '../../support/link-proxy.ts';
import { codec, MEMBERS, makeNode, type Node, type NodeOptions, setOf, viewOf, WAIT } from './engine-fixture.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function cluster(options: Parameters<typeof EtcdCluster.start>[0] = {}): Promise<EtcdCluster> {
  const etcd = await EtcdCluster.start(options);
  closers.push(() => etcd.stop());
  return etcd;
}

async function start(name: string, options: NodeOptions): Promise<Node> {
  const node = makeNode(name, options);
  closers.push(() => node.engine.stop());
  await node.engine.start();
  return node;
}

async function propose({ engine }: Node, set: ReturnType<typeof setOf>): Promise<Stored | undefined> {
  return engine.agreement?.propose(set);
}

test('a decider that is stopped for longer than its lease stores nothing when it goes on', async () => {
  const etcd = await cluster();
  const { endpoints } = etcd;
  const dist = join(import.meta.dirname, '../../../dist');
  const options = JSON.stringify({ endpoints, dist, name: 'fra1', members: MEMBERS, lease: 2 });
  const child = spawn(process.execPath, [join(import.meta.dirname, 'decider-process.mjs'), options]);
  const exited = once(child, 'exit');
  closers.push(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const said: (Role | Stored)[] = [];
  createInterface(child.stdout).on('line', (line) => said.push(JSON.parse(line)));
  const isDecider = (): boolean => said.some((one) => 'isOurs' in one && one.isOurs);
  await expect.poll(() => isDecider() || errors, WAIT).toBe(true);

  const b = await start('ams1', { endpoints, lease: 2 });
  expect(b.role()).toMatchObject({ decider: 'fra1', isOurs: false });
  const { token } = b.role();
  const ask = (serial: number): boolean =>
    child.stdin.write(`${codec.encodeDecidedSet(setOf(b, serial, { by: 'fra1', token: token ?? '' }))}\n`);
  ask(101);
  await expect.poll(() => b.serial(), WAIT).toBe(101);
  child.kill('SIGSTOP');
  ask(102); // it has read nothing of it yet
  await expect.poll(() => b.role().isOurs, WAIT).toBe(true);
  expect(await propose(b, setOf(b, 103))).toEqual({ kind: 'stored' });
  child.kill('SIGCONT');
  await expect
    .poll(() => said.filter((one) => 'kind' in one), WAIT)
    .toMatchObject([{ kind: 'stored' }, { kind: 'refused' }]);
  await expect.poll(() => said.at(-1), WAIT).toMatchObject({ decider: 'ams1', isOurs: false });
  expect(JSON.parse((await etcd.get('edgewise/test/sets/cdn')) ?? '')).toMatchObject({ serial: 103, by: 'ams1' });
  expect(errors).toBe('');
});

test('etcd itself refuses the token of a former decider, and a set that another was stored before', async () => {
  const etcd = await cluster();
  const { endpoints } = etcd;
  const a = await start('fra1', { endpoints });
  await expect.poll(() => a.role().isOurs, WAIT).toBe(true);
  const former = a.role().token ?? '';
  a.engine.agreement?.setCandidate(false);
  const b = await start('ams1', { endpoints });
  await expect.poll(() => b.role().isOurs, WAIT).toBe(true);
  expect(await propose(b, setOf(b, 101))).toEqual({ kind: 'stored' });

  const client = new EtcdClient({ endpoints, timeoutMs: 10_000, user: null, tls: { ca: null, cert: null, key: null } });
  closers.push(() => client.close());
  const keys = keysOf('edgewise/test');
  let token = former;
  // One that still takes itself for the decider, as a process does that was stopped between looking and writing.
  const sets = new Sets({
    client,
    keys,
    codec,
    leadership: {
      role: () => ({ decider: 'fra1', token, isOurs: true, since: 0 }),
      holds: (held) => ({ key: keys.leader, target: 'create', revision: BigInt(held) }),
    },
    guard: throwingGuard(),
    log: () => undefined,
    events: { onDecided: () => undefined },
    contents: { highest: () => 0, compares: () => [] },
  });
  const answer = await client.range({ key: keys.leader });
  if (!answer.ok) throw new Error(answer.fault.text);
  const look = await sets.look({ client, header: answer.header, isReset: true, sinceLast: 0 });
  if (!look.ok) throw new Error(look.text);
  look.apply();
  expect(sets.decided('cdn')?.serial).toBe(101);
  const fenced = await sets.propose(setOf(a, 102, { token }));
  expect(fenced).toEqual({ kind: 'refused', why: 'another vantage decides by now' });
  token = b.role().token ?? '';
  expect(await propose(b, setOf(b, 103))).toEqual({ kind: 'stored' });
  const overtaken = await sets.propose(setOf(a, 104, { token }));
  expect(overtaken).toEqual({ kind: 'refused', why: 'another set or content was stored meanwhile' });
  expect(JSON.parse((await etcd.get('edgewise/test/sets/cdn')) ?? '').serial).toBe(103);
});

test('a full etcd is a sentence; what it has is served, and what waits is stored when there is room again', async () => {
  const etcd = await cluster();
  const a = await start('fra1', { endpoints: etcd.endpoints });
  await expect.poll(() => a.role().isOurs, WAIT).toBe(true);
  expect(await propose(a, setOf(a, 101))).toEqual({ kind: 'stored' });
  await etcd.call('/v3/maintenance/alarm', { action: 'ACTIVATE', memberID: '0', alarm: 'NOSPACE' });
  const why = expect.stringMatching(/out of space \(alarm NOSPACE\)/);
  expect(await propose(a, setOf(a, 102))).toEqual({ kind: 'refused', why });
  a.engine.publishView(viewOf('fra1', 1));
  await expect.poll(() => a.engine.faults(), WAIT).toEqual([why]);
  expect(a.serial()).toBe(101);
  expect(a.role().isOurs).toBe(true);
  // No lease can be had either, so nobody takes over what is given up.
  a.engine.agreement?.setCandidate(false);
  a.engine.agreement?.setCandidate(true);
  await expect.poll(() => a.engine.faults().join(), WAIT).toMatch(/nobody decides, and we cannot: .*NOSPACE/);
  expect(a.serial()).toBe(101);
  await etcd.call('/v3/maintenance/alarm', { action: 'DEACTIVATE', memberID: '0', alarm: 'NOSPACE' });
  await expect.poll(() => a.role().isOurs, WAIT).toBe(true);
  await expect.poll(() => a.engine.faults(), WAIT).toEqual([]);
  expect(await etcd.get('edgewise/test/views/fra1/cdn')).toMatch(/"turn":1/);
  expect(await propose(a, setOf(a, 102))).toEqual({ kind: 'stored' });
});

test('settings with certificates and a password, from files; what is wrong with them', async () => {
  const etcd = await cluster({ tls: true, auth: true });
  const folder = mkdtempSync(join(tmpdir(), 'edgewise-etcd-settings-'));
  closers.push(() => rmSync(folder, { recursive: true }));
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, `${ETCD_USER.password}\n`, { mode: 0o600 });
  if (etcd.tls === null) throw new Error('no TLS');
  const vantage = {
    engine: 'etcd',
    name: 'fra1',
    endpoints: etcd.endpoints,
    prefix: 'edgewise/test',
    members: MEMBERS,
    quorum: 'majority',
    user: ETCD_USER.user,
    passwordFile,
    tls: etcd.tls,
    lease: 4,
    timeout: 4,
  } as const;
  const read = readEtcdSettings(vantage);
  if (!read.ok) throw new Error(read.faults.join());
  expect(JSON.stringify(read)).not.toContain(ETCD_USER.password);
  const node = await start('fra1', { endpoints: etcd.endpoints, client: read.settings.client });
  await expect.poll(() => node.role().isOurs, WAIT).toBe(true);
  expect(await propose(node, setOf(node, 101))).toEqual({ kind: 'stored' });
  node.engine.publishView(viewOf('fra1', 1));
  const stored = async () => (await etcd.etcdctl('get', '--prefix', 'edgewise/test/views', '--keys-only')).stdout;
  await expect.poll(stored, WAIT).toMatch(/views\/fra1\/cdn/);
  expect(node.engine.faults()).toEqual([]);

  const broken = join(folder, 'broken.pem');
  writeFileSync(broken, 'no certificate');
  const refused = readEtcdSettings({
    ...vantage,
    passwordFile: join(folder, 'none'),
    tls: { caFile: broken, certFile: '/dev/zero', keyFile: join(folder, 'absent') },
  });
  expect(refused).toMatchObject({ ok: false, faults: { length: 4 } });
});

test('a view that may be old is no fresh one until it changes; a watch that went silent is given up', async () => {
  const etcd = await cluster();
  const [direct = ''] = etcd.endpoints;
  const b = await start('ams1', { endpoints: etcd.endpoints });
  b.engine.publishView(viewOf('ams1', 1));
  await expect.poll(() => etcd.get('edgewise/test/views/ams1/cdn'), WAIT).not.toBeNull();
  const link = await LinkProxy.start({ address: '127.0.0.1', port: Number(new URL(direct).port) });
  closers.push(() => link.stop());
  const a = await start('fra1', { endpoints: [`http://127.0.0.1:${link.port}`, direct] });
  await expect.poll(() => a.engine.views('cdn')[0]?.age, WAIT).toBeGreaterThanOrEqual(10);
  const publishUntil = async (isDone: () => boolean): Promise<void> => {
    let turn = (a.engine.views('cdn')[0]?.view.turn ?? 0) + 1;
    const next = (): boolean => {
      if (a.engine.views('cdn')[0]?.view.turn === turn) turn += 1;
      b.engine.publishView(viewOf('ams1', turn));
      return isDone();
    };
    await expect.poll(next, WAIT).toBe(true);
  };
  await publishUntil(() => (a.engine.views('cdn')[0]?.age ?? 99) < 10);

  const restart = vi.spyOn(Watch.prototype, 'restart');
  closers.push(() => restart.mockRestore());
  await link.set('half-open');
  await publishUntil(() => restart.mock.calls.length > 0);
  // It goes on at the other endpoint: hints come, and none is missed any more.
  await expect
    .poll(() => restart.mock.contexts.some((watch) => watch instanceof Watch && watch.isLive()), WAIT)
    .toBe(true);
  expect(a.engine.faults()).toEqual([]);
});

test('whatever throws in a callback once is contained, and the vantages agree even so', async () => {
  const etcd = await cluster();
  const thrown = new Set<string>();
  const reports: string[] = [];
  /** Each part throws at its first work, after it was done. */
  class Faulty extends Guard {
    override run(part: string, work: Promise<unknown> | (() => unknown)): void {
      super.run(part, work);
      if (thrown.has(part)) return;
      thrown.add(part);
      super.run(part, () => {
        throw new Error('injected');
      });
    }
  }
  const guard = new Faulty({ report: (part) => reports.push(part), now: () => 0 });
  const onEvent = (): void => {
    throw new Error('of an event');
  };
  const options = { endpoints: etcd.endpoints, guard, lease: 2 };
  const a = await start('fra1', { ...options, onEvent });
  const b = await start('ams1', options);
  a.engine.publishView(viewOf('fra1', 1));
  b.engine.publishView(viewOf('ams1', 1));
  await expect.poll(() => b.engine.views('cdn').length, WAIT).toBe(1);
  await expect.poll(() => a.engine.views('cdn').length, WAIT).toBe(1);
  await expect.poll(() => [a, b].filter((node) => node.role().isOurs).length, WAIT).toBe(1);
  const [first = a, second = b] = a.role().isOurs ? [a, b] : [b, a];
  expect(await propose(first, setOf(first, 101))).toEqual({ kind: 'stored' });
  await expect.poll(() => second.serial(), WAIT).toBe(101);
  await first.engine.stop();
  await expect.poll(() => second.role().isOurs, WAIT).toBe(true);
  await expect.poll(() => thrown.size, WAIT).toBe(7);
  expect(new Set(reports)).toEqual(thrown);
});
