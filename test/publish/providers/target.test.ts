import { expect, test } from 'vitest';
import { ProviderError } from '../../../src/publish/providers/provider.ts';
import type { LeftSets, LiveTexts } from '../../../src/publish/providers/sets.ts';
import { ProviderTarget, type TargetOptions, type TargetSpec } from '../../../src/publish/providers/target.ts';
import { MemoryProvider } from '../../support/memory-provider.ts';

const NAME = 'www.example.org';

class Fixture {
  readonly provider = new MemoryProvider();
  readonly said: string[] = [];
  live: LiveTexts | null = { v4: ['192.0.2.1'], v6: [], unanswered: null };
  kept: LeftSets | null = null;
  keptRight: number | null = null;
  now = 1000;
  readonly target: ProviderTarget;

  constructor(spec: Partial<TargetSpec> = {}, options: Partial<TargetOptions> = {}) {
    this.target = this.make(spec, options);
  }

  make(spec: Partial<TargetSpec> = {}, options: Partial<TargetOptions> = {}): ProviderTarget {
    return new ProviderTarget({
      spec: {
        name: 'memory example.org',
        network: 'mynet',
        names: [NAME],
        types: ['A', 'AAAA'],
        ttl: 60,
        owner: true,
        timeoutMs: 60_000,
        dryRun: false,
        ...spec,
      },
      provider: this.provider,
      live: () => this.live,
      left: { read: async () => ({ left: this.kept, lastRight: this.keptRight }), write: (left) => this.keep(left) },
      log: (level, text) => this.said.push(`${level} ${text}`),
      now: () => this.now,
      ...options,
    });
  }

  private keep(left: LeftSets): void {
    this.kept = left;
  }

  addresses(type: 'A' | 'AAAA' = 'A'): readonly string[] | null {
    return this.provider.sets.get(`${NAME} ${type}`)?.addresses ?? null;
  }

  async faults(): Promise<readonly string[]> {
    return (await this.target.reconcile()).map(({ code, message }) => `${code}: ${message}`);
  }
}

test('nothing decided yet: nothing is asked and nothing written', async () => {
  const site = new Fixture();
  site.live = null;
  expect(await site.faults()).toEqual([]);
  expect(site.provider.reads).toBe(0);
  expect(site.target.status().state).toBe('unknown');
});

test('corrects, reads back, and has nothing to do then', async () => {
  const site = new Fixture();
  expect(await site.faults()).toEqual([]);
  expect(site.addresses()).toEqual(['192.0.2.1']);
  expect(site.said).toEqual([`info memory example.org: ${NAME} A: is new, 192.0.2.1 with TTL 60`]);
  expect(site.target.status()).toMatchObject({ state: 'right', since: 1000, lastRight: 1000, corrections: 1 });
  site.now = 2000;
  expect(await site.faults()).toEqual([]);
  expect(site.provider.applied).toHaveLength(1);
  expect(site.target.status()).toMatchObject({ state: 'right', since: 1000, lastRight: 2000, corrections: 1 });
});

test('the set of the moment of writing counts, not that of the call', async () => {
  const site = new Fixture();
  site.provider.beforeRead.push(() => {
    site.live = { v4: ['192.0.2.2'], v6: [], unanswered: null };
  });
  await site.faults();
  expect(site.addresses()).toEqual(['192.0.2.2']);
});

test('a set that changes between reading and writing is read again at once', async () => {
  const site = new Fixture();
  site.provider.put(NAME, 'A', ['192.0.2.8']);
  site.provider.beforeApply.push(() => site.provider.put(NAME, 'A', ['192.0.2.9']));
  expect(await site.faults()).toEqual([]);
  expect(site.addresses()).toEqual(['192.0.2.1']);
  // Whoever changes it each time is not fought within one call.
  for (const last of [7, 6]) {
    site.provider.beforeApply.push(() => site.provider.put(NAME, 'A', [`192.0.2.${last}`]));
  }
  site.live = { v4: ['192.0.2.2'], v6: [], unanswered: null };
  expect(await site.faults()).toEqual([`provider-conflict: ${NAME} A is not what it was`]);
  expect(site.target.status()).toMatchObject({ state: 'failing', problem: { kind: 'conflict' }, failures: 1 });
  expect(await site.faults()).toEqual([]);
  expect(site.addresses()).toEqual(['192.0.2.2']);
});

test('what is not as it was written is a fault', async () => {
  const site = new Fixture();
  site.provider.beforeRead.push(
    () => undefined,
    () => site.provider.put(NAME, 'A', ['192.0.2.200']),
  );
  expect(await site.faults()).toEqual([
    `provider-conflict: not as it was written: ${NAME} A: adds 192.0.2.1, removes 192.0.2.200`,
  ]);
});

