import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide, decideFacts, factsOf } from '../../../src/health/choose/decide.ts';
import type { Decision } from '../../../src/health/choose/decision.ts';
import type { RoundInput } from '../../../src/health/choose/round.ts';
import { canaryProspectsOf } from '../../../src/health/explain/canary.ts';
import { explain } from '../../../src/health/explain/explain.ts';
import { prospectsOf } from '../../../src/health/explain/prospects.ts';
import { explanationText } from '../../../src/health/explain/text.ts';
import type { EdgeInput, Mode } from '../../../src/health/judge/edge.ts';
import { addSample } from '../../../src/health/judge/history.ts';
import { recordStory } from '../../support/recorded-story.ts';
import { canary, type EdgeWords, NOW, type RoundWords, round, sample } from '../../support/round-input.ts';

const ABCD: Record<string, EdgeWords> = { A: {}, B: {}, C: {}, D: {} };

/** The sentences about one edge after the round of `words`. */
function prospects(words: RoundWords, edge: string): string[] {
  const facts = factsOf(round(words));
  return prospectsOf(facts, decideFacts(facts), edge, 60).map(({ text }) => text);
}

describe('what would change an edge’s fate', () => {
  const last = 'ABCD';
  const rows: [string, RoundWords, string, string[]][] = [
    [
      'live, a spare edge waits',
      { edges: { ...ABCD, E: {} }, last },
      'A',
      [
        'stays live while its next fetch takes under 0.700 s; from there E takes its place',
        'leaves when an operator makes it unavailable; then E takes its place',
      ],
    ],
    [
      'live, no spare edge',
      { edges: ABCD, last },
      'A',
      [
        'stays live even if its next fetch fails: no other edge would be fit to take its place',
        'leaves when an operator makes it unavailable',
      ],
    ],
    [
      'live, the spare edge is slow',
      { edges: { ...ABCD, E: { fetch: 5, history: 5 } }, last },
      'A',
      [
        'stays live until a fetch fails; then E takes its place',
        'leaves when an operator makes it unavailable; then E takes its place',
      ],
    ],
    [
      'kept although it fails',
      { edges: { ...ABCD, D: { fetch: 10 }, E: { fetch: 10 } }, last },
      'D',
      [
        'stays live even if its next fetch fails: no other edge would be fit to take its place',
        'leaves when E is fetched in 0.350 s',
        'leaves when an operator makes it unavailable',
      ],
    ],
    [
      'blindforced',
      { edges: { A: { mode: 'blindforce', fetch: 10 }, B: {} }, rules: { edgeCount: 1 } },
      'A',
      [
        'stays live whatever its fetches do, because it is blindforced',
        'leaves when an operator makes it unavailable; then B takes its place',
      ],
    ],
    [
      'spare and healthy',
      { edges: { ...ABCD, E: {} }, last },
      'E',
      [
        'will be live when the next fetch of one of A, B, C and D takes 0.700 s or more',
        'will be live at once when an operator sets its mode to force',
      ],
    ],
    [
      'spare and failing, a place is empty',
      { edges: { A: {}, B: { fetch: 10 } }, last: 'A' },
      'B',
      [
        'will be live when its next fetch succeeds within 10.000 s (its last took 10.000 s)',
        'will be live at once when an operator sets its mode to blindforce',
      ],
    ],
    [
      'spare, behind another spare',
      { edges: { ...ABCD, E: { history: 0.1 }, F: {} }, last },
      'F',
      [
        'will be live when 2 live edges fail at once: better ones come first',
        'will be live at once when an operator sets its mode to force',
      ],
    ],
    [
      'a live edge lags, this one lags more',
      { edges: { ...ABCD, D: { fetch: 0.9 }, E: { fetch: 5, history: 5 } }, last },
      'E',
      [
        'will be live when its next fetch takes under 0.700 s (its last took 5.000 s) and the others stay as they are',
        'will be live when the next fetch of one of A, B, C and D fails',
        'will be live at once when an operator sets its mode to force',
      ],
    ],
    [
      'unavailable, would be live',
      { edges: { A: {}, B: { mode: 'unavailable' } }, last: 'A' },
      'B',
      ['will be live once an operator makes it available, if its next fetch is like its last'],
    ],
    [
      'unavailable, would have to wait',
      { edges: { ...ABCD, E: { mode: 'unavailable' } }, last },
      'E',
      [
        'would have to be made available by an operator, and that alone would not do',
        'will be live when the next fetch of one of A, B, C and D takes 0.700 s or more',
      ],
    ],
    [
      'unavailable until a given time',
      { edges: { A: {}, B: { mode: 'unavailable', modeUntil: 1_700_003_600 } }, last: 'A' },
      'B',
      [
        'will be live at 2023-11-14T23:13:20Z when its mode ends, or once an operator makes it available, if its next fetch is like its last',
      ],
    ],
    [
      'unavailable until a given time, would have to wait then',
      { edges: { ...ABCD, E: { mode: 'unavailable', modeUntil: 1_700_003_600 } }, last },
      'E',
      [
        'is available again at 2023-11-14T23:13:20Z, and that alone would not do',
        'will be live when the next fetch of one of A, B, C and D takes 0.700 s or more',
      ],
    ],
    [
      'without an address',
      { edges: { A: {}, B: { v4: null, fetch: 10 } }, last: 'A' },
      'B',
      [
        'must resolve to an address first',
        'will be live when its next fetch succeeds within 10.000 s (its last took 10.000 s)',
      ],
    ],
    ['unlisted', { edges: { A: {} }, last: 'AB' }, 'B', ['considered again once the edge list names it']],
    [
      'a canary',
      { edges: { A: {}, B: {} }, last: 'A', canaries: [canary('example.com', 'B')] },
      'B',
      ['considered as an edge once it is no longer the canary of example.com'],
    ],
  ];
  test.each(rows)('%s', (_, words, edge, sentences) => {
    expect(prospects(words, edge)).toEqual(sentences);
  });

  const held: RoundWords = {
    edges: { ...ABCD, D: { fetch: 10 }, E: {}, F: {} },
    last,
    rules: { maxfreq: 2 },
    memory: { lastLive: [...last], rotations: [NOW - 400, NOW - 300] },
  };
  test('held: what happens when the limit ends, and what an operator could do now', () => {
    expect(prospects(held, 'D')).toEqual([
      'leaves when the hold ends at 2023-11-14T22:16:40Z, if nothing changes before',
      'leaves when an operator makes it unavailable; then E takes its place',
    ]);
    expect(prospects(held, 'E')).toEqual([
      'will be live when the hold ends at 2023-11-14T22:16:40Z, if nothing changes before',
    ]);
    expect(prospects(held, 'A')[0]).toBe(
      'stays live while its next fetch takes under 0.700 s; from there F takes its place, not before the rotation limit allows it at 2023-11-14T22:16:40Z',
    );
  });
});

