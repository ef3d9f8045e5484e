import { expect, test } from 'vitest';
import { Guard } from '../../../src/system/guard.ts';
import type { EtcdClient } from '../../../src/vantage/etcd/client/client.ts';
import type { Follower } from '../../../src/vantage/etcd/follower.ts';
import { keysOf } from '../../../src/vantage/etcd/keys.ts';
import { Looks } from '../../../src/vantage/etcd/looks.ts';
import { MemoryEtcd } from '../../support/memory-etcd.ts';

const KEYS = keysOf('edgewise/test');

function fail(): never {
  throw new Error('planted');
}

test.each([
  { where: 'a look', look: () => Promise.reject(new Error('planted')) },
  { where: 'taking over', look: async () => ({ ok: true, isChanged: true, apply: fail }) as const },
  { where: 'who decides', onLeader: fail },
])('a bug in $where is noted, and the next look is made', async ({ look, onLeader }) => {
  const guard = new Guard({ report: () => undefined, now: () => 0 });
  // No watch: what it would need is a fault, as where no endpoint answers.
  const etcd = Object.assign(new MemoryEtcd(), { access: async () => ({ text: 'no watch', code: null }) });
  let looks = 0;
  let seen: () => void = () => undefined;
  const second = new Promise<void>((resolve) => {
    seen = resolve;
  });
  const follower: Follower = {
    look: async () => {
      looks += 1;
      if (looks === 1 && look !== undefined) return look();
      return { ok: true, isChanged: false, apply: () => (looks >= 2 ? seen() : undefined) };
    },
    faults: () => [],
  };
  const all = new Looks({
    client: etcd as unknown as EtcdClient,
    keys: KEYS,
    followers: [follower],
    intervalMs: 20,
    timeoutMs: 100,
    guard,
    log: () => undefined,
    onLeader: () => (looks === 1 ? onLeader?.() : undefined),
    onDisconnected: () => undefined,
  });
  await all.start();
  expect(guard.faults()).toEqual([{ part: 'etcd looks', count: 1, message: 'planted', at: 0 }]);
  await second;
  await expect.poll(() => all.isConnected()).toBe(true);
  await all.stop();
});
