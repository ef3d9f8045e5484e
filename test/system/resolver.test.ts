import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalAddress, type Lookup, NameResolver, type ResolverLimits } from '../../src/system/resolver.ts';

const failure = (code: string): Error => Object.assign(new Error(code), { code });

/** A resolver whose look-ups end when the test says so. */
class Fixture {
  readonly asked: string[] = [];
  clock = 0;
  most = 0;
  /** What the next look-ups bring. */
  result: readonly string[] | Error = ['192.0.2.1'];
  private running = 0;
  private readonly waiting: (() => void)[] = [];
  readonly names: NameResolver;

  constructor(limits: Partial<ResolverLimits> = {}) {
    this.names = new NameResolver({ lookup: this.lookup, now: () => this.clock, limits });
  }

  readonly lookup: Lookup = async (name) => {
    this.asked.push(name);
    this.most = Math.max(this.most, ++this.running);
    await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.running -= 1;
    if (this.result instanceof Error) throw this.result;
    return this.result.map((address) => ({ address }));
  };

  async answer(): Promise<void> {
    for (const resolve of this.waiting.splice(0)) resolve();
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Resolves a name with this result. */
  async bring(name: string, result: readonly string[] | Error): Promise<unknown> {
    this.result = result;
    const answer = this.names.resolve(name);
    await this.answer();
    return answer;
  }
}

test('addresses come each once, in one spelling, lowest first', async () => {
  const fixture = new Fixture();
  const given = ['2001:DB8::2', '192.0.2.10', '192.0.2.9', '2001:db8:0::1', '2001:db8::2', 'nonsense'];
  expect(await fixture.bring('Edge.Test.', given)).toEqual({
    kind: 'found',
    addresses: ['192.0.2.9', '192.0.2.10', '2001:db8::1', '2001:db8::2'],
    stale: false,
  });
  expect(fixture.asked).toEqual(['edge.test']);
});

test.each([
  ['192.0.2.1', ['192.0.2.1']],
  ['2001:DB8:0::1', ['2001:db8::1']],
  ['fe80::1%eth0', ['fe80::1%eth0']],
])('the address %s is its own answer', async (text, addresses) => {
  const { names, asked } = new Fixture();
  expect(await names.resolve(text)).toEqual({ kind: 'found', addresses, stale: false });
  expect([names.isDue(text), asked]).toEqual([false, []]);
});

test.each(['invalid', 'a.INVALID.', 'b.invalid'])('%s does not exist, and nobody is asked', async (name) => {
  const { names, asked } = new Fixture();
  expect(await names.resolve(name)).toMatchObject({ kind: 'none' });
  expect(asked).toEqual([]);
});

test('one look-up however many ask and in whatever spelling', async () => {
  const fixture = new Fixture();
  const answers = ['a.test', 'A.test', 'a.test.'].map((name) => fixture.names.resolve(name));
  await fixture.answer();
  expect(new Set((await Promise.all(answers)).map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(fixture.asked).toEqual(['a.test']);
});

test.each<[string, readonly string[] | Error, number]>([
  ['addresses', ['192.0.2.1'], 60_000],
  ['no such name', failure('ENOTFOUND'), 10_000],
  ['no address', [], 10_000],
  ['a failure', failure('EAI_AGAIN'), 10_000],
])('%s are asked for again when their time is over', async (_, result, lasts) => {
  const fixture = new Fixture();
  const first = await fixture.bring('a.test', result);
  fixture.clock = lasts - 1;
  expect(await fixture.names.resolve('a.test')).toEqual(first);
  expect(fixture.names.isDue('a.test')).toBe(false);
  fixture.clock = lasts;
  expect(fixture.names.isDue('a.test')).toBe(true);
  await fixture.bring('a.test', result);
  expect(fixture.asked).toHaveLength(2);
});

test('a failing resolver takes nothing back, and is not asked at every turn; old addresses end at last', async () => {
  const fixture = new Fixture({ staleMs: 100_000 });
  await fixture.bring('a.test', ['192.0.2.1']);
  const stale = { kind: 'found', addresses: ['192.0.2.1'], stale: true };
  fixture.clock = 60_000;
  expect(await fixture.bring('a.test', failure('EAI_AGAIN'))).toEqual(stale);
  expect(await fixture.names.resolve('a.test')).toEqual(stale);
  expect(fixture.asked).toHaveLength(2);
  fixture.clock = 100_000;
  expect(fixture.names.known('a.test')).toBeNull();
  expect(await fixture.bring('a.test', failure('EAI_AGAIN'))).toMatchObject({ kind: 'failed' });
});

test('"no such name" takes the addresses back', async () => {
  const fixture = new Fixture();
  await fixture.bring('a.test', ['192.0.2.1']);
  fixture.clock = 60_000;
  expect(await fixture.bring('a.test', failure('ENOTFOUND'))).toMatchObject({ kind: 'none' });
});

test('a look-up that takes too long goes on; meanwhile what was known serves', async () => {
  const fixture = new Fixture();
  expect(await fixture.names.resolve('a.test', 1)).toMatchObject({
    kind: 'failed',
    why: expect.stringMatching(/0\.001 s/),
  });
  await fixture.answer();
  expect(fixture.names.known('a.test')).toMatchObject({ kind: 'found', stale: false });
  fixture.clock = 60_000;
  expect(await fixture.names.resolve('a.test', 1)).toMatchObject({ kind: 'found', stale: true });
});

test('an expired name is asked for at once, and stays known meanwhile', async () => {
  const fixture = new Fixture();
  await fixture.bring('a.test', ['192.0.2.1']);
  fixture.names.expire('A.test');
  expect([fixture.names.isDue('a.test'), fixture.names.known('a.test')]).toMatchObject([true, { kind: 'found' }]);
  expect(await fixture.bring('a.test', ['192.0.2.2'])).toMatchObject({ addresses: ['192.0.2.2'] });
  fixture.names.expire('never.test'); // nothing is known of it
  expect(fixture.names.known('never.test')).toBeNull();
});

test('seeded addresses stand in until the resolver answers, and replace nothing', async () => {
  const fixture = new Fixture();
  fixture.names.seed('a.test', ['192.0.2.7', '192.0.2.6']);
  expect(fixture.names.known('a.test')).toEqual({ kind: 'found', addresses: ['192.0.2.6', '192.0.2.7'], stale: true });
  expect(fixture.names.isDue('a.test')).toBe(true);
  expect(await fixture.bring('a.test', failure('EAI_AGAIN'))).toMatchObject({ addresses: ['192.0.2.6', '192.0.2.7'] });
  fixture.clock = 20_000;
  expect(await fixture.bring('a.test', ['192.0.2.1'])).toMatchObject({ addresses: ['192.0.2.1'] });
  fixture.names.seed('a.test', ['192.0.2.7']);
  fixture.names.seed('b.test', []);
  expect(fixture.names.known('a.test')).toMatchObject({ addresses: ['192.0.2.1'] });
  expect(fixture.names.known('b.test')).toBeNull();
});

test('few look-ups at a time, and a bound on those that wait', async () => {
  const fixture = new Fixture({ names: 50 });
  const answers = Array.from({ length: 60 }, (_, i) => fixture.names.resolve(`n${i}.test`));
  expect(fixture.asked).toHaveLength(2);
  while (fixture.asked.length < 50) await fixture.answer();
  await fixture.answer();
  const kinds = (await Promise.all(answers)).map(({ kind }) => kind);
  expect([fixture.most, kinds.filter((kind) => kind === 'found').length]).toEqual([2, 50]);
  expect(kinds.slice(50)).toEqual(new Array(10).fill('failed'));
});

test('once stopped, what waits fails and nobody is asked any more', async () => {
  const fixture = new Fixture();
  const answers = ['a', 'b', 'c', 'd'].map((name) => fixture.names.resolve(`${name}.test`));
  fixture.names.stop();
  await fixture.answer();
  expect((await Promise.all(answers)).map(({ kind }) => kind)).toEqual(['found', 'found', 'failed', 'failed']);
  expect(await fixture.names.resolve('e.test')).toMatchObject({ kind: 'failed' });
  expect(fixture.asked).toEqual(['a.test', 'b.test']);
});

test('the name used longest ago is forgotten first', async () => {
  const fixture = new Fixture({ names: 2 });
  await fixture.bring('a.test', ['192.0.2.1']);
  await fixture.bring('b.test', ['192.0.2.1']);
  fixture.names.known('a.test');
  await fixture.bring('c.test', ['192.0.2.1']);
  expect(['a', 'b', 'c'].map((name) => fixture.names.known(`${name}.test`)?.kind)).toEqual([
    'found',
    undefined,
    'found',
  ]);
});

test('one spelling an address, whatever the spelling given', () => {
  const groups = fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 });
  const spelled = (group: number, upper: boolean, pad: boolean): string => {
    const hex = group.toString(16).padStart(pad ? 4 : 1, '0');
    return upper ? hex.toUpperCase() : hex;
  };
  fc.assert(
    fc.property(groups, fc.boolean(), fc.boolean(), (parts, upper, pad) => {
      const plain = canonicalAddress(parts.map((part) => part.toString(16)).join(':'));
      expect(canonicalAddress(parts.map((part) => spelled(part, upper, pad)).join(':'))).toBe(plain);
      expect(canonicalAddress(plain ?? '')).toBe(plain);
    }),
  );
  expect(['', 'a.test', '192.0.2', '::g'].map(canonicalAddress)).toEqual([null, null, null, null]);
});
