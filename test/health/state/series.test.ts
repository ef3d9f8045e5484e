import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HISTORY_MAX } from '../../../src/health/judge/history.ts';
import { type EdgeRecord, NEW_EDGE, type RoundUpdate, withRound } from '../../../src/health/state/edge-store.ts';
import { parseEdgeRecord, printEdgeRecord } from '../../../src/health/state/edge-store-text.ts';
import { historyIn, historyOfCheck, withSample } from '../../../src/health/state/series.ts';

const NOW = 1_700_000_000;
const DAY = 86_400;

/** Two networks without `checks:`, two with one check, and one with two. */
const BOTH = ['http', 'a/b'] as const;
const CHECKS: { readonly [network: string]: readonly string[] | null } = {
  plain: null,
  other: null,
  tcp: ['tcp'],
  same: ['tcp'],
  both: BOTH,
};

/** One decision of a network, `after` seconds from `NOW`, with a sample of so many seconds. */
function decided(
  record: EdgeRecord,
  network: string,
  after: number,
  seconds: number,
  checks = CHECKS[network],
): EdgeRecord {
  const at = NOW + after;
  const ofChecks = (checks ?? []).map((name, i) => [name, seconds / (i + 1)] as const);
  const origin = { network, checks, seconds: ofChecks };
  const sample = { at, seconds, origin, failure: null, reach: 180 };
  const update: RoundUpdate = { network, at, isRun: true, sample, live: true, health: 'pass', position: null };
  return withRound(withSample(record, sample), update);
}

/** `plain:0.1 tcp:0.2`: decisions a minute apart. */
function story(text: string, record = NEW_EDGE, begin = 0): EdgeRecord {
  return text.split(' ').reduce((known, word, i) => {
    const [network, seconds] = word.split(':');
    return decided(known, network, begin + 60 * i, Number(seconds));
  }, record);
}

function read(record: EdgeRecord, network: string, checks = CHECKS[network]): readonly number[] {
  return historyIn(record, network, checks !== null).seconds;
}

