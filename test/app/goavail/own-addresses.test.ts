import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AddressStep, OwnAddresses, wholeSets } from '../../../src/app/goavail/own-addresses.ts';
import { goavailNames, goavailTarget, typesOf } from '../../../src/app/goavail/providers.ts';
import type { SetKey } from '../../../src/publish/providers/provider.ts';
import { canonicalAddresses, type LiveTexts } from '../../../src/publish/providers/sets.ts';
import { ProviderTarget } from '../../../src/publish/providers/target.ts';
import { MemoryProvider } from '../../support/memory-provider.ts';
import { MockCloudflare, type MockZone } from '../../support/mock-cloudflare.ts';

const NAME = 'cloud.example.test';
const KEYS: readonly SetKey[] = [
  { name: NAME, type: 'A' },
  { name: NAME, type: 'AAAA' },
];
const signal = new AbortController().signal;

function target(provider: OwnAddresses, live: () => LiveTexts, ttl = 60): ProviderTarget {
  return new ProviderTarget({
    spec: {
      name: 't',
      network: 'n',
      names: [NAME],
      types: ['A', 'AAAA'],
      ttl,
      owner: true,
      timeoutMs: 60_000,
      dryRun: false,
    },
    provider,
    live,
    left: { read: async () => ({ left: null, lastRight: null }), write: () => undefined },
    log: () => undefined,
    now: () => 0,
  });
}

function texts(addresses: readonly string[]): LiveTexts {
  const [v4, v6] = [false, true].map((isV6) => addresses.filter((address) => address.includes(':') === isV6));
  return { v4: v4 ?? [], v6: v6 ?? [], unanswered: null };
}

