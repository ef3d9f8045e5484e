import { describe, expect, test } from 'vitest';
import {
  hangingOf,
  overlongRound,
  type RoundPace,
  sharedAddresses,
  unendedTurn,
  unknownEdges,
} from '../../../src/health/pools/round-notes.ts';
import { sample } from '../../support/round-input.ts';

const PACE: RoundPace = {
  seconds: 60.2,
  isOver: true,
  runFrequency: 30,
  timeout: 10,
  workers: 10,
  targets: 400,
  hanging: 300,
};

describe('a round that takes longer than run_frequency', () => {
  test.each<[string, Partial<RoundPace>, string | null]>([
    [
      'says how many edges hang and how many workers would do',
      {},
      'the round took 60.2 s, longer than run_frequency (30 s): 300 of 400 edges did not answer within 10 s; raise workers to 160 (now 10). A failing edge stays live until the round ends',
    ],
    [
      'while it goes on',
      { isOver: false, seconds: 30.001 },
      'the round is not over yet, longer than run_frequency (30 s): 300 of 400 edges have not answered; raise workers to 160 (now 10). A failing edge stays live until the round ends',
    ],
    [
      'no more workers than edges',
      { targets: 310, hanging: 310, runFrequency: 12, seconds: 40 },
      'the round took 40.0 s, longer than run_frequency (12 s): 310 of 310 edges did not answer within 10 s; raise workers to 310 (now 10). A failing edge stays live until the round ends',
    ],
    [
      'where no number of workers helps',
      { runFrequency: 5, workers: 40, seconds: 10.1 },
      'the round took 10.1 s, longer than run_frequency (5 s): 300 of 400 edges did not answer within 10 s; run_frequency is no longer than the timeout of 10 s. A failing edge stays live until the round ends',
    ],
    [
      'where there are places enough for those that hang',
      { targets: 40, hanging: 30 },
      'the round took 60.2 s, longer than run_frequency (30 s): 30 of 40 edges did not answer within 10 s; raise run_frequency or workers (now 10). A failing edge stays live until the round ends',
    ],
    [
      'without an edge that hangs',
      { hanging: 0, workers: 50, seconds: 31 },
      'the round took 31.0 s, longer than run_frequency (30 s): 400 edges were asked; raise run_frequency or workers (now 50). A failing edge stays live until the round ends',
    ],
    ['not one that is as long', { seconds: 30 }, null],
  ])('%s', (_name, more, sentence) => {
    expect(overlongRound({ ...PACE, ...more })).toBe(sentence);
  });
});

test('edges that took the whole timeout hang, others that failed do not', () => {
  const samples = [sample('a', 10, 0, 'timeout'), sample('b', 10, 0, 'refused'), sample('c', 0.1, 0)];
  expect(hangingOf(samples)).toBe(1);
});

test.each([
  [[], null],
  [['a'], 'a could not be checked, which is not held against it: no process; its last state stands'],
  [
    ['a', 'b', 'c'],
    'a could not be checked (and 2 edges more), which is not held against it: no process; their last states stand',
  ],
])('edges without a sample: %j', (edges, sentence) => {
  expect(unknownEdges(edges.map((edge) => ({ edge, why: 'no process' })))).toBe(sentence);
});

describe('edges at one address', () => {
  const at = (edge: string, primary: string | null, other: string | null = null) => {
    const fetch = (address: string) => ({
      address,
      seconds: 0.1,
      fail: null,
      phases: { resolve: null, connect: null, tls: null, firstByte: null, total: 0.1 },
      attempts: 1,
      hops: 0,
      check: 'http',
      checks: [],
    });
    return {
      edge,
      at: 0,
      seconds: 0.1,
      fail: null,
      primary: primary === null ? null : fetch(primary),
      others: other === null ? [] : [fetch(other)],
      stalledMs: 0,
    };
  };

  test.each([
    [
      'two names',
      [at('b', '127.0.0.1'), at('a', '127.0.0.1'), at('c', '127.0.0.2')],
      ['a and b are at one address, 127.0.0.1'],
    ],
    [
      'a name and its address',
      [at('a', '127.0.0.1'), at('127.0.0.1', '127.0.0.1')],
      ['127.0.0.1 and a are at one address'],
    ],
    [
      'in the other family',
      [at('a', '127.0.0.1', '::1'), at('b', '127.0.0.2', '::1')],
      ['a and b are at one address, ::1'],
    ],
    ['none without an address', [at('a', null), at('b', null)], []],
    ['none that differ', [at('a', '127.0.0.1', '::1'), at('b', '127.0.0.2', '::2')], []],
  ])('%s', (_name, samples, expected) => {
    const said = sharedAddresses(samples);
    expect(said).toHaveLength(expected.length);
    for (const [i, text] of expected.entries()) expect(said[i]).toContain(text);
  });
});

test.each([
  [[], 'a turn is overdue: every edge has answered'],
  [['a'], 'a turn is overdue: no answer of a'],
  [['a', 'b', 'c', 'd', 'e', 'f', 'g'], 'a turn is overdue: no answer of a, b, c, d and e (and 2 edges more)'],
])('a turn that does not end, waiting for %j', (waiting, text) => {
  expect(unendedTurn(waiting)).toBe(text);
});
