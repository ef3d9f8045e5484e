import { once } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import { limitOf, orAborted, within } from '../../src/system/deadline.ts';

test('the promise, when it is in time', async () => {
  expect(await within(60_000, Promise.resolve('done'), () => 'late')).toBe('done');
  await expect(within(60_000, Promise.reject(new Error('no')), () => 'late')).rejects.toThrow('no');
});

test('what `late` says or throws, when it is not', async () => {
  const never = new Promise<string>(() => undefined);
  expect(await within(0, never, () => 'late')).toBe('late');
  const thrown = within(0, never, () => {
    throw new Error('too late');
  });
  await expect(thrown).rejects.toThrow('too late');
});

test("no timer is left behind, and a rejection after the deadline is nobody's", async () => {
  vi.useFakeTimers();
  try {
    await within(1000, Promise.resolve(1), () => 2);
    expect(vi.getTimerCount()).toBe(0);
    let fail: (error: Error) => void = () => undefined;
    const slow = new Promise<number>((_, reject) => {
      fail = reject;
    });
    const raced = within(10, slow, () => 2);
    await vi.advanceTimersByTimeAsync(10);
    expect(await raced).toBe(2);
    fail(new Error('afterwards')); // an unhandled rejection would fail the run
    await vi.advanceTimersByTimeAsync(1);
  } finally {
    vi.useRealTimers();
  }
});

test('the promise, unless the signal is aborted first', async () => {
  const abort = new AbortController();
  expect(await orAborted(abort.signal, Promise.resolve('done'))).toBe('done');
  const waiting = orAborted(abort.signal, new Promise(() => undefined));
  const reason = new Error('given up');
  abort.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  await expect(orAborted(abort.signal, new Promise(() => undefined))).rejects.toBe(reason);
  // An unhandled rejection would fail the run.
  await expect(orAborted(abort.signal, Promise.reject(new Error('afterwards')))).rejects.toThrow();
});

describe('a limit', () => {
  const late = (): Error => new Error('late');

  test('ends with its time, with its parent, or with a parent that has ended already', async () => {
    const parent = new AbortController();
    const short = limitOf(1, parent.signal, late);
    await once(short.signal, 'abort');
    expect(short.signal.reason).toEqual(new Error('late'));
    const long = limitOf(60_000, parent.signal, late);
    parent.abort(new Error('stopped'));
    expect(long.signal.reason).toEqual(new Error('stopped'));
    expect(limitOf(60_000, parent.signal, late).signal.aborted).toBe(true);
  });

  test('is left alone by its parent once it is over', () => {
    const parent = new AbortController();
    const { signal, end } = limitOf(60_000, parent.signal, late);
    end();
    parent.abort();
    expect(signal.aborted).toBe(false);
  });
});
