import { describe, expect, test } from 'vitest';
import { edgeResolver } from '../../../src/health/checks/resolve.ts';
import { type Lookup, NameResolver, type ResolverLimits } from '../../../src/system/resolver.ts';

/** A resolver over scripted look-ups, with a clock that only the test moves. */
function resolver(answers: Record<string, () => Promise<readonly string[]>>, limits: Partial<ResolverLimits> = {}) {
  const clock = { ms: 0 };
  const asked: string[] = [];
  const lookup: Lookup = async (name) => {
    asked.push(name);
    const answer = answers[name];
    if (answer === undefined) throw fault('ENOTFOUND');
    return (await answer()).map((address) => ({ address }));
  };
  const names = new NameResolver({ lookup, now: () => clock.ms, limits: { staleMs: Infinity, ...limits } });
  const resolve = edgeResolver(names, () => clock.ms);
  return {
    clock,
    asked,
    names,
    resolve: (edge: string, { waitMs = 10_000, again = false } = {}) => resolve(edge, { waitMs, again }),
  };
}

function fault(code: string): Error {
  return Object.assign(new Error(`getaddrinfo ${code}`), { code });
}

const never = (): Promise<never> => new Promise(() => {});

describe('an address is its own', () => {
  test.each([
    ['192.0.2.1', { v4: '192.0.2.1', v6: null }],
    ['2001:DB8:0:0::1', { v4: null, v6: '2001:db8::1' }],
    ['::ffff:192.0.2.1', { v4: null, v6: '::ffff:c000:201' }],
    ['fe80::1%lo', { v4: null, v6: 'fe80::1%lo' }],
  ])('%s', async (edge, addresses) => {
    const { resolve, asked } = resolver({});
    expect(await resolve(edge)).toEqual({ ok: true, addresses, seconds: null, cached: false });
    expect(asked).toEqual([]);
  });
});

describe('of several addresses the lowest of each family', () => {
  test.each([
    ['numbers, not text', ['192.0.2.10', '192.0.2.9'], { v4: '192.0.2.9', v6: null }],
    ['IPv6 by number', ['2001:db8::10', '2001:db8::9', '2001:db8:1::'], { v4: null, v6: '2001:db8::9' }],
    ['both families', ['::1', '127.0.0.2', '127.0.0.1'], { v4: '127.0.0.1', v6: '::1' }],
  ])('%s', async (_name, found, addresses) => {
    const { resolve } = resolver({ edge: async () => found });
    expect(await resolve('edge')).toMatchObject({ ok: true, addresses });
    const turned = resolver({ edge: async () => [...found].reverse() });
    expect(await turned.resolve('edge')).toMatchObject({ ok: true, addresses });
  });
});

test('a name is asked for once while it is fresh, whatever its case, and by however many at once', async () => {
  const { resolve, asked, clock } = resolver({ 'edge.test': async () => ['192.0.2.1'] });
  await Promise.all([resolve('edge.test'), resolve('Edge.TEST'), resolve('edge.test')]);
  clock.ms = 59_999;
  await resolve('edge.test');
  expect(asked).toEqual(['edge.test']);
  clock.ms = 60_000;
  await resolve('edge.test');
  expect(asked).toEqual(['edge.test', 'edge.test']);
});

test('a name that does not exist is believed for ten seconds', async () => {
  const { resolve, asked, clock } = resolver({});
  expect(await resolve('nope.test')).toEqual({ ok: false, why: 'the name has no address', seconds: 0 });
  clock.ms = 9999;
  await resolve('nope.test');
  expect(asked).toHaveLength(1);
  clock.ms = 10_000;
  await resolve('nope.test');
  expect(asked).toHaveLength(2);
});

test.each(['nowhere.invalid', 'Nowhere.INVALID.', 'invalid'])(
  '%s has no address, and nobody is asked',
  async (name) => {
    const { resolve, asked } = resolver({ [name.toLowerCase()]: async () => ['192.0.2.1'] });
    expect(await resolve(name)).toEqual({ ok: false, why: 'the name has no address', seconds: 0 });
    expect(asked).toEqual([]);
  },
);

test('a name without addresses is told', async () => {
  const { resolve } = resolver({ edge: async () => [] });
  expect(await resolve('edge')).toMatchObject({ ok: false, why: 'the name has no address' });
});

