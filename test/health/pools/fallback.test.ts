import { describe, expect, test } from 'vitest';
import type { Config } from '../../../src/config/types.ts';
import type { LiveMember } from '../../../src/health/choose/live-member.ts';
import { NO_MEMORY } from '../../../src/health/choose/memory.ts';
import { type FallbackSource, fallbackSet } from '../../../src/health/pools/fallback.ts';
import { BASE, parse } from '../../config/config-fixture.ts';

const NOW = 1_800_000_000;
const member = (edge: string): LiveMember => ({ edge, v4: edge, v6: null, why: '' });

type Words = {
  readonly live: readonly string[];
  readonly failing?: readonly string[];
  readonly recovered?: readonly string[];
  readonly borrowed?: readonly string[];
  readonly lastRun?: number | null;
  readonly since?: number;
  readonly silent?: readonly string[];
};

function source({ live, failing = [], recovered = [], borrowed = [], ...rest }: Words): FallbackSource {
  const entry = (passingSince: number | null) => ({ falls: 1, fails: 1, passingSince, at: NOW });
  const unsteady = new Map([
    ...failing.map((edge) => [edge, entry(null)] as const),
    ...recovered.map((edge) => [edge, entry(NOW)] as const),
  ]);
  const { lastRun = NOW - 10, since = 0, silent = [] } = rest;
  return { state: { live: live.map(member), memory: { ...NO_MEMORY, unsteady, borrowed }, lastRun }, since, silent };
}

/** b falls back on c, with an interval of 60 s. */
const config: Config = parse(`${BASE}run_frequency: 60\nsafety: {b: {min_up: 1, below: {fallback: c}}}\n`)
  .config as Config;

const doubt = async (sources: Readonly<Record<string, Words>>): Promise<string | null | undefined> => {
  const set = await fallbackSet('b', config, NOW, async (name) => (name in sources ? source(sources[name]) : null));
  return set?.doubt;
};

test.each<[string, Words]>([
  ['all pass', { live: ['1', '2'] }],
  ['one passes', { live: ['1', '2'], failing: ['1'] }],
  ['one passes again', { live: ['1', '2'], failing: ['1'], recovered: ['2'] }],
  ['it was taken over by this process just now', { live: ['1'], lastRun: null, since: NOW }],
  ['its last turn was three intervals ago', { live: ['1'], lastRun: NOW - 180 }],
])('no doubt: %s', async (_, words) => {
  expect(await doubt({ b: words })).toBeNull();
});

test.each<[string, Words, string]>([
  ['all fail', { live: ['1', '2'], failing: ['1', '2'] }, 'no live edge of b passes'],
  [
    'one fails, of the other nothing is known',
    { live: ['1', '2'], failing: ['1'], silent: ['2'] },
    'no live edge of b passes',
  ],
  [
    'its last turn is too old',
    { live: ['1'], lastRun: NOW - 181 },
    'the edges of b were last checked more than 180 s ago',
  ],
  ['it was never asked', { live: ['1'], lastRun: null }, 'the edges of b were last checked more than 180 s ago'],
])('doubt: %s', async (_, words, text) => {
  expect(await doubt({ b: words })).toBe(text);
});

test('a network without a set, or that is not there, has nothing to lend', async () => {
  expect(await fallbackSet('b', config, NOW, async () => source({ live: [] }))).toBeNull();
  expect(await fallbackSet('b', config, NOW, async () => null)).toBeNull();
});

describe('a chain of three', () => {
  const b: Words = { live: ['8', '9'], borrowed: ['8', '9'] };

  test('what b has borrowed from c passes as far as c says so', async () => {
    expect(await doubt({ b, c: { live: ['8', '9'] } })).toBeNull();
    expect(await doubt({ b, c: { live: ['8', '9'], failing: ['8', '9'] } })).toBe('no live edge of c passes');
    expect(await doubt({ b })).toBe('c is not there');
  });

  test('one of its own that passes is enough', async () => {
    const mixed = { live: ['1', '9'], borrowed: ['9'] };
    expect(await doubt({ b: mixed, c: { live: ['9'], failing: ['9'] } })).toBeNull();
    expect(await doubt({ b: { ...mixed, failing: ['1'] }, c: { live: ['9'], failing: ['9'] } })).not.toBeNull();
  });
});