describe('what would change a canary’s fate', () => {
  const rows: [string, Partial<RoundWords>, EdgeWords, string][] = [
    ['in use', {}, {}, 'stays in use while its next fetch succeeds within 10.000 s'],
    ['not in use', {}, { fetch: 10 }, 'will be used when its next fetch succeeds within 10.000 s'],
    [
      'unavailable',
      {},
      { mode: 'unavailable' },
      'will be used once an operator makes it available, if its next fetch is like its last',
    ],
    [
      'unavailable and failing',
      {},
      { mode: 'unavailable', fetch: 10 },
      'would have to be made available by an operator, and that alone would not do',
    ],
    [
      'held in',
      { rules: { maxfreq: 1 } },
      {},
      'stays in use even if its next fetch fails: the rotation limit holds it',
    ],
    [
      'our own line in doubt',
      {
        references: [{ name: 'gateway', passes: false, detail: 'timeout' }],
        memory: { activeCanaries: [{ zone: 'example.com', address: '192.0.2.9', victim: 'A' }] },
      },
      { fetch: 10 },
      'stays in use even if its next fetch fails: the set is kept as it is',
    ],
    [
      'no edge to stand in for',
      {
        edges: {},
        last: '',
        memory: { activeCanaries: [{ zone: 'example.com', address: '192.0.2.9', victim: 'A' }] },
      },
      {},
      'stays in use even if its next fetch fails: no live set is published',
    ],
    [
      'condemned with others',
      { rules: { canaryKiller: 1 }, canaries: [canary('other.example', '192.0.2.8', { fetch: 10 })] },
      { fetch: 10 },
      'stays unused in the next round even if it is fetched at once',
    ],
  ];
  test.each(rows)('%s', (_, words, canaryWords, sentence) => {
    const own = canary('example.com', '192.0.2.9', canaryWords);
    const facts = factsOf(round({ edges: ABCD, last: 'ABCD', ...words, canaries: [...(words.canaries ?? []), own] }));
    const found = facts.canaries.find(({ zone }) => zone === 'example.com');
    expect(found).toBeDefined();
    if (found === undefined) return;
    expect(canaryProspectsOf(facts, decideFacts(facts), found, 60).map(({ text }) => text)).toEqual([sentence]);
  });
});

