import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { serialCompare } from '../../../src/dns/serial.ts';
import { chooseContent, READY_SECONDS, staticConflict } from '../../../src/zones/agreement/choose-content.ts';
import type { OwnContent } from '../../../src/zones/agreement/content.ts';
import { ownStep } from '../../../src/zones/agreement/own-step.ts';
import { Cluster, MEMBERS } from './agreement-model.ts';

type Op =
  | { readonly op: 'file'; readonly who: number; readonly hash: string }
  | { readonly op: 'look' | 'die' | 'restart'; readonly who: number }
  | { readonly op: 'content'; readonly by: number; readonly heard: readonly string[]; readonly waited: number }
  | { readonly op: 'set'; readonly by: number; readonly heard: readonly string[] }
  | { readonly op: 'wipe' | 'backup' | 'restore' }
  | { readonly op: 'clock'; readonly by: number };

const who = fc.nat(2);
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constant('file' as const), who, hash: fc.constantFrom('h0', 'h1', 'h2') }),
  },
  { weight: 8, arbitrary: fc.record({ op: fc.constantFrom('look' as const, 'look' as const, 'die' as const), who }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('restart' as const), who }) },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('content' as const),
      by: who,
      heard: fc.subarray([...MEMBERS]),
      waited: fc.constantFrom(0, READY_SECONDS),
    }),
  },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('set' as const), by: who, heard: fc.subarray([...MEMBERS]) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constantFrom('wipe' as const, 'backup' as const, 'restore' as const) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('clock' as const), by: fc.integer({ min: -5, max: 5 }) }) },
);

function apply(cluster: Cluster, step: Op): void {
  switch (step.op) {
    case 'file':
      cluster.vantage(step.who).change(step.hash);
      return;
    case 'look':
    case 'die':
      cluster.vantage(step.who).look(cluster.store, step.op === 'die');
      return;
    case 'restart':
      cluster.vantage(step.who).restart();
      return;
    case 'content':
      cluster.decideContent(step.by, step.heard, step.waited);
      return;
    case 'set':
      cluster.decideSet(step.by, step.heard);
      return;
    case 'wipe':
      cluster.wipe();
      return;
    case 'backup':
      cluster.backup = cluster.store;
      return;
    case 'restore':
      cluster.store = cluster.backup;
      return;
    case 'clock':
      cluster.now += step.by;
  }
}

/** All that was ever claimed, and by each vantage last. */
class Checker {
  private readonly octets = new Map<number, string>();
  private readonly last = new Map<string, number>();

  check(cluster: Cluster): void {
    for (const { who: name, serial, octets } of cluster.claims()) {
      if (octets !== null) {
        expect(this.octets.get(serial) ?? octets, `serial ${serial} on ${name}`).toBe(octets);
        this.octets.set(serial, octets);
      }
      const last = this.last.get(name);
      if (last !== undefined)
        expect(serialCompare(serial, last), `${name}: ${last} → ${serial}`).toBeGreaterThanOrEqual(0);
      this.last.set(name, serial);
    }
  }
}

function healed(cluster: Cluster, checker: Checker): void {
  for (let turn = 0; turn < 4; turn++) {
    cluster.decideContent(0, MEMBERS, READY_SECONDS);
    if (turn === 1) cluster.decideSet(0, MEMBERS);
    for (const vantage of cluster.vantages) {
      vantage.look(cluster.store, false);
      checker.check(cluster);
    }
  }
}

