import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { standing } from '../../../src/app/goavail/standing.ts';

type Node = { up: boolean; believed: boolean };

/** One address, several nodes, each with every other's newest view; what is published is changed by whoever may. */
class Cluster {
  readonly nodes: ReadonlyMap<string, Node>;
  private readonly needed: number;
  private readonly silent = new Set<string>();
  published = true;
  changes = 0;

  constructor(names: string, needed: number) {
    this.nodes = new Map([...names].map((name) => [name, { up: true, believed: true }]));
    this.needed = needed;
  }

  /** `A-`: A sees it down. `A+`: up. `A?`: nobody is told A's view any more. */
  step(what: string): boolean {
    const [name = '', sees] = what;
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`no node ${name}`);
    if (sees === '?') this.silent.add(name);
    else node.up = sees === '+';
    this.settle();
    return this.published;
  }

  /** Every node looks, until nothing changes; each of them twice more, as each interval. */
  settle(): void {
    for (let round = 0; round < 3; round += 1) {
      for (const [name, node] of this.nodes) {
        const others = [...this.nodes].filter(([other]) => other !== name);
        const views = others.flatMap(([peer, { up }]) => (this.silent.has(peer) ? [] : [{ peer, up, age: 1 }]));
        const rule = { peers: others.map(([other]) => other), needed: this.needed, maxAge: 3 };
        const { up, isAgreed } = standing(node.believed, node.up, views, rule);
        node.believed = up;
        if (!isAgreed || up === this.published) continue;
        this.published = up;
        this.changes += 1;
      }
    }
  }
}

/** Whether the address is published after each step. */
describe.each([
  ['G6: two nodes, M=1', 'AB', 1, 'A- B- A+ B+', '1001'],
  ['G7: three nodes, M=1; A and B act at the second', 'ABC', 1, 'A- B- C-', '100'],
  ['G8: five nodes, M=2; two are not enough, three are', 'ABCDE', 2, 'A- B- C-', '110'],
  ['G10: its peer is dead', 'AB', 1, 'B? A-', '11'],
  ['G10 the other way: down, and then the peer dies', 'AB', 1, 'A- B- B? A+', '1000'],
  ['M=0: each node for itself', 'AB', 0, 'A- A+', '01'],
  ['five nodes, M=1: two against three, and back', 'ABCDE', 1, 'A- B- B+ A+', '1011'],
  ['the last to notice acts as well', 'AB', 1, 'B- A- B+ A+', '1001'],
] as const)('%s', (_, names, needed, steps, published) => {
  test(steps, () => {
    const cluster = new Cluster(names, needed);
    expect(
      steps
        .split(' ')
        .map((step) => (cluster.step(step) ? '1' : '0'))
        .join(''),
    ).toBe(published);
  });
});

test('nodes never undo each other’s work: what is published changes at most once a change of a view', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('A', 'B', 'C', 'D', 'E'), fc.constantFrom('+', '-')), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(steps, fc.integer({ min: 0, max: 4 }), (some, needed) => {
      const cluster = new Cluster('ABCDE', needed);
      for (const [name, sees] of some) {
        const before = cluster.changes;
        cluster.step(`${name}${sees}`);
        expect(cluster.changes - before).toBeLessThanOrEqual(1);
      }
    }),
  );
});
