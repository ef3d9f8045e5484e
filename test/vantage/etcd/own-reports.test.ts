import { expect, test } from 'vitest';
import { Guard } from '../../../src/system/guard.ts';
import type { EtcdClient } from '../../../src/vantage/etcd/client/client.ts';
import type { EtcdFault } from '../../../src/vantage/etcd/client/wire.ts';
import { OwnReports } from '../../../src/vantage/etcd/contents/own-reports.ts';
import { keysOf } from '../../../src/vantage/etcd/keys.ts';
import { MemoryEtcd } from '../../support/memory-etcd.ts';
import { key } from '../../zones/store/store-fixture.ts';

const ORIGIN = key('a.test.');
const DENIED: EtcdFault = { kind: 'refused', code: 7, text: 'etcd: permission denied' };
const NO_LEASE: EtcdFault = { kind: 'refused', code: 5, text: 'etcd: requested lease not found' };

function make() {
  const etcd = new MemoryEtcd();
  const leases: string[] = [];
  const lines: string[] = [];
  const state = {
    fault: null as EtcdFault | null,
    granted: () => Promise.resolve(),
    revoked: [] as string[],
    writes: 0,
  };
  const header = { clusterId: '7', revision: 1n };
  const client = Object.assign(etcd, {
    grant: async (ttl: number) => {
      await state.granted();
      leases.push(String(leases.length + 1));
      return { ok: true, header, value: { id: String(leases.length), ttl } };
    },
    revoke: async (id: string) => void state.revoked.push(id),
    keepAlive: async () => ({ ok: true, header, value: 10 }),
  });
  const { txn } = etcd;
  Object.assign(client, {
    txn: async (one: never) => {
      state.writes += 1;
      return state.fault === null ? txn.call(etcd, one) : { ok: false, fault: state.fault };
    },
  });
  const reports = new OwnReports({
    client: client as unknown as EtcdClient,
    keys: keysOf('edgewise/test'),
    vantage: 'fra1',
    ttl: 10,
    inForce: () => null,
    guard: new Guard({ report: () => undefined, now: () => 0 }),
    log: (text) => lines.push(text),
  });
  const ready = (hash: string): void =>
    reports.ready([{ origin: ORIGIN, network: 'cdn', hash, serial: 1, served: null }]);
  return { etcd, leases, lines, state, reports, ready };
}

test('a refused write is a sentence until one is taken, under the same lease', async () => {
  const { etcd, leases, lines, state, reports, ready } = make();
  state.fault = DENIED;
  ready('one');
  await expect
    .poll(() => reports.faults())
    .toEqual(['what zones have ready here cannot be put into etcd: etcd: permission denied']);
  await expect
    .poll(() => {
      reports.request(); // ignored while one is under way
      return state.writes;
    })
    .toBeGreaterThan(2);
  expect(lines).toHaveLength(1);
  expect(leases).toHaveLength(1);
  state.fault = null;
  await expect
    .poll(() => {
      reports.request();
      return reports.faults();
    })
    .toEqual([]);
  expect([...etcd.keys.keys()].filter((one) => one.includes('ready/fra1'))).not.toEqual([]);
  await reports.stop();
});

test('a lease that etcd does not know is given up for another one', async () => {
  const { leases, state, reports, ready } = make();
  state.fault = NO_LEASE;
  ready('one');
  await expect.poll(() => reports.faults()).toHaveLength(1);
  state.fault = null;
  await expect
    .poll(() => {
      reports.request();
      return reports.faults();
    })
    .toEqual([]);
  expect(leases).toEqual(['1', '2']);
  expect(state.revoked).toEqual(['1']);
  await reports.stop();
});

test('a lease that is granted after the end is given back, and nothing is written', async () => {
  const { etcd, state, reports, ready } = make();
  let grant: () => void = () => undefined;
  let asked: () => void = () => undefined;
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  state.granted = () =>
    new Promise((resolve) => {
      grant = resolve;
      asked();
    });
  ready('one');
  await isAsked;
  await reports.stop();
  grant();
  await expect.poll(() => state.revoked).toEqual(['1']);
  expect(etcd.keys.size).toBe(0);
});
