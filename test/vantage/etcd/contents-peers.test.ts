/** Serials of contents through a real etcd: three engines, as three servers would have them. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { WireName } from '../../../src/dns/name.ts';
import { serialCompare, serialOfClass } from '../../../src/dns/serial.ts';
import type { ContentSerials, Engine } from '../../../src/vantage/engine.ts';
import { makeContents } from '../../../src/vantage/etcd/contents/contents.ts';
import { makeEtcdEngine } from '../../../src/vantage/etcd/engine.ts';
import type { ContentInForce, ReadyContent } from '../../../src/zones/agreement/content.ts';
import { EtcdCluster } from '../../support/etcd.ts';
import { throwingGuard } from '../../support/guard.ts';
import { key } from '../../zones/store/store-fixture.ts';
import { codec, MEMBERS, setOf, viewOf, WAIT } from './engine-fixture.ts';

const ORIGIN = key('example.test.');

class Vantage {
  readonly name: string;
  readonly engine: Engine;
  readonly changed: WireName[] = [];
  private turn = 1;
  private timer: NodeJS.Timeout | null = null;

  constructor(name: string, endpoints: readonly string[], prefix: string) {
    this.name = name;
    const tls = { caFile: null, certFile: null, keyFile: null };
    const vantage = { engine: 'etcd', name, endpoints, prefix, members: MEMBERS, quorum: 'majority' } as const;
    this.engine = makeEtcdEngine({
      settings: {
        vantage: { ...vantage, user: null, passwordFile: null, tls, lease: 4, timeout: 4 },
        client: { endpoints, timeoutMs: 4000, user: null, tls: { ca: null, cert: null, key: null } },
      },
      codec,
      version: '9.9',
      events: {
        onView: () => undefined,
        onDecided: () => undefined,
        onRole: () => undefined,
        onContents: (origins) => this.changed.push(...origins),
      },
      intervalMs: 500,
      guard: throwingGuard(),
      log: () => undefined,
      now: () => 1_800_000_000,
      makeContents,
    });
  }

  async start(serial = 0): Promise<void> {
    await this.engine.start();
    const publish = (): void =>
      this.engine.publishView({ ...viewOf(this.name, this.turn++), serial, highestSerial: serial });
    publish();
    this.timer = setInterval(publish, 500);
  }

  async stop(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    await this.engine.stop();
  }

  get contents(): ContentSerials {
    const { agreement } = this.engine;
    if (agreement === null) throw new Error('no agreement');
    return agreement.contents;
  }

  get isDecider(): boolean {
    return this.engine.agreement?.role().isOurs === true;
  }

  has(hash: string, served: ReadyContent['served'] = null, origin = ORIGIN): void {
    this.contents.ready([{ origin, network: 'cdn', hash, serial: served?.serial ?? 0, served }]);
  }

  inForce(origin = ORIGIN): ContentInForce | null {
    return this.contents.inForce(origin);
  }
}

let cluster: EtcdCluster;
beforeAll(async () => {
  cluster = await EtcdCluster.start();
}, 60_000);
afterAll(async () => cluster?.stop());

let prefixes = 0;
async function three(): Promise<readonly [Vantage, Vantage, Vantage]> {
  const prefix = `edgewise/contents${prefixes++}`;
  const [a, b, c] = MEMBERS.map((name) => new Vantage(name, cluster.endpoints, prefix));
  if (a === undefined || b === undefined || c === undefined) throw new Error('three members');
  await Promise.all([a, b, c].map((vantage) => vantage.start()));
  return [a, b, c];
}

const all = (vantages: readonly Vantage[], hash: string): Promise<unknown> =>
  vi.waitFor(() => expect(vantages.map((vantage) => vantage.inForce()?.hash)).toEqual(vantages.map(() => hash)), WAIT);

test('a content comes in force when every vantage has it, with one serial above what was; a set must be later', async () => {
  const vantages = await three();
  const [a, b, c] = vantages;
  for (const vantage of vantages) vantage.has('h1');
  await all(vantages, 'h1');
  const first = a.inForce();
  const decider = vantages.find(({ isDecider }) => isDecider);
  if (decider === undefined) throw new Error('nobody decides');
  /** The first from there on that this decider gives. */
  const from = (serial: number) =>
    serialOfClass(serial, { classes: 6, own: [...MEMBERS].sort().indexOf(decider.name) });
  const given = from(1_800_000_000);
  expect([b.inForce(), c.inForce()]).toEqual([first, first]);
  expect(first).toMatchObject({ serial: given, from: 0, after: 0 });
  for (const vantage of vantages) vantage.has('h1', { hash: 'h1', serial: first?.serial ?? 0 });

  const node = { name: decider.name, role: () => decider.engine.agreement?.role() ?? null };
  const set = (serial: number) => setOf(node as unknown as Parameters<typeof setOf>[0], serial);
  expect(await decider.engine.agreement?.propose(set(given))).toMatchObject({ kind: 'refused' });
  expect(await decider.engine.agreement?.propose(set(1_800_000_050))).toMatchObject({ kind: 'stored' });

  // Changed on two of three: not yet.
  a.has('h2', { hash: 'h1', serial: given });
  b.has('h2', { hash: 'h1', serial: given });
  await vi.waitFor(() => expect(decider.contents.why(ORIGIN)).toContain('another content'), WAIT);
  expect(c.inForce()?.hash).toBe('h1');
  c.has('h2', { hash: 'h1', serial: given });
  await all(vantages, 'h2');
  expect(c.inForce()).toEqual({ hash: 'h2', serial: from(1_800_000_051), from: given, after: 1_800_000_050 });
  await Promise.all(vantages.map((vantage) => vantage.stop()));
}, 60_000);

