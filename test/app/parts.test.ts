import { describe, expect, test } from 'vitest';
import { type Part, type Prepared, part, type Reload, ready } from '../../src/app/part.ts';
import { Parts } from '../../src/app/parts.ts';
import type { Config } from '../../src/config/types.ts';
import { plainFault } from '../../src/system/fault.ts';
import { Guard } from '../../src/system/guard.ts';
import { jsonLog } from '../support/log.ts';

/** Parts stand for anything here: what is asked of them and in which order is what is tested. */

const NAMES = ['a', 'b', 'c', 'd'];
const never = new Promise<never>(() => undefined);
const RELOAD: Reload = {
  was: {} as Config,
  config: {} as Config,
  lists: { networks: new Map(), faults: [] },
};

class Bench {
  readonly done: string[] = [];
  readonly guard = new Guard({ report: () => undefined, now: () => 0 });
  readonly log: string[] = [];

  part(name: string, other: Partial<Part> = {}): Part {
    const note = (what: string) => async () => void this.done.push(`${what} ${name}`);
    return part(name, {
      start: async () => {
        this.done.push(`start ${name}`);
        return null;
      },
      prepare: async () => {
        this.done.push(`prepare ${name}`);
        return { ok: true, commit: note('commit'), discard: note('discard') };
      },
      stop: note('stop'),
      ...other,
    });
  }

  /** `a`, `b`, `c` and `d`, one of which is another. */
  parts(other: Partial<Part> = {}, which = ''): Parts {
    const list = NAMES.map((name) => this.part(name, name === which ? other : {}));
    const log = jsonLog((line) => this.log.push(line), 'info');
    return new Parts(list, { log, guard: this.guard, prepareMs: 50, stopMs: 50, stopAllMs: 100 });
  }
}

const each = (what: string, names: readonly string[] = NAMES): readonly string[] =>
  names.map((name) => `${what} ${name}`);

describe('a start', () => {
  test('goes down the list; a stop goes up', async () => {
    const bench = new Bench();
    const parts = bench.parts();
    expect(await parts.start()).toBeNull();
    await parts.stop();
    await parts.stop();
    expect(bench.done).toEqual([...each('start'), ...each('stop', [...NAMES].reverse())]);
  });

  test.each([
    ['says what is wrong', async () => plainFault('in-use', 'taken'), 'in-use'],
    ['throws', () => Promise.reject(new Error('boom')), 'start'],
  ])('ends at the part that %s, which is stopped with those before it', async (_, start, code) => {
    const bench = new Bench();
    const parts = bench.parts({ start }, 'c');
    expect(await parts.start()).toMatchObject({ code });
    await parts.stop();
    expect(bench.done).toEqual([...each('start', ['a', 'b']), ...each('stop', ['c', 'b', 'a'])]);
  });
});

describe('a reload', () => {
  test('prepares every part before it commits any', async () => {
    const bench = new Bench();
    const parts = bench.parts();
    await parts.start();
    bench.done.length = 0;
    expect(await parts.reload(RELOAD)).toEqual([]);
    expect(bench.done).toEqual([...each('prepare'), ...each('commit')]);
  });

  const REFUSALS: readonly (readonly [string, () => Promise<Prepared>])[] = [
    ['refuses', async () => ({ ok: false, faults: [plainFault('no', 'not like this')] })],
    ['throws', () => Promise.reject(new Error('boom'))],
    [
      'throws at once',
      () => {
        throw new Error('boom');
      },
    ],
    ['never gets ready', () => never],
  ];
  test.each(NAMES.flatMap((which) => REFUSALS.map(([how, prepare]) => [which, how, prepare] as const)))(
    'changes nothing where %s %s, and gives up what the others took',
    async (which, _, prepare) => {
      const bench = new Bench();
      const parts = bench.parts({ prepare }, which);
      await parts.start();
      bench.done.length = 0;
      expect(await parts.reload(RELOAD)).toHaveLength(1);
      const others = NAMES.filter((name) => name !== which);
      expect(bench.done).toEqual([...each('prepare', others), ...each('discard', [...others].reverse())]);
      await parts.stop();
    },
  );

  test.each(NAMES)('a bug in the commit of %s is contained, and the others are committed', async (which) => {
    const bench = new Bench();
    const prepare = async (): Promise<Prepared> => ready(() => Promise.reject(new Error('bug')));
    const parts = bench.parts({ prepare }, which);
    await parts.start();
    expect(await parts.reload(RELOAD)).toEqual([]);
    const others = NAMES.filter((name) => name !== which);
    expect(bench.done.filter((line) => line.startsWith('commit'))).toEqual(each('commit', others));
    expect(bench.guard.faults()).toMatchObject([{ part: which, count: 1, message: 'bug' }]);
  });

  test('what a late part took is given up once it has it', async () => {
    const bench = new Bench();
    let get: (prepared: Prepared) => void = () => undefined;
    const late = new Promise<Prepared>((resolve) => {
      get = resolve;
    });
    const parts = bench.parts({ prepare: () => late }, 'b');
    await parts.start();
    expect(await parts.reload(RELOAD)).toMatchObject([{ message: 'b: not ready for the new settings within 0.05 s' }]);
    const discarded = new Promise<void>((resolve) => {
      get({ ok: true, commit: () => void bench.done.push('commit b'), discard: () => resolve() });
    });
    await discarded;
    expect(bench.done).not.toContain('commit b');
  });

  test('that meets a stop is not made', async () => {
    const bench = new Bench();
    const parts = bench.parts();
    await parts.start();
    const reload = parts.reload(RELOAD);
    await parts.stop();
    expect(await reload).toMatchObject([{ code: 'stopped' }]);
    expect(bench.done.filter((line) => line.startsWith('commit'))).toEqual([]);
  });
});

describe('a stop', () => {
  test.each(NAMES)('leaves %s behind where it hangs, and stops the others', async (which) => {
    const bench = new Bench();
    const parts = bench.parts({ stop: () => never }, which);
    await parts.start();
    await parts.stop();
    const others = [...NAMES].reverse().filter((name) => name !== which);
    expect(bench.done.filter((line) => line.startsWith('stop'))).toEqual(each('stop', others));
    expect(bench.log.join('')).toContain(`${which} takes too long and is left behind`);
  });

  test.each(NAMES)('goes on where %s throws', async (which) => {
    const bench = new Bench();
    const parts = bench.parts({ stop: () => Promise.reject(new Error('bug')) }, which);
    await parts.start();
    await parts.stop();
    expect(bench.done.filter((line) => line.startsWith('stop'))).toHaveLength(NAMES.length - 1);
  });
});

test('faults are those of the parts that were started', async () => {
  const bench = new Bench();
  const parts = bench.parts({ faults: () => ['one', 'two'] }, 'b');
  expect(parts.faults()).toEqual([]);
  await parts.start();
  expect(parts.faults()).toEqual([
    { part: 'b', message: 'one' },
    { part: 'b', message: 'two' },
  ]);
});
