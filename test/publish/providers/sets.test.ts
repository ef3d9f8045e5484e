import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AddressType, HeldSet } from '../../../src/publish/providers/provider.ts';
import {
  canonicalAddresses,
  difference,
  isRight,
  keyText,
  type LeftSets,
  type SetRules,
  setKeys,
} from '../../../src/publish/providers/sets.ts';

const RULES: SetRules = { names: ['www.example.org'], types: ['A', 'AAAA'], ttl: 60, owner: true };

function held(type: AddressType, addresses: readonly string[], other: Partial<HeldSet> = {}): HeldSet {
  return { name: 'www.example.org', type, ttl: 60, addresses, extra: [], own: null, ...other };
}

type Row = {
  readonly what: string;
  readonly live?: { readonly v4?: readonly string[]; readonly v6?: readonly string[]; readonly unanswered?: 'v6' };
  readonly held?: readonly HeldSet[];
  readonly rules?: Partial<SetRules>;
  readonly extra?: readonly string[];
  readonly expected: readonly string[];
};

const rows: readonly Row[] = [
  { what: 'nothing live: nothing changes', held: [held('A', ['192.0.2.9'])], expected: [] },
  {
    what: 'a set that does not exist',
    live: { v4: ['192.0.2.2', '192.0.2.1'] },
    expected: ['www.example.org A: is new, 192.0.2.1, 192.0.2.2 with TTL 60'],
  },
  {
    what: 'order means nothing',
    live: { v4: ['192.0.2.2', '192.0.2.1'] },
    held: [held('A', ['192.0.2.1', '192.0.2.2'])],
    expected: [],
  },
  {
    what: 'one address instead of another',
    live: { v4: ['192.0.2.1', '192.0.2.2'] },
    held: [held('A', ['192.0.2.9', '192.0.2.2'])],
    expected: ['www.example.org A: adds 192.0.2.1, removes 192.0.2.9'],
  },
  {
    what: 'another TTL alone',
    live: { v4: ['192.0.2.1'] },
    held: [held('A', ['192.0.2.1'], { ttl: 300 })],
    expected: ['www.example.org A: TTL 60 instead of 300'],
  },
  {
    what: 'records of several TTLs',
    live: { v4: ['192.0.2.1'] },
    held: [held('A', ['192.0.2.1'], { ttl: null })],
    expected: ['www.example.org A: TTL 60 instead of several'],
  },
  {
    what: 'other words alone',
    live: { v4: ['192.0.2.1'] },
    held: [held('A', ['192.0.2.1'])],
    extra: ['proxied'],
    expected: ['www.example.org A: proxied instead of plain'],
  },
  {
    what: 'spellings of one IPv6 address',
    live: { v6: ['2001:db8:0:0::1'] },
    held: [held('AAAA', ['2001:DB8::1'])],
    expected: [],
  },
  {
    what: 'a family that the network never had stays as it is',
    live: { v4: ['192.0.2.1'] },
    held: [held('A', ['192.0.2.1']), held('AAAA', ['2001:db8::9'])],
    expected: [],
  },
  {
    what: 'the family that nobody answers goes, after what comes',
    live: { v4: ['192.0.2.1'], unanswered: 'v6' },
    held: [held('AAAA', ['2001:db8::9'])],
    expected: [
      'www.example.org A: is new, 192.0.2.1 with TTL 60',
      'www.example.org AAAA: is removed, no live edge has such an address (was 2001:db8::9)',
    ],
  },
  {
    what: 'a type that is not kept is nobody of ours',
    live: { v4: ['192.0.2.1'] },
    held: [held('A', ['192.0.2.1']), held('AAAA', ['2001:db8::9'])],
    rules: { types: ['A'] },
    expected: [],
  },
  {
    what: 'the other family does not count where it is not kept',
    live: { v6: ['2001:db8::1'] },
    held: [held('A', ['192.0.2.1'])],
    rules: { types: ['A'] },
    expected: [],
  },
];