describe('in memory', () => {
  const pool = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '2001:db8::1', '2001:db8::2', '192.0.2.77', '2001:db8::77'];
  const some = fc.subarray(pool);

  test('others stay beside ours, whatever is there and whatever is wanted; a dry run writes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(some, some, some, fc.boolean(), async (held, own, live, dryRun) => {
        const memory = new MemoryProvider();
        for (const { type } of KEYS) {
          const addresses = held.filter((address) => address.includes(':') === (type === 'AAAA'));
          if (addresses.length > 0) memory.put(NAME, type, addresses, 300);
        }
        const before = [...memory.sets];
        const steps: AddressStep[] = [];
        const wanted = live.filter((address) => own.includes(address));
        const options = { provider: memory, own: () => new Set(own), ttl: 60, dryRun, corrections: wholeSets(60) };
        const provider = new OwnAddresses({ ...options, onStep: (step) => steps.push(step) });
        const kept = target(provider, () => texts(wanted));
        expect(await kept.reconcile()).toEqual([]);
        const said = steps.length;
        expect(await kept.reconcile()).toEqual([]);
        expect(steps).toHaveLength(said); // said once, in a dry run as well
        if (dryRun) {
          expect([...memory.sets]).toEqual(before);
          return;
        }
        const after = [...memory.sets.values()].flatMap(({ addresses }) => addresses);
        const others = (list: readonly string[]): readonly string[] => list.filter((one) => !own.includes(one)).sort();
        expect(others(after)).toEqual(others(held));
        for (const address of wanted) expect(after).toContain(address);
        // A family of which nothing is wanted was never ours; with the other it may stay.
        const families = new Set(wanted.map((address) => address.includes(':')));
        for (const address of after) {
          if (own.includes(address) && families.has(address.includes(':'))) expect(wanted).toContain(address);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('in a dry run it goes on as if it had been done, until somebody else changes the set', async () => {
    const memory = new MemoryProvider();
    memory.put(NAME, 'A', ['192.0.2.1', '192.0.2.2']);
    let live = ['192.0.2.1', '192.0.2.2'];
    const steps: string[] = [];
    const provider = new OwnAddresses({
      provider: memory,
      own: () => new Set(['192.0.2.1', '192.0.2.2']),
      ttl: 60,
      dryRun: true,
      corrections: wholeSets(60),
      onStep: ({ action, address }) => steps.push(`${action} ${address}`),
    });
    const kept = target(provider, () => texts(live));
    const turn = async (next: readonly string[]): Promise<readonly string[]> => {
      live = [...next];
      steps.length = 0;
      expect(await kept.reconcile()).toEqual([]);
      return [...steps];
    };
    expect(await turn(['192.0.2.1'])).toEqual(['remove 192.0.2.2']);
    expect(await turn(['192.0.2.1'])).toEqual([]);
    expect(await turn(['192.0.2.1', '192.0.2.2'])).toEqual(['add 192.0.2.2']);
    expect(await turn(['192.0.2.1'])).toEqual(['remove 192.0.2.2']);
    memory.put(NAME, 'A', ['192.0.2.1', '192.0.2.2', '192.0.2.77']);
    expect(await turn(['192.0.2.1'])).toEqual(['remove 192.0.2.2']);
    expect(memory.applied).toEqual([]);
  });
});

test('of a step that is refused nothing is said, of the others all', async () => {
  const memory = new MemoryProvider();
  memory.refused.add('alias.example.test');
  const steps: string[] = [];
  const provider = new OwnAddresses({
    provider: memory,
    own: () => new Set(['192.0.2.1']),
    ttl: 60,
    dryRun: false,
    corrections: wholeSets(60),
    onStep: ({ action, name, address }) => steps.push(`${action} ${name} ${address}`),
  });
  const corrections = [NAME, 'alias.example.test'].map((name) => {
    const key = { name, type: 'A' } as const;
    return { ...key, was: null, to: { ...key, ttl: 60, addresses: ['192.0.2.1'] }, text: '' };
  });
  expect(await provider.apply(corrections, signal)).toEqual([
    { correction: corrections[1], why: 'alias.example.test is refused' },
  ]);
  expect(steps).toEqual([`add ${NAME} 192.0.2.1`]);
});

describe('at Cloudflare', () => {
  let mock: MockCloudflare;
  let zone: MockZone;

  beforeEach(async () => {
    mock = await MockCloudflare.start();
    mock.keys.set('ops@example.test', 'global-key');
    zone = mock.addZone('example.test');
  });
  afterEach(() => mock.stop());

  test('records are made and deleted one by one, and none is changed', async () => {
    const table = {
      kind: 'cloudflare',
      domain: 'example.test',
      names: [NAME],
      addresses: ['192.0.2.1', '192.0.2.2', '192.0.2.3', '2001:db8::1'],
      proxied: false,
    } as const;
    const add = (content: string, ttl: number): unknown =>
      mock.addRecord(zone, { name: NAME, type: 'A', content, ttl, comment: content });
    for (const [content, ttl] of [
      ['192.0.2.1', 300],
      ['192.0.2.2', 120],
      ['192.0.2.77', 600],
    ] as const)
      add(content, ttl);
    const before = zone.records;
    const env = { CF_API_KEY: 'global-key', CF_API_EMAIL: 'ops@example.test' };
    const made = goavailTarget(table, { api: mock.api, apiFrom: null, missing: [] }, env, () => undefined);
    if (made === null) throw new Error('no target');
    const own = (): ReadonlySet<string> => new Set(canonicalAddresses(table.addresses));
    const provider = new OwnAddresses({ ...made, own, dryRun: false, onStep: () => undefined });
    let live: readonly string[] = ['192.0.2.1', '192.0.2.3', '2001:db8::1'];
    const kept = target(provider, () => texts(live), made.ttl);
    expect(await kept.reconcile()).toEqual([]);
    expect(zone.records.slice(0, 2)).toEqual([before[0], before[2]]);
    expect(zone.records.slice(2).sort((a, b) => (a.type < b.type ? -1 : 1))).toMatchObject([
      { type: 'A', content: '192.0.2.3', ttl: 1, proxied: false },
      { type: 'AAAA', content: '2001:db8::1', ttl: 1, proxied: false },
    ]);
    // What comes in one pass takes the place of all that goes.
    zone.records = zone.records.filter(({ content }) => content === '192.0.2.1');
    live = ['192.0.2.2'];
    expect(await kept.reconcile()).toEqual([]);
    expect(zone.records.map(({ content }) => content)).toEqual(['192.0.2.2']);
    expect(await provider.read(KEYS, signal)).toMatchObject([{ addresses: ['192.0.2.2'] }]);
    await kept.close();
  });

  test("what another of Cloudflare's products keeps stays, and what comes is said all the same", async () => {
    const table = {
      kind: 'cloudflare',
      domain: 'example.test',
      names: [NAME],
      addresses: ['192.0.2.1', '192.0.2.2'],
      proxied: false,
    } as const;
    mock.addRecord(zone, { name: NAME, type: 'A', content: '192.0.2.1', ttl: 60, meta: { read_only: true } });
    const env = { CF_API_KEY: 'global-key', CF_API_EMAIL: 'ops@example.test' };
    const made = goavailTarget(table, { api: mock.api, apiFrom: null, missing: [] }, env, () => undefined);
    if (made === null) throw new Error('no target');
    const steps: string[] = [];
    const onStep = ({ action, address }: AddressStep): number => steps.push(`${action} ${address}`);
    const provider = new OwnAddresses({ ...made, own: () => new Set(table.addresses), dryRun: false, onStep });
    const kept = target(provider, () => texts(['192.0.2.2']), made.ttl);
    expect(await kept.reconcile()).toMatchObject([{ code: 'provider-name' }]);
    expect(steps).toEqual(['add 192.0.2.2']);
    expect(zone.records.map(({ content }) => content)).toEqual(['192.0.2.1', '192.0.2.2']);
    await kept.close();
  });
});

test('Route 53 has the first label of each name, below the domain', () => {
  const base = { domain: 'example.test', addresses: ['192.0.2.1', '2001:db8::1'] };
  const names = ['cloud.example.test', 'a.b.example.test', 'a.example.test', 'example.test'];
  const aws = { kind: 'route53', ttl: 60, zoneId: 'Z1', region: null } as const;
  expect(goavailNames({ ...base, ...aws, names })).toEqual(['cloud.example.test', 'a.example.test', 'example.test']);
  expect(goavailNames({ ...base, kind: 'cloudflare', proxied: true, names })).toEqual(names);
  expect(typesOf({ ...base, ...aws, names })).toEqual(['A', 'AAAA']);
  expect(typesOf({ ...base, ...aws, names, addresses: ['2001:db8::1'] })).toEqual(['AAAA']);
});
