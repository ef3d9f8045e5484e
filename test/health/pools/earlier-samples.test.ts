import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Config, NetworkFiles } from '../../../src/config/types.ts';
import type { Sample } from '../../../src/health/checks/sample.ts';
import { decideFacts, factsOf } from '../../../src/health/choose/decide.ts';
import { countEarlier } from '../../../src/health/choose/earlier-samples.ts';
import type { Memory } from '../../../src/health/choose/memory.ts';
import { missKey } from '../../../src/health/choose/misses.ts';
import type { ReferenceFact } from '../../../src/health/choose/safety-uplink.ts';
import { earlierOf, type FreshByTarget } from '../../../src/health/pools/fresh-samples.ts';
import { judgedSamples, noteRecords, SampleFolds } from '../../../src/health/pools/records.ts';
import { roundInput, sampledEdges } from '../../../src/health/pools/round-input.ts';
import { type EdgeRecord, NEW_EDGE, type StoredSample } from '../../../src/health/state/edge-store.ts';
import { NEW_STATE, type NetworkState } from '../../../src/health/state/network-state.ts';
import { downtimeOfDay, reachOf, type Uptime } from '../../../src/health/state/uptime.ts';
import { BASE, parse } from '../../config/config-fixture.ts';
import { NOW, sample } from '../../support/round-input.ts';

const NET = 'mynet';
const EDGE = '127.0.0.1';
const FILES: NetworkFiles = { name: NET, edges: [EDGE], canaries: new Map() };

/** `1` passes, `0` fails, `s` is slow; after a colon over IPv6. */
function sampleAt(result: string, at: number): Sample {
  const [v4, v6] = result.split(':');
  const own = sample(EDGE, v4 === '1' ? 0.2 : v4 === 's' ? 3 : 10, at);
  const { primary } = own;
  if (primary === null || v6 === undefined) return own;
  const fail = v6 === '1' ? null : { reason: 'refused' as const, detail: '' };
  return { ...own, others: [{ ...primary, address: '::1', seconds: v6 === '1' ? 0.2 : 10, fail }] };
}

type Known = { readonly state: NetworkState; readonly record: EdgeRecord };

/** The edge is live, and nothing else can be, so that the answer stays what it is. */
const LIVE: Known = {
  state: {
    ...NEW_STATE,
    live: [{ edge: EDGE, v4: EDGE, v6: null, why: '' }],
    memory: { ...NEW_STATE.memory, lastLive: [EDGE], answered: new Map([[EDGE, { v4: EDGE, v6: null }]]) },
  },
  record: NEW_EDGE,
};

/** One decision on these new samples: the pure part of `NetworkRounds.conclude`. */
function decided(
  known: Known,
  samples: readonly Sample[],
  config: Config,
  references: readonly ReferenceFact[],
): Known {
  const fresh: FreshByTarget = new Map([[EDGE, samples]]);
  const newest = samples[samples.length - 1];
  const folds = new SampleFolds();
  const folded = folds.end(new Map([[EDGE, known.record]]), fresh);
  const records = new Map([...folded].map(([name, { record }]) => [name, record]));
  const parts = {
    now: newest.at + 0.001,
    config,
    files: FILES,
    state: known.state,
    records,
    samples: new Map([[EDGE, newest]]),
  };
  const facts = factsOf({ ...roundInput(parts), references });
  const earlier = earlierOf(fresh);
  const counted = countEarlier(facts, sampledEdges(parts, earlier));
  const decision = decideFacts({ ...facts, memory: counted.memory });
  const stored = (one: Sample): StoredSample => folds.stored(one, reachOf(config.runFrequency));
  const judged = judgedSamples(earlier, counted.verdicts, stored);
  const decidedOn = { folded, fresh, earlier: judged, stored, isRun: true };
  const stores = { note: (_: string, change: (old: EdgeRecord) => EdgeRecord) => change(known.record) };
  const noted = noteRecords(stores, decision, { ...decidedOn, members: decision.live });
  return { state: { ...known.state, memory: decision.memory }, record: noted.get(EDGE) ?? NEW_EDGE };
}

/** What is remembered of the edge in the end. */
function remembered({ state, record }: Known): {
  readonly judged: Memory['judged'];
  readonly unsteady: Memory['unsteady'];
  readonly misses: Memory['misses'];
  readonly uptime: Uptime | undefined;
  readonly history: EdgeRecord['history'];
} {
  const { judged, unsteady, misses } = state.memory;
  return { judged, unsteady, misses, uptime: record.networks.get(NET)?.uptime, history: record.history };
}

function configOf(text: string): Config {
  const { config } = parse(`${BASE}${text}`);
  if (config === null) throw new Error('no configuration');
  return config;
}

const GOODENOUGH = configOf('');
const RISE_FALL = configOf(`run_frequency: 2\njudges: {${NET}: {rise_fall: {rise: 2, fall: 2}}}\n`);