test.each([
  [true, ['192.0.2.1'], 'right'],
  [false, ['192.0.2.66'], 'foreign'],
] as const)('somebody else changes a set, owner: %s', async (owner, addresses, state) => {
  const site = new Fixture({ owner });
  await site.faults();
  site.provider.put(NAME, 'A', ['192.0.2.66']);
  expect(await site.faults()).toEqual([]);
  expect(await site.faults()).toEqual([]);
  expect(site.addresses()).toEqual(addresses);
  expect(site.target.status()).toMatchObject({ state, foreignChanges: 1 });
  const then = owner ? 'it is set right' : 'it stays so (owner: no)';
  expect(site.said.filter((line) => line.startsWith('warn'))).toEqual([
    `warn memory example.org: ${NAME} A was changed by somebody else: 192.0.2.66 with TTL 60; 192.0.2.1 with TTL 60 was left there; ${then}`,
  ]);
});

test('owner: no leaves a changed set alone after a restart too, until it is right again', async () => {
  const site = new Fixture({ owner: false });
  await site.faults();
  site.provider.put(NAME, 'A', ['192.0.2.66']);
  const again = site.make({ owner: false });
  site.live = { v4: ['192.0.2.2'], v6: [], unanswered: null };
  await again.reconcile();
  expect(site.addresses()).toEqual(['192.0.2.66']);
  expect(again.status().state).toBe('foreign');
  site.provider.put(NAME, 'A', ['192.0.2.2']);
  await again.reconcile();
  expect(again.status().state).toBe('right');
  site.live = { v4: ['192.0.2.3'], v6: [], unanswered: null };
  await again.reconcile();
  expect(site.addresses()).toEqual(['192.0.2.3']);
});

test('when all was right last is known after a restart', async () => {
  const site = new Fixture();
  site.keptRight = 900;
  site.provider.beforeRead.push(() => {
    throw new ProviderError('trouble', 'out of order');
  });
  await site.faults();
  expect(site.target.status()).toMatchObject({ state: 'failing', lastRight: 900 });
  await site.faults();
  expect(site.target.status()).toMatchObject({ state: 'right', lastRight: 1000 });
});

test('owner: no keeps the other sets right', async () => {
  const site = new Fixture({ owner: false });
  await site.faults();
  site.provider.put(NAME, 'A', ['192.0.2.66']);
  site.live = { v4: ['192.0.2.1'], v6: ['2001:db8::1'], unanswered: null };
  await site.faults();
  expect([site.addresses('A'), site.addresses('AAAA')]).toEqual([['192.0.2.66'], ['2001:db8::1']]);
  expect(site.target.status().state).toBe('foreign');
});

test('a family that no edge has any more goes, one that none ever had stays', async () => {
  const site = new Fixture();
  site.provider.put(NAME, 'AAAA', ['2001:db8::66']);
  await site.faults();
  expect(site.addresses('AAAA')).toEqual(['2001:db8::66']);
  site.live = { v4: ['192.0.2.1'], v6: ['2001:db8::1'], unanswered: null };
  await site.faults();
  expect(site.addresses('AAAA')).toEqual(['2001:db8::1']);
  site.live = { v4: ['192.0.2.1'], v6: [], unanswered: null };
  await site.make().reconcile(); // after a restart
  expect(site.addresses('AAAA')).toBeNull();
});

test('a dry run says once what it would do, and writes nothing', async () => {
  const site = new Fixture({ dryRun: true });
  await site.faults();
  await site.faults();
  expect(site.said).toEqual([`info memory example.org: would do: ${NAME} A: is new, 192.0.2.1 with TTL 60`]);
  expect([site.provider.applied, site.kept]).toEqual([[], null]);
  expect(site.target.status()).toMatchObject({ state: 'differs', corrections: 0 });
});

test('a name that cannot have its sets keeps no other from having theirs', async () => {
  const site = new Fixture({ names: ['alias.example.org', NAME, 'other.example.org', 'too.example.org'] });
  site.provider.aliases.add('alias.example.org').add('too.example.org');
  const both = 'provider-name: alias.example.org is an alias; too.example.org is an alias';
  expect(await site.faults()).toEqual([both]);
  expect([...site.provider.sets.keys()]).toEqual([`${NAME} A`, 'other.example.org A']);
  expect(site.target.status()).toMatchObject({ state: 'failing', since: 1000, lastRight: null, corrections: 2 });
  site.now = 2000;
  site.live = { v4: ['192.0.2.2'], v6: [], unanswered: null };
  expect(await site.faults()).toEqual([both]);
  expect(site.addresses()).toEqual(['192.0.2.2']);
  expect(site.target.status()).toMatchObject({ state: 'failing', since: 1000 });
  expect([...(site.kept?.keys() ?? [])]).toEqual([`${NAME} A`, 'other.example.org A']);
  site.provider.aliases.clear();
  expect(await site.faults()).toEqual([]);
  expect(site.target.status()).toMatchObject({ state: 'right', since: 2000, held: { length: 4 } });
});

