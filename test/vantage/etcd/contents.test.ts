/** What the decider of contents stores, and what becomes of it where somebody meddles. */
import { expect, test } from 'vitest';
import type { WireName } from '../../../src/dns/name.ts';
import type { Transaction } from '../../../src/vantage/etcd/client/wire.ts';
import { ContentDecider } from '../../../src/vantage/etcd/contents/content-decider.ts';
import type { NetworkFacts } from '../../../src/vantage/etcd/contents/network-facts.ts';
import { ContentRecords, counterKey, recordKey } from '../../../src/vantage/etcd/contents/records.ts';
import { keyOf, keysOf } from '../../../src/vantage/etcd/keys.ts';
import { Mirror } from '../../../src/vantage/etcd/mirror.ts';
import { etcdModeStore } from '../../../src/vantage/etcd/mode-store.ts';
import type { OwnContent } from '../../../src/zones/agreement/content.ts';
import { MemoryEtcd } from '../../support/memory-etcd.ts';
import { key } from '../../zones/store/store-fixture.ts';

const KEYS = keysOf('edgewise/test');
const COUNTER = counterKey(KEYS);
const A = key('a.test.');
const B = key('b.test.');
const TOKEN = 2n;

function content(hash: string): OwnContent {
  return { network: 'cdn', hash, serial: 1, served: null };
}

/** The decider among one, whose reports are what is put into `reports`. */
function makeDecider(networks: Partial<NetworkFacts> = {}) {
  const etcd = new MemoryEtcd();
  etcd.put(KEYS.leader, 'fra1');
  const records = new ContentRecords(KEYS, () => undefined);
  const reports = new Map<WireName, ReadonlyMap<string, OwnContent>>();
  const sent: Transaction[] = [];
  etcd.onTransaction = (transaction) => sent.push(transaction);
  const decider = new ContentDecider({
    client: etcd,
    keys: KEYS,
    vantage: 'fra1',
    members: ['fra1'],
    leadership: {
      role: () => ({ decider: 'fra1', token: String(TOKEN), isOurs: true, since: 1 }),
      holds: (token) => ({ key: KEYS.leader, target: 'create', revision: BigInt(token) }),
    },
    records,
    networks: { setRevision: () => 0n, liveSerial: () => 0, reportedLive: () => 0, hasVote: () => true, ...networks },
    reports: () => reports,
    heard: () => new Set(),
    now: () => 1_800_000_000,
    onStored: () => undefined,
  });
  const look = async (): Promise<readonly WireName[]> => {
    const found = await records.look(etcd.look());
    return found.ok ? found.apply() : [];
  };
  const store = (origin: WireName, hash: string): Promise<boolean> => {
    reports.clear();
    reports.set(origin, new Map([['fra1', content(hash)]]));
    return decider.pass();
  };
  const stored = (origin: WireName): string => etcd.keys.get(recordKey(KEYS, origin))?.value.toString() ?? '';
  return { etcd, records, reports, decider, sent, look, store, stored };
}

test('a set that is stored between two contents of one transaction has it refused', async () => {
  let revision = 5n;
  const serials: number[] = [];
  const { decider, reports, etcd, stored } = makeDecider({
    setRevision: () => revision,
    liveSerial: (_, origin) => {
      serials.push(1);
      // Between the first and the second another set is stored.
      if (origin === B) revision = 9n;
      return 0;
    },
  });
  const set = keyOf(KEYS.sets, 'cdn');
  while (etcd.revision < 8n) etcd.put('other', '');
  etcd.put(set, 'a set'); // at revision 9
  for (const origin of [A, B]) reports.set(origin, new Map([['fra1', content('one')]]));
  expect(etcd.keys.get(set)?.modRevision).toBe(9n);
  expect(await decider.pass()).toBe(false);
  expect([stored(A), stored(B), serials.length]).toEqual(['', '', 2]);
});

test.each([
  ['once', 1],
  ['twice', 2],
])('a transaction that is carried out again later, %s, undoes nothing', async (_, times) => {
  const { etcd, look, store, stored, sent } = makeDecider();
  await look();
  expect(await store(A, 'old')).toBe(true);
  const [late] = sent;
  expect(await store(A, 'new')).toBe(true);
  const newest = stored(A);
  expect(newest).toContain('"hash":"new"');
  for (let i = 0; i < times; i++) expect(late === undefined ? null : etcd.carryOut(late).succeeded).toBe(false);
  expect(stored(A)).toBe(newest);
  await look();
  expect(await store(B, 'one')).toBe(true);
});

test.each([
  ['the counter', [COUNTER], 'old'],
  ['a record and the counter', [COUNTER, recordKey(KEYS, A)], null],
] as const)('where somebody deletes %s, decisions go on', async (_, deleted, expected) => {
  const { etcd, look, store, stored, records } = makeDecider();
  await look();
  expect(await store(A, 'old')).toBe(true);
  await look();
  const { highest } = records;
  for (const one of deleted) etcd.delete(one);
  expect(await look()).toContain(A);
  expect(records.get(A)?.hash ?? null).toBe(expected);
  expect(records.counterRevision).toBe(0n); // what a set is compared with
  expect(records.highest).toBe(highest);
  expect(await store(B, 'one')).toBe(true);
  expect(stored(B)).toContain('"hash":"one"');
});

test('a look that began before our own transaction does not take it for deleted', async () => {
  const { etcd, records, look, store } = makeDecider();
  await look();
  await store(A, 'one');
  await look();
  const before = etcd.look();
  const found = records.look(before);
  await store(A, 'two');
  const result = await found;
  expect(result.ok && result.apply()).toEqual([]);
  expect(records.get(A)?.hash).toBe('two');
  expect(records.counterRevision).toBe(etcd.keys.get(COUNTER)?.modRevision);
});

test.each([
  ['each of which can be read', 40],
  ['that cannot be read at all', 200],
])('values of somebody else beside ours, %s, hide none of ours', async (_, octets) => {
  const { etcd, look, store, records } = makeDecider();
  await look();
  await store(A, 'one');
  const one = etcd.keys.get(recordKey(KEYS, A))?.value.length ?? 0;
  etcd.answerMax = one + 100;
  for (let i = 0; i < 30; i++) etcd.put(`${KEYS.all}zones/${i % 2 === 0 ? '0' : 'z'}-garbage${i}`, 'x'.repeat(octets));
  etcd.put(`${KEYS.all}modes/127.0.0.1`, 'x'.repeat(octets + one));
  const other = new ContentRecords(KEYS, () => undefined);
  const found = await other.look(etcd.look(true));
  expect(found.ok && found.apply()).toEqual([A]);
  expect(other.get(A)).toEqual(records.get(A));
  expect(other.faults()).toEqual([expect.stringContaining('30 keys')]);
  expect(await etcdModeStore(etcd).read(`${KEYS.all}modes/`)).toMatchObject({ ok: true, entries: [{}] });

  for (let i = 0; i < 9; i++) etcd.put(`${KEYS.sets}garbage${i}`, 'x'.repeat(octets));
  etcd.put(`${KEYS.sets}cdn`, 'ours');
  const read = await new Mirror(KEYS.sets).read(etcd.look(true));
  const values = read.ok ? read.changed.map(({ key: name, value }) => [name, value.toString()]) : [];
  expect(values).toHaveLength(10);
  expect(values).toContainEqual([`${KEYS.sets}cdn`, 'ours']);
});
