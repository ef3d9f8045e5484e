import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WriteBehind } from '../../src/system/write-behind.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('of a key the newest state is written, once', async () => {
  const written: string[] = [];
  const files = new WriteBehind<string>();
  for (const state of ['1', '2', '3']) files.save('a', async () => void written.push(`a${state}`));
  files.save('b', async () => void written.push('b'));
  await files.idle();
  expect(written).toEqual(['a3', 'b']);
});

test('what comes while its key is being written is written after it', async () => {
  const written: number[] = [];
  const files = new WriteBehind<string>();
  files.save('a', async () => {
    for (const state of [2, 3]) files.save('a', async () => void written.push(state));
    written.push(1);
  });
  await files.idle();
  expect(written).toEqual([1, 3]);
});

test('a failure is named once, tried again with growing pauses, and over when it is well', async () => {
  const said: (string | null)[] = [];
  const files = new WriteBehind<string>({ onFault: (_, message) => said.push(message), retryMs: 100, retryMaxMs: 300 });
  let tries = 0;
  files.save('a', async () => {
    tries++;
    if (tries < 5) throw new Error('no space left');
  });
  files.save('b', async () => undefined);
  await files.idle();
  expect([...files.faults()]).toEqual([['a', 'no space left']]);
  for (const [ms, count] of [
    [99, 1],
    [1, 2],
    [200, 3],
    [299, 3],
    [1, 4],
    [300, 5],
  ]) {
    await vi.advanceTimersByTimeAsync(ms);
    expect(tries).toBe(count);
  }
  expect(said).toEqual(['no space left', null]);
  expect(files.faults().size).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

test('a newer state takes the place of one that waits to be tried again', async () => {
  const written: string[] = [];
  const files = new WriteBehind<string>({ retryMs: 100 });
  files.save('a', () => Promise.reject(new Error('old')));
  await files.idle();
  files.save('a', async () => void written.push('new'));
  await files.idle();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(written).toEqual(['new']);
  expect(files.faults().size).toBe(0);
});

test('closing tries once more at once, then leaves it', async () => {
  const files = new WriteBehind<string>({ retryMs: 1000 });
  let tries = 0;
  files.save('a', async () => {
    tries++;
    throw new Error('gone');
  });
  await files.idle();
  await files.close();
  expect(tries).toBe(2);
  expect(vi.getTimerCount()).toBe(0);
  expect([...files.faults().values()]).toEqual(['gone']);
});

test.each([
  { what: 'fails once', failures: 1, retryMs: 1000, tries: 2, faults: [] },
  { what: 'fails always', failures: 9, retryMs: 1000, tries: 2, faults: ['gone'] },
  {
    what: 'fails once and is never tried again',
    failures: 1,
    retryMs: Number.POSITIVE_INFINITY,
    tries: 1,
    faults: ['gone'],
  },
])('a write under way at the end that $what', async ({ failures, retryMs, tries, faults }) => {
  const files = new WriteBehind<string>({ retryMs });
  const started = gate();
  const blocked = gate();
  let tried = 0;
  files.save('a', async () => {
    tried++;
    started.open();
    await blocked.opened;
    if (tried <= failures) throw new Error('gone');
  });
  await started.opened;
  const closed = files.close();
  blocked.open();
  await closed;
  expect(tried).toBe(tries);
  expect([...files.faults().values()]).toEqual(faults);
  expect(vi.getTimerCount()).toBe(0);
});

test('a write under way at the end that fails gives way to a newer one', async () => {
  const files = new WriteBehind<string>();
  const written: string[] = [];
  const started = gate();
  const blocked = gate();
  files.save('a', async () => {
    started.open();
    await blocked.opened;
    throw new Error('gone');
  });
  await started.opened;
  files.save('a', async () => void written.push('newer'));
  const closed = files.close();
  blocked.open();
  await closed;
  expect(written).toEqual(['newer']);
  expect(files.faults().size).toBe(0);
});

test('whoever is called with a fault may throw: later writes go on, and the fault still shows', async () => {
  const written: string[] = [];
  const files = new WriteBehind<string>({
    retryMs: Number.POSITIVE_INFINITY,
    onFault: () => {
      throw new Error('the log');
    },
  });
  files.save('a', async () => {
    throw new Error('the disk');
  });
  files.save('b', async () => void written.push('b'));
  await files.idle();
  expect(written).toEqual(['b']);
  expect([...files.faults()]).toEqual([['a', 'the disk']]);
  files.save('a', async () => void written.push('a'));
  await files.idle();
  expect(written).toEqual(['b', 'a']);
  expect(files.faults().size).toBe(0);
});

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