describe('contents and live sets of a zone on three vantages', () => {
  it('never has one serial for two versions, nor one that goes back; all are equal in the end', () => {
    fc.assert(
      fc.property(fc.array(op, { maxLength: 60 }), fc.constantFrom('h0', 'h3'), (ops, last) => {
        const cluster = new Cluster();
        const checker = new Checker();
        for (const step of ops) {
          apply(cluster, step);
          checker.check(cluster);
        }
        for (const vantage of cluster.vantages) vantage.change(last);
        healed(cluster, checker);
        const claims = cluster.claims();
        expect(claims).toHaveLength(3);
        expect(new Set(claims.map(({ serial, octets }) => `${serial} ${octets}`)).size).toBe(1);
        expect(claims[0]?.octets?.startsWith(last)).toBe(true);
      }),
      { numRuns: Number(process.env['EDGEWISE_RUNS'] ?? 1000) },
    );
  });

  it.each([1, 2, 3, 4])('never has one serial for two versions where the store is wiped after %i contents', (count) => {
    for (let now = 1000; now < 1012; now++) {
      const cluster = new Cluster();
      const checker = new Checker();
      const [a, b, c] = cluster.vantages;
      cluster.now = now;
      cluster.decideSet(0, ['b']);
      a.look(cluster.store, false);
      for (let i = 0; i < count; i++) {
        for (const vantage of [a, b]) vantage.change(`h${i}`);
        cluster.decideContent(0, ['b'], 0);
        a.look(cluster.store, false);
        checker.check(cluster);
      }
      // Only a knows of all that, and it is cut off from here on.
      cluster.wipe();
      cluster.decideSet(1, ['c']);
      for (let i = 0; i < 4; i++) {
        for (const vantage of [b, c]) vantage.change(`other${i}`);
        cluster.decideContent(1, ['c'], 0);
        for (const vantage of [b, c]) vantage.look(cluster.store, false);
        checker.check(cluster);
      }
      expect(cluster.claims()).toHaveLength(3);
      for (const vantage of cluster.vantages) vantage.change('h9');
      for (let turn = 0; turn < 3; turn++) {
        cluster.decideSet(1, MEMBERS);
        cluster.decideContent(1, MEMBERS, READY_SECONDS);
        for (const vantage of cluster.vantages) vantage.look(cluster.store, false);
        checker.check(cluster);
      }
    }
  });

  it('brings into force what a majority has, with whoever lacks it frozen', () => {
    const cluster = new Cluster();
    const checker = new Checker();
    cluster.decideSet(0, MEMBERS);
    healed(cluster, checker);
    cluster.vantage(0).change('h1');
    cluster.vantage(1).change('h1');
    cluster.decideContent(0, MEMBERS, 0);
    expect(cluster.store.inForce?.hash).toBe('h0');
    cluster.decideContent(0, MEMBERS, READY_SECONDS);
    expect(cluster.store.inForce?.hash).toBe('h1');
    for (const vantage of cluster.vantages) vantage.look(cluster.store, false);
    cluster.decideSet(0, MEMBERS);
    for (const vantage of cluster.vantages) vantage.look(cluster.store, false);
    checker.check(cluster);
    expect(cluster.vantages.map(({ served }) => served?.standing)).toEqual(['agreed', 'agreed', 'frozen']);
    cluster.vantage(2).change('h1');
    expect(cluster.vantage(2).served?.standing).toBe('agreed');
    expect(new Set(cluster.claims().map(({ octets }) => octets)).size).toBe(1);
  });
});

const own = (hash: string, served: OwnContent['served'] = null, network: string | null = 'net'): OwnContent => ({
  network,
  hash,
  serial: served?.serial ?? 0,
  served,
});

