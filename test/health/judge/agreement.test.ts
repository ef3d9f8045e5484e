import fc from 'fast-check';
import { expect, test } from 'vitest';
import { agreement, agreementText, type PeerView } from '../../../src/health/judge/agreement.ts';

const MAX_AGE = 30;

/** Nodes that tell each other what they see, and act on what they and enough others see. */
class Cluster {
  private readonly up: Map<string, boolean>;
  private readonly published: Map<string, boolean>;
  private readonly needed: number;
  /** Nodes that say nothing. */
  private readonly dead: ReadonlySet<string>;

  constructor(names: readonly string[], needed: number, dead: readonly string[] = []) {
    this.up = new Map(names.map((name) => [name, true]));
    this.published = new Map(this.up);
    this.needed = needed;
    this.dead = new Set(dead);
  }

  /** One node changes its mind. Who acts then, and how. */
  sees(node: string, up: boolean): readonly string[] {
    this.up.set(node, up);
    const acted: string[] = [];
    for (const [name, own] of this.up) {
      if (this.dead.has(name) || this.published.get(name) === own) continue;
      const peers = [...this.up.keys()].filter((one) => one !== name);
      const views: PeerView[] = peers
        .filter((peer) => !this.dead.has(peer))
        .map((peer) => ({ peer, up: this.up.get(peer) ?? null, age: 1 }));
      if (!agreement(own, views, { peers, needed: this.needed, maxAge: MAX_AGE }).agreed) continue;
      this.published.set(name, own);
      acted.push(`${name} ${own ? 'adds' : 'removes'}`);
    }
    return acted;
  }
}

type Step = readonly [node: string, up: boolean, acted: readonly string[]];

test.each<[string, readonly string[], number, readonly string[], readonly Step[]]>([
  [
    'G6: two nodes, M=1, the late detector acts too',
    ['A', 'B'],
    1,
    [],
    [
      ['A', false, []],
      ['B', false, ['A removes', 'B removes']],
      ['A', true, []],
      ['B', true, ['A adds', 'B adds']],
    ],
  ],
  [
    'G7: three nodes, M=1, two of them suffice',
    ['A', 'B', 'C'],
    1,
    [],
    [
      ['A', false, []],
      ['B', false, ['A removes', 'B removes']],
      ['C', false, ['C removes']],
    ],
  ],
  [
    'G8: five nodes, M=2, one peer is not two',
    ['A', 'B', 'C', 'D', 'E'],
    2,
    [],
    [
      ['A', false, []],
      ['B', false, []],
      ['C', false, ['A removes', 'B removes', 'C removes']],
    ],
  ],
  ['G10: the peers are dead, M=1', ['A', 'B', 'C'], 1, ['B', 'C'], [['A', false, []]]],
  ['M=0: nobody is asked', ['A', 'B'], 0, ['B'], [['A', false, ['A removes']]]],
])('%s', (_, names, needed, dead, steps) => {
  const cluster = new Cluster(names, needed, dead);
  for (const [node, up, acted] of steps) expect(cluster.sees(node, up)).toEqual(acted);
});

const RULE = { peers: ['a', 'b'], needed: 1, maxAge: MAX_AGE };

test.each<[string, readonly PeerView[], boolean, string]>([
  ['one agrees', [{ peer: 'a', up: false, age: 30 }], true, '1 of 2 peers agrees, 1 says nothing; 1 must'],
  [
    'it said so too long ago',
    [{ peer: 'a', up: false, age: 30.1 }],
    false,
    '0 of 2 peers agree, 2 say nothing; 1 must',
  ],
  ['its clock makes no sense', [{ peer: 'a', up: false, age: -1 }], false, '0 of 2 peers agree, 2 say nothing; 1 must'],
  ['no age at all', [{ peer: 'a', up: false, age: Number.NaN }], false, '0 of 2 peers agree, 2 say nothing; 1 must'],
  ['somebody unknown agrees', [{ peer: 'x', up: false, age: 0 }], false, '0 of 2 peers agree, 2 say nothing; 1 must'],
  [
    'one for, one against: not set off',
    [
      { peer: 'a', up: false, age: 0 },
      { peer: 'b', up: true, age: 0 },
    ],
    true,
    '1 of 2 peers agrees; 1 must',
  ],
  [
    'one that says it twice is one',
    [
      { peer: 'a', up: false, age: 0 },
      { peer: 'a', up: true, age: 0 },
    ],
    false,
    '0 of 2 peers agree, 1 says nothing; 1 must',
  ],
])('%s', (_, views, agreed, text) => {
  const found = agreement(false, views, RULE);
  expect([found.agreed, agreementText(found)]).toEqual([agreed, text]);
});

test('every configured peer is counted once, whatever the views are', () => {
  const view = fc.record({
    peer: fc.constantFrom('a', 'b', 'c', 'x'),
    up: fc.constantFrom(true, false, null),
    age: fc.constantFrom(0, 29, 31, -1, Number.NaN),
  });
  fc.assert(
    fc.property(fc.boolean(), fc.array(view), fc.nat(4), (own, views, needed) => {
      const peers = ['a', 'b', 'c'];
      const found = agreement(own, views, { peers, needed, maxAge: 30 });
      expect(found.agreeing + found.disagreeing + found.unknown).toBe(3);
      expect(found.agreed).toBe(found.agreeing >= needed);
      // Whoever says nothing, or is not configured, changes nothing.
      const votes = views.filter(({ peer }) => peers.includes(peer));
      expect(agreement(own, votes, { peers, needed, maxAge: 30 })).toEqual(found);
    }),
  );
});
