import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isSameMode,
  mergeMode,
  modeNow,
  type SetMode,
  type StoredMode,
  type SyncedMode,
  settingId,
} from '../../../src/vantage/etcd/mode-merge.ts';

const FREE: SetMode = { mode: 'available', until: null, comment: '' };
const FORCE: SetMode = { mode: 'force', until: null, comment: '[joe] test' };
const DOWN: SetMode = { mode: 'unavailable', until: null, comment: '[ann] disk' };
const stored = (mode: SetMode, revision: bigint): StoredMode => ({ ...mode, by: 'ams1', at: 5, revision });
const synced = (mode: SetMode, revision: bigint): SyncedMode => ({ ...mode, revision, id: idOf(mode) });
const idOf = (mode: SetMode): string => settingId(stored(mode, 0n));
const NOW = 1000;

describe('one merge', () => {
  test.each<[string, SetMode | null, StoredMode | null, SyncedMode | null, boolean, object]>([
    ['nothing anywhere', FREE, null, null, false, { kind: 'same', synced: null }],
    ['set here, before there was a store', FORCE, null, null, false, { kind: 'store', mode: FORCE, expected: 0n }],
    ['set there, new here', FREE, stored(FORCE, 7n), null, false, { kind: 'apply', mode: FORCE, by: 'ams1' }],
    ['set on both, and none knows of the other', DOWN, stored(FORCE, 7n), null, false, { kind: 'apply', mode: FORCE }],
    ['the same', FORCE, stored(FORCE, 7n), null, false, { kind: 'same', synced: synced(FORCE, 7n) }],
    ['changed there', FREE, stored(FORCE, 7n), synced(FREE, 5n), false, { kind: 'apply', mode: FORCE }],
    ['changed here', FORCE, stored(FREE, 5n), synced(FREE, 5n), false, { kind: 'store', expected: 5n, replaces: null }],
    ['taken back here', FREE, stored(FORCE, 5n), synced(FORCE, 5n), false, { kind: 'store', mode: FREE, expected: 5n }],
    [
      'changed on both: the last one wins',
      DOWN,
      stored(FORCE, 7n),
      synced(FREE, 5n),
      false,
      { kind: 'store', mode: DOWN, expected: 7n, replaces: { mode: 'force' } },
    ],
    ['the record was lost here', null, stored(FORCE, 5n), synced(FORCE, 5n), false, { kind: 'apply', mode: FORCE }],
    [
      'the record was lost, and the store is empty',
      null,
      null,
      synced(FORCE, 5n),
      false,
      { kind: 'same', synced: null },
    ],
    [
      'only the comment',
      { ...DOWN, comment: 'x' },
      stored(DOWN, 5n),
      synced(DOWN, 5n),
      false,
      { kind: 'store', mode: { comment: 'x' } },
    ],
    [
      'only the end',
      { ...DOWN, until: 2000 },
      stored(DOWN, 5n),
      synced(DOWN, 5n),
      false,
      { kind: 'store', mode: { until: 2000 } },
    ],
    ['the store was emptied', FORCE, null, synced(FORCE, 9n), false, { kind: 'store', mode: FORCE, expected: 0n }],
    [
      'the store is another one, empty: also what was taken back',
      FREE,
      null,
      null,
      true,
      { kind: 'store', mode: FREE, expected: 0n },
    ],
    [
      'the store was set back',
      FREE,
      stored(FORCE, 5n),
      synced(FREE, 9n),
      false,
      { kind: 'store', mode: FREE, expected: 5n, replaces: null },
    ],
    [
      'over there by our clock',
      FREE,
      stored({ ...FORCE, until: NOW }, 5n),
      synced({ ...FORCE, until: NOW }, 5n),
      false,
      { kind: 'same' },
    ],
    [
      'over here and not noticed yet',
      { ...FORCE, until: 999 },
      stored({ ...FORCE, until: 999 }, 5n),
      null,
      false,
      { kind: 'same', synced: { ...FREE, revision: 5n } },
    ],
    [
      'an endless comment',
      { ...DOWN, comment: 'x'.repeat(5000) },
      stored({ ...DOWN, comment: 'x'.repeat(1000) }, 5n),
      null,
      false,
      { kind: 'same' },
    ],
  ])('%s', (_, local, there, before, wasShared, outcome) => {
    expect(mergeMode(local, there, before, wasShared, NOW)).toMatchObject(outcome);
  });
});

/** Three vantages and a store with revisions, as `SharedModes` drives them, with one edge. */
class Model {
  readonly nodes = [0, 1, 2].map(() => ({
    local: FREE,
    synced: null as SyncedMode | null,
    wasShared: false,
    former: new Set<string>(),
    cluster: 0,
    cutOff: false,
  }));
  store: StoredMode | null = null;
  revision = 1n;
  cluster = 0;
  now = NOW;
  /** What was stored last, by whom of the nodes. */
  puts = 0;