describe('chooseContent', () => {
  const facts = {
    members: MEMBERS,
    voters: MEMBERS,
    inForce: null,
    liveSerial: 50,
    reportedLive: 50,
    serialClass: { classes: 6, own: 0 },
    waited: 0,
    now: 40,
  };

  it.each([
    ['nothing is reported', new Map(), {}, { kind: 'nothing' }],
    ['too few are heard of', new Map([['a', own('h')]]), { voters: ['a'] }, { kind: 'wait' }],
    ['the live set was lost', new Map([['a', own('h')]]), { reportedLive: 51, voters: ['a', 'b'] }, { kind: 'wait' }],
    ['one of three has it', new Map([['a', own('h')]]), { waited: 99 }, { kind: 'wait' }],
    [
      'two of three have it, at once',
      new Map([
        ['a', own('h')],
        ['b', own('h')],
      ]),
      {},
      { kind: 'wait', why: 'a and b has another content; c not' },
    ],
    [
      'two of three have it, later',
      new Map([
        ['a', own('h')],
        ['b', own('h')],
      ]),
      { waited: 30 },
      { kind: 'put', content: { hash: 'h', serial: 54, from: 0, after: 50 } },
    ],
    [
      'all that are heard of have it',
      new Map([
        ['a', own('h')],
        ['b', own('h')],
      ]),
      { voters: ['a', 'b'] },
      { kind: 'put', content: { hash: 'h', serial: 54, from: 0, after: 50 } },
    ],
    [
      'each has another',
      new Map([
        ['a', own('x')],
        ['b', own('y')],
        ['c', own('z')],
      ]),
      { waited: 99 },
      { kind: 'wait' },
    ],
    [
      'the store is wiped',
      new Map([
        ['a', own('h', { hash: 'h', serial: 70 })],
        ['b', own('h', { hash: 'h', serial: 71 })],
        ['c', own('h')],
      ]),
      {},
      { kind: 'put', content: { hash: 'h', serial: 71, from: 0, after: 71 } },
    ],
    [
      'a serial was repeated',
      new Map([
        ['a', own('x', { hash: 'x', serial: 70 })],
        ['b', own('y', { hash: 'y', serial: 70 })],
        ['c', own('y')],
      ]),
      {},
      { kind: 'put', content: { hash: 'y', serial: 72, from: 0, after: 50 } },
    ],
  ] as const)('%s', (_, reports, changed, expected) => {
    expect(chooseContent({ ...facts, ...changed, reports })).toMatchObject(expected);
  });

  it('names those whose static zone has another content under the same serial', () => {
    const reports = new Map([
      ['a', own('x', null, null)],
      ['b', own('y', null, null)],
      ['c', own('y', null, null)],
    ]);
    expect(staticConflict('example.test', reports)).toContain('under the same serial 0 on a than b and c');
    expect(staticConflict('example.test', new Map([['a', own('x', null, null)]]))).toBeNull();
  });
});

describe('ownStep', () => {
  const T = { hash: 'n', serial: 60, from: 40, after: 50 };
  const served = { hash: 'o', serial: 40, standing: 'agreed' } as const;

  it.each([
    ['waits for the store', { newest: 'n', served, inForce: null, live: 50 }, { kind: 'keep' }],
    ['answers a zone that is new', { newest: 'n', served: null, inForce: null, live: 50 }, { kind: 'unagreed' }],
    ['switches', { newest: 'n', served, inForce: T, live: 50 }, { kind: 'serve', isGap: false }],
    ['waits for the live set that comes first', { newest: 'n', served, inForce: T, live: 49 }, { kind: 'freeze' }],
    ['lacks it', { newest: 'o', served, inForce: T, live: 50 }, { kind: 'freeze' }],
    [
      'knows later than the store',
      { newest: 'n', served: { ...served, serial: 61 }, inForce: T, live: 50 },
      { kind: 'keep' },
    ],
    [
      'missed one between',
      { newest: 'n', served, inForce: { ...T, from: 45 }, live: 50 },
      { kind: 'serve', isGap: true },
    ],
    [
      'raises the serial of what it has',
      { newest: 'o', served, inForce: { ...T, hash: 'o' }, live: 50 },
      { kind: 'serve' },
    ],
    [
      'has a repeated serial',
      { newest: 'o', served: { ...served, serial: 60 }, inForce: T, live: 70 },
      { kind: 'freeze' },
    ],
  ] as const)('%s', (_, zone, expected) => {
    expect(ownStep(zone)).toMatchObject(expected);
  });
});