function several(results: string, config = GOODENOUGH, seconds = 2): Known {
  const before = decided(LIVE, [sampleAt('1', NOW)], config, []);
  const samples = results.split(' ').map((result, i) => sampleAt(result, NOW + seconds * (i + 1)));
  return decided(before, samples, config, []);
}

describe('several samples between two decisions', () => {
  test.each([
    // results, transitions (seconds after the first), downtime, falls, failures in a row
    ['0', '2-', 0, { falls: 1, fails: 1, passingSince: null }],
    ['0 1', '2- 4+', 2, { falls: 1, fails: 0, passingSince: NOW + 4 }],
    ['0 1 0', '2- 4+ 6-', 2, { falls: 2, fails: 1, passingSince: null }],
    ['0 0 0', '2-', 4, { falls: 1, fails: 3, passingSince: null }],
    ['1 0 0 1 1', '4- 8+', 4, { falls: 1, fails: 0, passingSince: NOW + 8 }],
    ['0 s 0 s', '2- 4+ 6- 8+', 4, { falls: 2, fails: 0, passingSince: NOW + 8 }],
    ['1 1', '', 0, undefined],
  ])('%s: transitions %s', (results, transitions, downtime, unsteady) => {
    const after = several(results);
    const { uptime } = remembered(after);
    expect(uptime?.transitions.map(({ at, up }) => `${at - NOW}${up ? '+' : '-'}`).join(' ')).toBe(transitions);
    if (uptime === undefined) throw new Error('not judged');
    expect(downtimeOfDay(uptime, uptime.checkedAt, 180)).toBe(downtime);
    const entry = after.state.memory.unsteady.get(EDGE);
    if (unsteady === undefined) expect(entry).toBeUndefined();
    else expect(entry).toMatchObject(unsteady);
  });

  test('the last failure is noted although a later one of them passes', () => {
    const { uptime } = remembered(several('1 0 1'));
    expect(uptime?.lastFailure).toMatchObject({ at: NOW + 4, reason: 'timeout' });
  });

  test('an address that missed three times is as good as dead, and one that works between is not', () => {
    const misses = (results: string): number | undefined =>
      several(results).state.memory.misses.get(missKey(EDGE, EDGE))?.count;
    expect([misses('0 0 0'), misses('0 1 0 0'), misses('0 0 1')]).toEqual([3, 2, undefined]);
  });

  test('a judge that counts results decides at the right one', () => {
    const { uptime, judged } = remembered(several('0 0 0 1 1 0', RISE_FALL));
    expect(uptime?.transitions).toEqual([
      { at: NOW + 4, up: false },
      { at: NOW + 10, up: true },
    ]);
    expect(uptime?.position).toEqual({ count: 1, of: 2, towards: 'down' });
    expect(judged.get(EDGE)).toMatchObject({ up: true, count: 1 });
  });

  test('failures count as little as those that are decided upon while our own line is in doubt', () => {
    const before = decided(LIVE, [sampleAt('1', NOW)], GOODENOUGH, []);
    const doubt = [{ name: 'gateway', passes: false, detail: '' }];
    const samples = ['0', '1', '0'].map((result, i) => sampleAt(result, NOW + 2 * (i + 1)));
    const { uptime, unsteady } = remembered(decided(before, samples, GOODENOUGH, doubt));
    expect([uptime?.transitions, uptime?.checkedAt, unsteady.size]).toEqual([[], NOW + 4, 0]);
  });
});

test('samples one by one or several at a time come to the same', () => {
  const step = fc.record({
    result: fc.constantFrom('1', '0', 's', '1:1', '1:0', '0:1', '0:0'),
    after: fc.constantFrom(0.4, 1, 2, 60, 200, 4000, -30),
    // Whether a decision follows, where samples come several at a time.
    decide: fc.boolean(),
  });
  const doubts = fc.constantFrom<readonly ReferenceFact[]>([], [{ name: 'gateway', passes: false, detail: '' }]);
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 30 }),
      fc.constantFrom(GOODENOUGH, RISE_FALL),
      doubts,
      (steps, config, references) => {
        let at = NOW;
        const samples = steps.map(({ result, after }) => {
          at += after;
          return sampleAt(result, at);
        });
        let single = LIVE;
        let batched = LIVE;
        let waiting: Sample[] = [];
        for (const [i, one] of samples.entries()) {
          single = decided(single, [one], config, references);
          waiting.push(one);
          if (!steps[i].decide && i + 1 < samples.length) continue;
          batched = decided(batched, waiting, config, references);
          waiting = [];
        }
        // Over IPv6, decisions between them change what is answered, and with it which misses count.
        const isOne = samples.every(({ others }) => others.length === 0);
        const text = (known: Known): unknown => {
          const { misses, ...rest } = remembered(known);
          return isOne ? { misses, ...rest } : rest;
        };
        expect(text(batched)).toEqual(text(single));
      },
    ),
    { numRuns: 300 },
  );
});