describe('a resolver in trouble', () => {
  test.each([
    ['fails', () => Promise.reject(fault('EAI_AGAIN'))],
    ['does not answer', never],
  ])('that %s: an old answer stands in, however old', async (_name, trouble) => {
    const script = { answer: (): Promise<readonly string[]> => Promise.resolve(['192.0.2.1']) };
    const { resolve, clock } = resolver({ edge: () => script.answer() });
    await resolve('edge');
    script.answer = trouble;
    clock.ms = 3_600_000_000;
    expect(await resolve('edge', { waitMs: 20 })).toMatchObject({ ok: true, addresses: { v4: '192.0.2.1' } });
  });

  test.each([
    ['fails', () => Promise.reject(fault('EAI_AGAIN'))],
    ['does not answer', never],
  ])('that %s from the start: addresses of an earlier run are tried', async (_name, answer) => {
    const { resolve, names } = resolver({ edge: answer });
    names.seed('edge', ['2001:db8::1', '192.0.2.1']);
    const found = await resolve('edge', { waitMs: 20 });
    expect(found).toMatchObject({ ok: true, addresses: { v4: '192.0.2.1', v6: '2001:db8::1' } });
  });

  test('is asked again after it failed without an old answer', async () => {
    const script = { answer: (): Promise<readonly string[]> => Promise.reject(fault('EAI_AGAIN')) };
    const { resolve, clock } = resolver({ edge: () => script.answer() });
    expect(await resolve('edge')).toMatchObject({ ok: false });
    script.answer = () => Promise.resolve(['192.0.2.1']);
    clock.ms = 10_000;
    expect(await resolve('edge')).toMatchObject({ ok: true });
  });

  test('a definite "no such name" ends the old answer', async () => {
    const script = { answer: (): Promise<readonly string[]> => Promise.resolve(['192.0.2.1']) };
    const { resolve, clock } = resolver({ edge: () => script.answer() });
    await resolve('edge');
    script.answer = () => Promise.reject(fault('ENOTFOUND'));
    clock.ms = 60_000;
    expect(await resolve('edge')).toMatchObject({ ok: false, why: 'the name has no address' });
  });

  test('a late answer serves the next who asks', async () => {
    let answer = (_addresses: readonly string[]): void => {};
    const late = new Promise<readonly string[]>((resolve) => {
      answer = resolve;
    });
    const { resolve, asked } = resolver({ edge: () => late }, {});
    expect(await resolve('edge', { waitMs: 20 })).toMatchObject({ ok: false });
    answer(['192.0.2.1']);
    expect(await resolve('edge')).toMatchObject({ ok: true, addresses: { v4: '192.0.2.1' } });
    expect(asked).toHaveLength(1);
  });

  test('hangs on two names: a third waits its turn, but not for ever', async () => {
    let free = (): void => {};
    const hanging = new Promise<readonly string[]>((resolve) => {
      free = () => resolve(['192.0.2.1']);
    });
    const { resolve, asked } = resolver({ a: () => hanging, b: never, c: async () => ['192.0.2.3'] });
    await Promise.all(['a', 'b'].map((name) => resolve(name, { waitMs: 20 })));
    expect(await resolve('c', { waitMs: 20 })).toMatchObject({
      ok: false,
      why: 'no answer from the resolver in 0.02 s',
    });
    expect(asked).toEqual(['a', 'b']);
    free();
    expect(await resolve('c')).toMatchObject({ ok: true });
  });
});

test('no longer is waited than the fetch may take', async () => {
  const { resolve } = resolver({ edge: never });
  expect(await resolve('edge', { waitMs: 30 })).toMatchObject({
    ok: false,
    why: 'no answer from the resolver in 0.03 s',
  });
});

test('no more names are remembered than allowed, the oldest go first', async () => {
  const all = async (): Promise<readonly string[]> => ['192.0.2.1'];
  const { resolve, asked } = resolver({ a: all, b: all, c: all }, { names: 2 });
  for (const name of ['a', 'b', 'c', 'c', 'b', 'a']) await resolve(name);
  expect(asked).toEqual(['a', 'b', 'c', 'a']);
});

test('an address that does not work is looked up again, fresh as it may be', async () => {
  const script = { answer: '192.0.2.1' };
  const { resolve, asked } = resolver({ edge: async () => [script.answer] });
  expect(await resolve('edge')).toMatchObject({ addresses: { v4: '192.0.2.1' }, cached: false });
  script.answer = '192.0.2.2';
  expect(await resolve('edge')).toMatchObject({ addresses: { v4: '192.0.2.1' }, cached: true });
  expect(await resolve('edge', { again: true })).toMatchObject({ addresses: { v4: '192.0.2.2' }, cached: false });
  expect(asked).toHaveLength(2);
});

test.each([
  ['0.0.0.0', 'the name has no address but 0.0.0.0, which is the unspecified address, which names no machine'],
  ['::', 'the name has no address but ::, which is the unspecified address, which names no machine'],
  ['224.0.0.1', 'the name has no address but 224.0.0.1, which is a multicast address, which no server has'],
])('an answer of %s is none: a connection there would be one to ourselves', async (address, why) => {
  expect(await resolver({ edge: async () => [address] }).resolve('edge')).toMatchObject({ ok: false, why });
  const both = await resolver({ edge: async () => [address, '127.0.0.2'] }).resolve('edge');
  expect(both).toMatchObject({ ok: true, addresses: { v4: '127.0.0.2', v6: null } });
});