describe('difference', () => {
  test.each(rows)('$what', ({ live, held: sets = [], rules, extra = [], expected }) => {
    const { corrections, foreign } = difference(
      { ...RULES, ...rules },
      { v4: [], v6: [], unanswered: null, ...live },
      sets,
      extra,
      null,
    );
    expect(corrections.map(({ text }) => text)).toEqual(expected);
    expect(foreign).toEqual([]);
  });

  const left: LeftSets = new Map([['www.example.org A', { ttl: 60, addresses: ['192.0.2.1'], extra: [] }]]);
  test.each([
    ['what we left is no change of others', [held('A', ['192.0.2.1'])], [], 1],
    [
      'another address is',
      [held('A', ['192.0.2.7'])],
      ['www.example.org A was changed by somebody else: 192.0.2.7 with TTL 60; 192.0.2.1 with TTL 60 was left there'],
      1,
    ],
    ['a set that is gone is', [], ['www.example.org A was removed by somebody else'], 1],
    ['what happens to be right is none', [held('A', ['192.0.2.2'])], [], 0],
  ])('%s', (_, sets, foreign, corrections) => {
    const found = difference(RULES, { v4: ['192.0.2.2'], v6: [], unanswered: null }, sets, [], left);
    expect(found.foreign.map(({ text }) => text)).toEqual(foreign);
    expect(found.corrections).toHaveLength(corrections);
    const kept = difference(
      { ...RULES, owner: false },
      { v4: ['192.0.2.2'], v6: [], unanswered: null },
      sets,
      [],
      left,
    );
    expect(kept.corrections).toHaveLength(foreign.length > 0 ? 0 : corrections);
  });
});

const v4 = fc.uniqueArray(
  fc.integer({ min: 0, max: 6 }).map((n) => `192.0.2.${n}`),
  { maxLength: 4 },
);
const v6 = fc.uniqueArray(
  fc.integer({ min: 0, max: 6 }).map((n) => `2001:db8::${n.toString(16)}`),
  { maxLength: 4 },
);
const names = fc.uniqueArray(fc.constantFrom('example.org', 'www.example.org', '*.example.org'), { minLength: 1 });

test('the corrections lead to the live set, then there are none, and no name is ever without address', () => {
  fc.assert(
    fc.property(v4, v6, names, fc.array(fc.tuple(v4, v6)), (four, six, kept, before) => {
      const rules = { ...RULES, names: kept };
      const sets = new Map<string, HeldSet>();
      for (const [i, name] of kept.entries()) {
        const [a = [], aaaa = []] = before[i] ?? [];
        if (a.length > 0) sets.set(`${name} A`, held('A', a, { name }));
        if (aaaa.length > 0) sets.set(`${name} AAAA`, held('AAAA', aaaa, { name }));
      }
      const answered = new Set([...sets.values()].map(({ name }) => name));
      const live = { v4: four, v6: six, unanswered: null };
      const left: LeftSets = new Map([...sets].map(([key, set]) => [key, set]));
      for (const { was, to, ...key } of difference(rules, live, [...sets.values()], [], left).corrections) {
        expect(sets.get(keyText(key)) ?? null).toEqual(was);
        if (to === null) sets.delete(keyText(key));
        else sets.set(keyText(key), { ...to, extra: [], own: null });
        for (const name of answered) expect([...sets.values()].some((set) => set.name === name)).toBe(true);
      }
      expect(difference(rules, live, [...sets.values()], [], left).corrections).toEqual([]);
      if (four.length + six.length === 0) return;
      for (const key of setKeys(rules)) {
        const addresses = canonicalAddresses(key.type === 'A' ? four : six);
        const wanted = addresses.length === 0 ? null : { ...key, ttl: 60, addresses };
        expect(isRight(sets.get(keyText(key)) ?? null, wanted, [])).toBe(true);
      }
    }),
  );
});
