import { expect, test } from 'vitest';
import { type Asker, Renderer } from '../../../../src/server/control/http/renderer.ts';
import { throwingGuard } from '../../../support/guard.ts';

const STRANGER: Asker = { client: '127.0.0.1', author: null };
const stranger = (last: number, gone?: AbortSignal): Asker => ({ client: `127.0.0.${last}`, author: null, gone });

/** A lane that is at work until `open` is called. */
function busyLane() {
  const renderer = new Renderer<string>(throwingGuard());
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const first = renderer.reply('slow', STRANGER, async () => {
    await gate;
    return 'slow';
  });
  const order: string[] = [];
  const ask = (key: string, asker: Asker) =>
    renderer.reply(key, asker, () => {
      order.push(key);
      return key;
    });
  return { renderer, open, first, order, ask };
}

test('those who wait for the same thing share one rendering, made after the last of them came', async () => {
  const { renderer, open, first } = busyLane();
  let renderings = 0;
  const render = () => String(++renderings);
  const shared = Promise.all(Array.from({ length: 1000 }, () => renderer.reply('page', STRANGER, render)));
  const other = renderer.reply('other', STRANGER, () => 'other');
  expect(renderings).toBe(0);
  open();
  expect(await first).toBe('slow');
  expect(new Set(await shared)).toEqual(new Set(['1']));
  expect(await other).toBe('other');
  expect(renderings).toBe(1);
  expect(await renderer.reply('page', STRANGER, render)).toBe('2');
});

test('what throws is thrown at those who asked, and the lane goes on', async () => {
  const renderer = new Renderer<string>(throwingGuard());
  const failing = [1, 2].map(() =>
    renderer.reply('bad', STRANGER, () => {
      throw new Error('upside down');
    }),
  );
  const good = renderer.reply('good', STRANGER, () => 'good');
  expect(await Promise.allSettled(failing)).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
  expect(await good).toBe('good');
});

test('what nobody waits for any more is neither kept nor rendered', async () => {
  const { renderer, open, order, ask } = busyLane();
  const [leaving, staying] = [new AbortController(), new AbortController()];
  const left = Array.from({ length: 8 }, (_, i) => ask(`gone ${i}`, stranger(1, leaving.signal)));
  const both = [ask('both', stranger(1, leaving.signal)), ask('both', stranger(2, staying.signal))];
  expect(renderer.size).toBe(9);
  leaving.abort();
  expect(renderer.size).toBe(1);
  expect(new Set(await Promise.all(left))).toEqual(new Set([null]));
  const late = ask('too late', stranger(1, leaving.signal));
  open();
  expect(await Promise.all(both)).toEqual([null, 'both']);
  expect(await late).toBeNull();
  expect(order).toEqual(['both']);
  staying.abort(); // of an answered request: means nothing
  expect(await ask('next', STRANGER)).toBe('next');
});

test('one who hangs up while it is rendered waits no longer, and comes again', async () => {
  const { renderer, open, first } = busyLane();
  const leaving = new AbortController();
  let finish: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const render = async () => {
    leaving.abort();
    await gate;
    return 'made';
  };
  const left = renderer.reply('page', stranger(1, leaving.signal), render);
  const stayed = renderer.reply('page', stranger(2), render);
  open();
  await first;
  expect(await left).toBeNull();
  const again = renderer.reply('page', stranger(1), () => 'made anew');
  finish();
  expect(await stayed).toBe('made');
  expect(await again).toBe('made anew');
});

test('those with a name go first, then each client in its turn', async () => {
  const { open, order, ask } = busyLane();
  const greedy = ['1', '2', '3', '4'].map((i) => ask(`greedy ${i}`, stranger(2)));
  // Two addresses of one IPv6 network are one client.
  const sixth = ['1', '2'].map((i) => ask(`six ${i}`, { client: `2001:db8::${i}`, author: null }));
  const modest = ask('modest', stranger(3));
  const anna = ['1', '2'].map((i) => ask(`anna ${i}`, { client: '127.0.0.2', author: 'anna' }));
  open();
  await Promise.all([...greedy, ...sixth, modest, ...anna]);
  expect(order.slice(0, 2)).toEqual(['anna 1', 'anna 2']);
  expect(order.slice(2)).toEqual(['six 1', 'modest', 'greedy 1', 'six 2', 'greedy 2', 'greedy 3', 'greedy 4']);
});