/** The next round, really decided: every edge repeats its last fetch but those in `fetches`. */
function next(
  input: RoundInput,
  decision: Decision,
  at: number,
  fetches: ReadonlyMap<string, number>,
): readonly string[] {
  const edges = input.edges.map((one): EdgeInput => {
    const repeated = fetches.get(one.name) ?? one.sample?.seconds ?? null;
    // Only what is supposed comes with a new sample; for the others to stay as they are, theirs are this round's.
    if (!fetches.has(one.name) || repeated === null) return one;
    return { ...one, history: addSample(one.history, at, repeated), sample: sample(one.name, repeated, at) };
  });
  const after = decide({ ...input, now: at, edges, memory: decision.memory, operatorChange: false });
  return after.live.map(({ edge }) => edge);
}

test('what is said of fetch times comes true', () => {
  const fetch = fc.constantFrom(0.05, 0.2, 0.65, 0.7, 0.9, 2, 5, 10);
  const words = fc.record({
    fetch,
    history: fetch,
    mode: fc.constantFrom<Mode>('available', 'available', 'available', 'available', 'force', 'unavailable'),
  });
  const state = fc.record({
    edges: fc.array(words, { minLength: 2, maxLength: 7 }),
    live: fc.integer({ min: 0, max: 5 }),
    edgeCount: fc.integer({ min: 1, max: 5 }),
  });
  let checked = 0;
  fc.assert(
    fc.property(state, ({ edges, live, edgeCount }) => {
      const names = [...'ABCDEFG'];
      const input = round({
        edges: Object.fromEntries(edges.map((edgeWords, i) => [names[i], edgeWords])),
        last: names.slice(0, Math.min(live, edges.length)).join(''),
        rules: { edgeCount },
      });
      const facts = factsOf(input);
      const decision = decideFacts(facts);
      const at = NOW + 10; // soon enough for every sample of the window to be in it still
      for (const { name } of input.edges) {
        for (const { kind, live: will, seconds, edges: others, text } of prospectsOf(facts, decision, name, 10)) {
          if (seconds === null || input.edges.find((one) => one.name === name)?.mode === 'unavailable') continue;
          if (kind === 'fetch') {
            expect(next(input, decision, at, new Map([[name, seconds - 0.002]])).includes(name)).toBe(true);
            expect(next(input, decision, at, new Map([[name, seconds + 0.002]])).includes(name)).toBe(false);
            checked++;
          }
          const own = /its own takes ([\d.]+) s/.exec(text);
          if (kind === 'others' && will && !text.includes('at once')) {
            for (const other of others) {
              const fetches = new Map([[other, Math.min(seconds + 0.002, 10)]]);
              if (own !== null) fetches.set(name, Number(own[1]));
              expect(next(input, decision, at, fetches).includes(name)).toBe(true);
              checked++;
            }
          }
          if (kind === 'others' && !will) {
            for (const other of others) {
              expect(next(input, decision, at, new Map([[other, seconds]])).includes(name)).toBe(false);
              checked++;
            }
          }
        }
      }
    }),
    { numRuns: 300 },
  );
  expect(checked).toBeGreaterThan(500);
});