  sync(i: number): boolean {
    const node = this.nodes[i];
    if (node.cutOff) return false;
    if (node.cluster !== this.cluster) {
      node.wasShared ||= node.synced !== null;
      if (node.synced !== null) node.former.add(node.synced.id);
      node.synced = null;
      node.cluster = this.cluster;
    }
    const merged = mergeMode(node.local, this.store, node.synced, node.wasShared, this.now, node.former);
    const before = node.synced;
    if (merged.kind === 'apply') {
      node.local = merged.mode;
      node.synced = merged.synced;
    } else if (merged.kind === 'same') {
      node.synced = merged.synced;
    } else {
      expect(merged.expected).toBe(this.store?.revision ?? 0n);
      this.revision += 1n;
      this.puts += 1;
      // Another moment each time.
      this.store = { ...merged.mode, by: `${i}`, at: this.puts, revision: this.revision };
      node.synced = { ...merged.mode, revision: this.revision, id: settingId(this.store) };
    }
    if (before !== null && before.id !== node.synced?.id) node.former.add(before.id);
    return merged.kind !== 'same';
  }
}

const step = fc.oneof(
  fc.record({
    do: fc.constant('set' as const),
    node: fc.nat(2),
    mode: fc.constantFrom(...(['available', 'unavailable', 'force', 'blindforce'] as const)),
    span: fc.option(fc.integer({ min: 1, max: 50 })),
    comment: fc.constantFrom('a', 'b'),
  }),
  fc.record({ do: fc.constantFrom('sync' as const, 'cut' as const, 'heal' as const), node: fc.nat(2) }),
  fc.record({ do: fc.constant('wait' as const), node: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ do: fc.constantFrom('wipe' as const, 'restore' as const), node: fc.constant(0) }),
);

test('whatever happens, all have the same mode soon after, and then nothing is written any more', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const model = new Model();
      let backup = { store: model.store, revision: model.revision };
      for (const one of steps) {
        if (one.do === 'set') {
          const until = one.mode === 'available' || one.span === null ? null : model.now + one.span;
          model.nodes[one.node].local = { mode: one.mode, until, comment: one.mode === 'available' ? '' : one.comment };
        } else if (one.do === 'sync') model.sync(one.node);
        else if (one.do === 'wait') model.now += one.node;
        else if (one.do === 'wipe') {
          backup = { store: model.store, revision: model.revision };
          Object.assign(model, { store: null, revision: 1n, cluster: model.cluster + 1 });
        } else if (one.do === 'restore') Object.assign(model, { ...backup, cluster: model.cluster + 1 });
        else model.nodes[one.node].cutOff = one.do === 'cut';
      }
      for (const node of model.nodes) node.cutOff = false;
      for (let turn = 0; turn < 3; turn++) for (const i of [0, 1, 2]) model.sync(i);
      const [first, ...others] = model.nodes.map(({ local }) => modeNow(local, model.now));
      for (const other of others) expect(other).toEqual(first);
      const { puts } = model;
      expect([0, 1, 2].some((i) => model.sync(i))).toBe(false);
      model.now += 100; // every end is over
      expect([0, 1, 2].some((i) => model.sync(i))).toBe(false);
      expect(model.puts).toBe(puts);
    }),
    { numRuns: 1000 },
  );
});

test('what is set on a vantage that is not cut off, and nobody sets another, holds on all', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.nat(2), (steps, node) => {
      const model = new Model();
      for (const one of steps) {
        if (one.do === 'set') model.nodes[one.node].local = { mode: one.mode, until: null, comment: one.comment };
        else if (one.do === 'sync') model.sync(one.node);
      }
      // All have heard of everything before.
      for (let turn = 0; turn < 3; turn++) for (const i of [0, 1, 2]) model.sync(i);
      model.nodes[node].local = { ...DOWN, comment: 'the last' };
      model.nodes[(node + 1) % 3].cutOff = true;
      for (const i of [0, 1, 2]) model.sync(i);
      model.nodes[(node + 1) % 3].cutOff = false;
      for (const i of [0, 1, 2]) model.sync(i);
      for (const { local } of model.nodes) expect(isSameMode(local, { ...DOWN, comment: 'the last' })).toBe(true);
    }),
  );
});

test('a backup from before brings nothing back, whenever it was made and whoever comes first', () => {
  const sets = fc.array(fc.record({ node: fc.nat(2), mode: fc.constantFrom(FREE, FORCE, DOWN) }), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(sets, fc.nat(7), fc.shuffledSubarray([0, 1, 2], { minLength: 3 }), (all, at, order) => {
      const model = new Model();
      const backups = all.map(({ node, mode }) => {
        const before = { store: model.store, revision: model.revision };
        model.nodes[node].local = mode;
        for (let turn = 0; turn < 2; turn++) for (const i of [0, 1, 2]) model.sync(i);
        return before;
      });
      const last = model.nodes[0].local;
      Object.assign(model, { ...backups[at % backups.length], cluster: model.cluster + 1 });
      for (let turn = 0; turn < 3; turn++) for (const i of order) model.sync(i);
      for (const { local } of model.nodes) expect(local).toEqual(last);
    }),
  );
});