test('what is refused of several is a fault; what was done is counted, said and left there', async () => {
  const site = new Fixture({ names: ['alias.example.org', NAME] });
  site.provider.refused.add('alias.example.org');
  expect(await site.faults()).toEqual(['provider-name: alias.example.org is refused']);
  expect(site.addresses()).toEqual(['192.0.2.1']);
  expect(site.said).toEqual([`info memory example.org: ${NAME} A: is new, 192.0.2.1 with TTL 60`]);
  expect(site.target.status()).toMatchObject({
    state: 'failing',
    corrections: 1,
    failures: 1,
    held: [{ name: NAME, addresses: ['192.0.2.1'] }],
  });
  expect([...(site.kept?.keys() ?? [])]).toEqual([`${NAME} A`]);
  site.provider.refused.clear();
  expect(await site.faults()).toEqual([]);
  expect(site.target.status()).toMatchObject({ state: 'right', corrections: 2 });
});

test('of several names, one by one, each fault is said', async () => {
  const site = new Fixture({ names: ['alias.example.org', NAME] });
  site.provider.aliases.add('alias.example.org');
  const nothing = (): void => undefined;
  site.provider.beforeRead.push(nothing, nothing, nothing, () => site.provider.put(NAME, 'A', ['192.0.2.200']));
  expect(await site.faults()).toEqual([
    `provider-name: alias.example.org is an alias; not as it was written: ${NAME} A: adds 192.0.2.1, removes 192.0.2.200`,
  ]);
  expect(site.target.status()).toMatchObject({ failures: 1 });
});

test('an alias that goes meanwhile leaves nothing that fails', async () => {
  const site = new Fixture({ names: ['alias.example.org', NAME] });
  site.provider.aliases.add('alias.example.org');
  expect(await site.faults()).toHaveLength(1);
  site.provider.beforeRead.push(
    () => undefined,
    () => site.provider.aliases.clear(),
  );
  expect(await site.faults()).toEqual([]);
  expect(site.target.status()).toMatchObject({ state: 'right', problem: null, held: { length: 2 } });
});

test('a fence keeps everything unwritten', async () => {
  const site = new Fixture({}, { mayPublish: async () => 'another node decides' });
  expect(await site.faults()).toEqual([]);
  expect(site.provider.applied).toEqual([]);
  expect(site.target.status()).toMatchObject({ state: 'differs', problem: { kind: 'fence' } });
});

test('a provider that asks for a pause is not asked before it is over', async () => {
  const site = new Fixture();
  site.provider.beforeRead.push(() => {
    throw new ProviderError('limit', 'asked too often', 20);
  });
  expect(await site.faults()).toEqual(['provider-limit: asked too often']);
  const began = performance.now();
  expect(await site.faults()).toEqual([]);
  expect(performance.now() - began).toBeGreaterThan(10); // the pause itself, not a speed
});

test('a pause, however long, ends with the target, before it or within it', async () => {
  const limit = new ProviderError('limit', 'asked too often', 3_600_000);
  for (const isWithin of [false, true]) {
    const site = new Fixture();
    site.provider.beforeRead.push(() => {
      throw limit;
    });
    await site.faults();
    const within = isWithin ? site.target.reconcile() : null;
    await site.target.close();
    await (within ?? site.target.reconcile());
    expect(site.provider.reads).toBe(1);
  }
});

test('by closing nothing becomes well', async () => {
  const site = new Fixture();
  const never = (): Promise<void> => new Promise(() => undefined);
  const trouble = (): never => {
    throw new ProviderError('trouble', 'out of order');
  };
  site.provider.beforeRead.push(trouble, never);
  expect(await site.faults()).toEqual(['provider-trouble: out of order']);
  const pass = site.faults();
  await site.target.close();
  expect(await pass).toEqual(['provider-trouble: out of order']);
  expect(await site.faults()).toEqual(['provider-trouble: out of order']);
  expect(site.target.status()).toMatchObject({ failures: 1 });
});

test('one that hangs is given up in time, and at once when it ends', async () => {
  const never = (): Promise<void> => new Promise(() => undefined);
  const site = new Fixture({ timeoutMs: 5 });
  site.provider.beforeRead.push(never);
  expect(await site.faults()).toEqual(['provider-timeout: no answer within 0 s']);
  const other = new Fixture();
  other.provider.beforeRead.push(never);
  const pass = other.target.reconcile();
  await other.target.close();
  expect(await pass).toEqual([]);
});