test('a wiped store is told what was in force, and what two vantages have under one serial gets another', async () => {
  const vantages = await three();
  const [a, b, c] = vantages;
  const served = { hash: 'h5', serial: 1_900_000_000 };
  a.has('h5', served);
  b.has('h5', served);
  c.has('h4', { hash: 'h4', serial: 1_800_000_000 });
  await all(vantages, 'h5');
  expect(a.inForce()?.serial).toBe(1_900_000_000);
  const other = key('other.test.');
  a.has('x', { hash: 'x', serial: 1_900_000_000 }, other);
  b.has('y', { hash: 'y', serial: 1_900_000_000 }, other);
  c.has('y', null, other);
  await vi.waitFor(() => expect(serialCompare(c.inForce(other)?.serial ?? 1, 1_900_000_000)).toBeGreaterThan(0), WAIT);
  await Promise.all(vantages.map((vantage) => vantage.stop()));
}, 60_000);

test('thousands of zones come in force in bounded time, whoever comes later reads them all, and garbage moves nothing', async () => {
  const vantages = await three();
  const origins = Array.from({ length: 3000 }, (_, i) => key(`z${i}.test.`));
  for (const vantage of vantages) {
    vantage.contents.ready(origins.map((origin) => ({ origin, network: 'cdn', hash: 'h', serial: 0, served: null })));
  }
  await vi.waitFor(() => {
    for (const vantage of vantages) expect(origins.every((origin) => vantage.inForce(origin)?.hash === 'h')).toBe(true);
  }, WAIT);
  const prefix = `edgewise/contents${prefixes - 1}`;
  await cluster.put(`${prefix}/zones/z0.test.`, 'garbage');
  await cluster.put(`${prefix}/ready/nobody/1`, '{"v":1,"zones":{}}');
  await vantages[0].stop();
  const again = new Vantage(MEMBERS[0] ?? '', cluster.endpoints, prefix);
  await again.start();
  await vi.waitFor(
    () => expect(origins.slice(1).every((origin) => again.inForce(origin)?.hash === 'h')).toBe(true),
    WAIT,
  );
  expect(again.inForce(key('z0.test.'))).toBeNull();
  expect(again.engine.faults().join()).toContain('1 keys below');
  await Promise.all([again, vantages[1], vantages[2]].map((vantage) => vantage.stop()));
}, 120_000);