describe("a network's judge reads what its own checks measured", () => {
  test.each<[string, string, { readonly [network: string]: readonly number[] }]>([
    ['without `checks:` there is one series', 'plain:1 other:2 plain:3', { plain: [1, 2, 3], other: [1, 2, 3] }],
    ['with and without', 'plain:1 tcp:2 plain:3 tcp:4', { plain: [1, 3], tcp: [2, 4] }],
    ['the one without comes later', 'tcp:1 tcp:2 plain:3 tcp:4 plain:5', { plain: [3, 5], tcp: [1, 2, 4] }],
    ['two with equal checks', 'tcp:1 same:2 tcp:3', { tcp: [1, 3], same: [2] }],
    ['four networks', 'both:1 tcp:2 other:3 both:4 plain:5', { both: [1, 4], tcp: [2], other: [3, 5], plain: [3, 5] }],
  ])('%s', (_, text, expected) => {
    const record = story(text);
    for (const [network, seconds] of Object.entries(expected)) expect(read(record, network), network).toEqual(seconds);
  });

  test('for every order of networks that come, go and change their checks', () => {
    // Seconds tell whose sample it is: the first digit the network, the second whether it had checks.
    const names = ['a', 'b', 'c'];
    const step = fc.record({ network: fc.nat(2), isChecked: fc.boolean(), times: fc.integer({ min: 1, max: 3 }) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), (steps) => {
        let record = NEW_EDGE;
        let at = 0;
        for (const { network, isChecked, times } of steps) {
          for (let i = 0; i < times; i++) {
            at += 60;
            const seconds = isChecked ? network + 1 : 10;
            record = decided(record, names[network], at, seconds, isChecked ? ['tcp'] : null);
            const seen = read(record, names[network], isChecked ? ['tcp'] : null);
            expect(new Set(seen)).toEqual(new Set([seconds]));
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  test('one that was never asked is without history, except in what it shares', () => {
    const record = story('tcp:1 both:2');
    expect(read(record, 'same')).toEqual([]);
    expect(read(record, 'plain')).toEqual([]);
    expect(read(story('plain:1'), 'other')).toEqual([1]);
    expect(read(story('plain:1'), 'tcp')).toEqual([]);
  });

  test('checks that are added or taken away: the first sample under the new ones begins anew', () => {
    const plain = decided(NEW_EDGE, 'tcp', 0, 1, null);
    expect(read(plain, 'tcp')).toEqual([1]); // until then
    const added = decided(plain, 'tcp', 60, 2);
    expect(read(added, 'tcp')).toEqual([2]);
    expect(read(added, 'tcp', null)).toEqual([2]); // until then
    const removed = decided(added, 'tcp', 120, 3, null);
    expect([read(removed, 'tcp', null), removed.series.size]).toEqual([[3], 0]);
    expect(read(decided(removed, 'tcp', 180, 4, null), 'tcp', null)).toEqual([3, 4]);
  });

  test('what edgemanage measured is read until the first sample', () => {
    const taken: EdgeRecord = { ...NEW_EDGE, history: { times: [NOW - 60], seconds: [0.3] } };
    expect(read(taken, 'tcp')).toEqual([0.3]);
    expect(read(decided(taken, 'tcp', 0, 0.1), 'tcp')).toEqual([0.1]);
  });

  test('a record that an earlier version wrote, in which samples are mixed', () => {
    const own = { state: 'in', stateSince: NOW - DAY, health: 'pass', seen: NOW - 60 } as const;
    const history = { times: [NOW - 120, NOW - 60], seconds: [1, 2] };
    const mixed = (...names: string[]): EdgeRecord => ({
      ...NEW_EDGE,
      history,
      networks: new Map(names.map((name) => [name, own])),
    });
    expect([read(mixed('tcp', 'plain'), 'tcp'), read(mixed('tcp', 'plain'), 'plain')]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    const both = story('tcp:3 plain:4', mixed('tcp', 'plain'));
    expect([read(both, 'tcp'), read(both, 'plain')]).toEqual([[3], [1, 2, 4]]);
    expect(read(story('tcp:3 same:4 tcp:5', mixed('tcp', 'same')), 'tcp')).toEqual([3, 5]);
    expect(story('tcp:3', mixed('tcp')).networks.get('tcp')?.stateSince).toBe(NOW - DAY);
  });

  test('several samples before the first decision all count', () => {
    const origin = (checks: readonly string[] | null) => ({ network: 'plain', checks, seconds: [] });
    const before = story('tcp:1');
    const one = withSample(before, { at: NOW + 1, seconds: 2, origin: origin(null) });
    const two = withSample(one, { at: NOW + 2, seconds: 3, origin: origin(null) });
    expect(two.history.seconds).toEqual([2, 3]);
    expect(withSample(two, { at: NOW + 2, seconds: 3, origin: origin(null) })).toBe(two);
  });
});

describe('fetch_times, for edgemanage', () => {
  test.each([
    ['has the samples of networks with `checks:` where there is no other', 'tcp:1 both:2 tcp:3', [1, 2, 3], true],
    ['has those of a network without them alone', 'plain:1 tcp:2 other:3 both:4', [1, 3], false],
    ['begins anew with the first one without', 'tcp:1 plain:2 tcp:3', [2], false],
  ])('%s', (_, text, seconds, ofChecks) => {
    const { history, historyOfChecks } = story(text);
    expect([history.seconds, historyOfChecks]).toEqual([seconds, ofChecks]);
  });

  test('has them again a day after the last network without them went', () => {
    const gone = story('plain:1 tcp:2');
    const later = story('tcp:3 tcp:4', gone, DAY + 60);
    expect(later.history.seconds).toEqual([1, 4]);
    expect(read(later, 'tcp')).toEqual([2, 3, 4]);
    expect(read(decided(later, 'plain', DAY + 300, 5), 'plain')).toEqual([5]);
  });
});

describe('checks of one network', () => {
  const samples = (record: EdgeRecord, check: string, checks: readonly string[] = BOTH): readonly number[] =>
    historyOfCheck(record, 'both', check, checks).seconds;

  test('each has its own series; a single one has that of its network', () => {
    const record = story('both:1 both:2 tcp:5');
    expect([samples(record, 'http'), samples(record, 'a/b'), samples(record, 'new')]).toEqual([[1, 2], [0.5, 1], []]);
    expect(historyOfCheck(record, 'tcp', 'tcp', ['tcp']).seconds).toEqual([5]);
    expect([...record.series.keys()].sort()).toEqual(['both', 'both/a/b', 'both/http', 'tcp']);
  });

  test('of one that is gone nothing is kept, others go on', () => {
    const before = story('both:1 tcp:2');
    const after = decided(before, 'both', 120, 3, ['http', 'icmp']);
    expect([...after.series.keys()].sort()).toEqual(['both', 'both/http', 'both/icmp', 'tcp']);
    expect(samples(after, 'http', ['http', 'icmp'])).toEqual([1, 3]);
    const single = decided(after, 'both', 180, 4, ['http']);
    expect([...single.series.keys()].sort()).toEqual(['both', 'tcp']);
  });

  test('a check without a result of its own (trouble of this machine) has no sample', () => {
    const origin = { network: 'both', checks: ['http', 'a/b'], seconds: [['a/b', 0.1]] } as const;
    const { series } = withSample(NEW_EDGE, { at: NOW, seconds: 0.1, origin });
    expect([...series.keys()].sort()).toEqual(['both', 'both/a/b']);
  });

  test('all together are as long as fetch_times', () => {
    let record = NEW_EDGE;
    const checks = Array.from({ length: 16 }, (_, i) => `c${i}`);
    for (let i = 0; i < 150; i++) record = decided(record, 'many', i, 1, checks);
    const lengths = checks.map((name) => historyOfCheck(record, 'many', name, checks).times.length);
    expect(lengths).toEqual(new Array(16).fill(HISTORY_MAX / 16));
    expect(read(record, 'many', checks)).toHaveLength(150);
  });
});

test.each([
  [1, HISTORY_MAX],
  [5, HISTORY_MAX],
  [8, 1250],
  [100, 100],
  [2000, 20],
])('of %d networks with `checks:` each keeps %d samples', (count, kept) => {
  const history = {
    times: Array.from({ length: HISTORY_MAX }, (_, i) => NOW - HISTORY_MAX + i),
    seconds: new Array<number>(HISTORY_MAX).fill(0.1),
  };
  const names = Array.from({ length: count }, (_, i) => `n${i}`);
  const full: EdgeRecord = { ...NEW_EDGE, series: new Map(names.map((name) => [name, history])) };
  const after = decided(full, 'n0', 0, 0.2, ['tcp']);
  expect(read(after, 'n0', ['tcp'])).toHaveLength(kept);
  expect(read(after, 'n0', ['tcp']).at(-1)).toBe(0.2);
});

describe('in the file', () => {
  test('series are dropped a day after their network', () => {
    const record = story('both:1 tcp:2');
    expect([...decided(record, 'tcp', DAY, 3).series.keys()].sort()).toEqual(['tcp']);
    expect([...decided(record, 'tcp', DAY - 10, 3).series.keys()]).toHaveLength(4);
  });

  test('they are printed as fetch_times are, and read again', () => {
    const record = story('both:0.5 tcp:0.25');
    const text = printEdgeRecord(record);
    expect(text).toContain(`    "fetch_times_of_checks": true,
    "health"`);
    expect(text).toContain(`    "series": {
        "both": {
            "1700000000.00": 0.5
        },
        "both/a/b": {
            "1700000000.00": 0.25
        },
        "both/http": {
            "1700000000.00": 0.5
        },
        "tcp": {
            "1700000060.00": 0.25
        }
    },
    "state": "in",`);
    const parsed = parseEdgeRecord(text);
    expect(parsed.ok && parsed.record.series).toEqual(record.series);
    expect(parsed.ok && printEdgeRecord(parsed.record)).toBe(text);
  });

  test('of a network without `checks:` there is nothing new', () => {
    expect(printEdgeRecord(story('plain:1 other:2'))).not.toMatch(/series|fetch_times_of_checks/);
  });

  test.each([
    ['series', '[1]'],
    ['series', '"text"'],
    ['series', '{"net": [1], "other": 5, "third": {"x": 1}}'],
    ['fetch_times_of_checks', '"yes"'],
  ])('%s that make no sense (%s) are left out', (key, value) => {
    const parsed = parseEdgeRecord(`{"${key}": ${value}}`);
    expect(parsed.ok && parsed.record).toEqual(NEW_EDGE);
  });

  test('a name like a property of every object is a name', () => {
    const text = printEdgeRecord(decided(NEW_EDGE, '__proto__', 0, 1, ['constructor', 'x']));
    const parsed = parseEdgeRecord(text);
    expect(parsed.ok && [...parsed.record.series.keys()]).toEqual([
      '__proto__',
      '__proto__/constructor',
      '__proto__/x',
    ]);
    expect(parsed.ok && printEdgeRecord(parsed.record)).toBe(text);
  });
});