describe('explaining a recorded round', () => {
  const records = recordStory(
    [
      { fetches: { A: 0.1, B: 0.2, C: 10, X: 0.2 }, canaries: { 'example.com': 'X' } },
      {
        fetches: { A: 10, B: 0.2, C: 0.3, X: 0.2 },
        words: { B: { mode: 'force', comment: '[ann] spare \u001b[31mred' } },
        canaries: { 'example.com': 'X' },
      },
    ],
    { edgeCount: 2 },
  );

  test('the whole network', () => {
    const explanation = explain(records, { only: null, interval: 60 });
    expect(explanation).toMatchObject({
      network: 'test',
      at: NOW + 60,
      live: ['B', 'C'],
      wanted: 2,
      outcome: { kind: 'changed', added: ['C'], removed: ['A'] },
      recentChanges: 2,
      edges: [
        { edge: 'A', live: false, why: expect.stringMatching(/^fails: fetch failed/) },
        { edge: 'B', live: true, mode: 'force' },
        { edge: 'C', live: true },
      ],
      canaries: [{ zone: 'example.com', address: 'X', used: true }],
    });
    expect(explanation?.edges[0].samples.map(({ seconds }) => seconds)).toEqual([0.1, 10]);
  });

  test('one edge, one canary by zone or address, or nothing', () => {
    const named = (only: string) => explain(records, { only, interval: 60 });
    expect(named('A')?.edges.map(({ edge }) => edge)).toEqual(['A']);
    expect(named('A')?.canaries).toEqual([]);
    expect(named('example.com')?.canaries).toHaveLength(1);
    expect(named('X')?.canaries).toEqual(named('example.com')?.canaries);
    expect(named('Z')).toBeNull();
    expect(explain([], { only: null, interval: 60 })).toBeNull();
  });

  test('a sample that two decisions saw is shown once', () => {
    const twice = [records[1], { ...records[1], facts: { ...records[1].facts, now: NOW + 70 } }];
    expect(explain(twice, { only: 'A', interval: 60 })?.edges[0].samples).toHaveLength(1);
  });

  test('a last decision that is too old is said', () => {
    const explanation = explain(records, { only: null, interval: 60 });
    if (explanation === null) return expect.fail();
    const overdue = '! overdue: it should be decided every 60 s';
    expect(explanationText(explanation, explanation.at + 180, 60)).not.toContain(overdue);
    expect(explanationText(explanation, explanation.at + 181, 60)).toContain(overdue);
    expect(explanationText(explanation, null, 60)).not.toContain(overdue);
  });

  test('as text', () => {
    const explanation = explain(records, { only: null, interval: 60 });
    expect(explanation).not.toBeNull();
    if (explanation === null) return;
    const text = explanationText(explanation);
    expect(text.split('\n')).toEqual([
      'network test, round of 2023-11-14T22:14:20Z: 2 of 2 wanted edges live, changed: +C -A',
      'changes of the live set in 600 s: 2, dnschange_maxfreq 10',
      '',
      'live',
      '  B [force]: forced ([ann] spare \ufffd[31mred) and passing: last 0.200 s < goodenough 0.700 s',
      '    2023-11-14T22:13:20Z  0.200 s  ok  127.0.0.1: connect 1.0 ms, first byte 100.0 ms, body 99.0 ms',
      '    2023-11-14T22:14:20Z  0.200 s  ok  127.0.0.1: connect 1.0 ms, first byte 100.0 ms, body 99.0 ms',
      '    - stays live even if its next fetch fails: no other edge would be fit to take its place',
      '    - leaves when an operator makes it unavailable',
      '  C: fills place 2 of 2: pass_threshold, average 5.150 s (last 0.300 s < goodenough 0.700 s)',
      '    2023-11-14T22:13:20Z  10.000 s  timeout (in the connect phase)  127.0.0.1: connect 1.0 ms, first byte 5000.0 ms, body 4999.0 ms',
      '    2023-11-14T22:14:20Z  0.300 s  ok  127.0.0.1: connect 1.0 ms, first byte 150.0 ms, body 149.0 ms',
      '    - stays live even if its next fetch fails: no other edge would be fit to take its place',
      '    - leaves when an operator makes it unavailable',
      '',
      'not live',
      '  A: fails: fetch failed (timeout: in the connect phase), counted as 10.000 s',
      '    2023-11-14T22:13:20Z  0.100 s  ok  127.0.0.1: connect 1.0 ms, first byte 50.0 ms, body 49.0 ms',
      '    2023-11-14T22:14:20Z  10.000 s  timeout (in the connect phase)  127.0.0.1: connect 1.0 ms, first byte 5000.0 ms, body 4999.0 ms',
      '    - will be live when the next fetch of B fails and its own takes 0.350 s',
      '    - will be live when the next fetch of C takes 0.700 s or more and its own takes 0.350 s',
      '    - will be live at once when an operator sets its mode to blindforce',
      '',
      'canaries',
      expect.stringMatching(/^ {2}example\.com X in use: stands in for [BC]: last 0\.200 s < goodenough 0\.700 s$/),
      expect.any(String),
      expect.any(String),
      expect.any(String),
      '',
    ]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: no stranger's text may drive the terminal
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });
});
