import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Batch,
  batches,
  type CloudflareCorrection,
  type CloudflareRecord,
} from '../../../src/publish/providers/cloudflare-batch.ts';

const PLAIN = { wanted: null, namesProxied: new Set<string>() };
const NAME = 'www.example.org';

let ids = 0;

function record(content: string, more: Partial<CloudflareRecord> = {}): CloudflareRecord {
  ids += 1;
  const type = content.includes(':') ? 'AAAA' : 'A';
  return { id: `r${ids}`, type, name: NAME, content, ttl: 60, proxied: false, readOnly: false, ...more };
}

function correction(
  held: readonly CloudflareRecord[],
  to: readonly string[] | null,
  { ttl = 60, name = NAME, type = 'A' as const }: { ttl?: number; name?: string; type?: 'A' | 'AAAA' } = {},
): CloudflareCorrection {
  const was = { name, type, ttl: 60, addresses: held.map(({ content }) => content), extra: [], own: { records: held } };
  return {
    name,
    type,
    was: held.length === 0 ? null : was,
    to: to === null ? null : { name, type, ttl, addresses: to },
    text: '',
  };
}

/** As the API carries a call out. */
function carriedOut(
  records: readonly CloudflareRecord[],
  { deletes, patches, posts }: Batch,
): readonly CloudflareRecord[] {
  const gone = new Set(deletes.map(({ id }) => id));
  const kept = records.filter(({ id }) => !gone.has(id));
  const patched = kept.map((one) => ({ ...one, ...patches.find(({ id }) => id === one.id) }));
  return [...patched, ...posts.map((post) => ({ ...record(post.content), ...post }))];
}

test('an address that is replaced keeps its record, so that its comment and tags live on', () => {
  const [first, second] = [record('192.0.2.1'), record('192.0.2.2')];
  const [batch, ...more] = batches([correction([first, second], ['192.0.2.2', '192.0.2.9'])], PLAIN, 200);
  expect(more).toEqual([]);
  expect(batch).toEqual({
    deletes: [],
    patches: [{ id: first.id, type: 'A', name: NAME, content: '192.0.2.9', ttl: 60, proxied: false }],
    posts: [],
  });
});

test.each([
  ['what is as it should be is not touched', [record('192.0.2.1')], ['192.0.2.1'], [0, 0, 0]],
  ['a new set is posted', [], ['192.0.2.1', '192.0.2.2'], [0, 0, 2]],
  ['what is left over is deleted', [record('192.0.2.1'), record('192.0.2.2')], ['192.0.2.3'], [1, 1, 0]],
  ['what is missing is posted', [record('192.0.2.1')], ['192.0.2.2', '192.0.2.3'], [0, 1, 1]],
  ['a set that goes is deleted', [record('192.0.2.1'), record('192.0.2.2')], null, [2, 0, 0]],
  ['a TTL is patched', [record('192.0.2.1', { ttl: 300 })], ['192.0.2.1'], [0, 1, 0]],
  ['the same address twice is one too many', [record('192.0.2.1'), record('192.0.2.1')], ['192.0.2.1'], [1, 0, 0]],
])('%s', (_, held, to, counts) => {
  const [batch] = batches([correction(held, to)], PLAIN, 200);
  const { deletes = [], patches = [], posts = [] } = batch ?? {};
  expect([deletes.length, patches.length, posts.length]).toEqual(counts);
});

test('another spelling of an IPv6 address is the same address', () => {
  const held = [record('2001:DB8:0::1')];
  expect(batches([correction(held, ['2001:db8::1'], { type: 'AAAA' })], PLAIN, 200)).toEqual([]);
});

describe('proxied', () => {
  const posted = (proxying: Parameters<typeof batches>[1], held: readonly CloudflareRecord[] = []) =>
    batches([correction(held, ['192.0.2.7', ...held.map(({ content }) => content)])], proxying, 200)[0]?.posts;

  test.each([
    ['not given: a new set is not', PLAIN, [], false, 60],
    [
      'not given: a record that joins proxied ones is',
      PLAIN,
      [record('192.0.2.1', { proxied: true, ttl: 1 })],
      true,
      1,
    ],
    ['not given: a family that joins a proxied one is', { ...PLAIN, namesProxied: new Set([NAME]) }, [], true, 1],
    ['true: a new set is, with the automatic TTL', { ...PLAIN, wanted: true }, [], true, 1],
    ['false: a new set is not', { wanted: false, namesProxied: new Set([NAME]) }, [], false, 60],
  ])('%s', (_, proxying, held, proxied, ttl) => {
    expect(posted(proxying, held)).toEqual([{ type: 'A', name: NAME, content: '192.0.2.7', ttl, proxied }]);
  });

  test('an existing record is made proxied, or no longer', () => {
    const held = [record('192.0.2.1')];
    const on = batches([correction(held, ['192.0.2.1'])], { ...PLAIN, wanted: true }, 200);
    expect(on[0]?.patches).toMatchObject([{ proxied: true, ttl: 1 }]);
    const off = batches(
      [correction([record('192.0.2.1', { proxied: true, ttl: 1 })], ['192.0.2.1'])],
      { ...PLAIN, wanted: false },
      200,
    );
    expect(off[0]?.patches).toMatchObject([{ proxied: false, ttl: 60 }]);
  });
});

test('where a family goes and the other one comes, what comes is called for first', () => {
  const going = correction([record('192.0.2.1')], null);
  const coming = correction([], ['2001:db8::1'], { type: 'AAAA' });
  const calls = batches([going, coming], PLAIN, 200);
  expect(calls.map(({ deletes, posts }) => [deletes.length, posts.length])).toEqual([
    [0, 1],
    [1, 0],
  ]);
});

test('whatever is held and wanted: the calls lead there, are small enough, and never leave a name without address', () => {
  const address = fc.integer({ min: 1, max: 12 }).map((n) => `192.0.2.${n}`);
  const set = fc.record({
    held: fc.uniqueArray(address, { maxLength: 12 }),
    to: fc.uniqueArray(address, { minLength: 1, maxLength: 12 }),
    ttl: fc.constantFrom(60, 300),
  });
  fc.assert(
    fc.property(fc.array(set, { maxLength: 4 }), fc.integer({ min: 1, max: 8 }), (sets, max) => {
      const named = sets.map((one, i) => ({ ...one, name: `n${i}.example.org` }));
      const held = named.map(({ held: texts, name }) => texts.map((content) => record(content, { name })));
      const unrelated = record('192.0.2.200', { name: 'other.example.org' });
      const corrections = named.map(({ to, ttl, name }, i) => correction(held[i] ?? [], to, { ttl, name }));
      let now: readonly CloudflareRecord[] = [...held.flat(), unrelated];
      for (const batch of batches(corrections, PLAIN, max)) {
        expect(batch.deletes.length + batch.patches.length + batch.posts.length).toBeLessThanOrEqual(max);
        now = carriedOut(now, batch);
        for (const [i, { name }] of named.entries()) {
          if ((held[i] ?? []).length > 0) expect(now.some((one) => one.name === name)).toBe(true);
        }
      }
      for (const { name, to, ttl } of named) {
        const left = now.filter((one) => one.name === name);
        expect(left.map(({ content }) => content).sort()).toEqual([...to].sort());
        expect(left.every((one) => one.ttl === ttl)).toBe(true);
      }
      expect(now).toContainEqual(unrelated);
    }),
  );
});
