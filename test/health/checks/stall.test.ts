import { describe, expect, test } from 'vitest';
import { isDoubtful, LoopWatch } from '../../../src/health/checks/stall.ts';

/** Keeps the loop from turning. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

describe('what is in doubt', () => {
  test.each([
    [20, 0.1, false],
    [20.1, 0.1, true],
    [20.1, 1, true],
    [20.1, 1.01, false],
    [199, 10, false],
    [201, 10, true],
  ])('a stall of %d ms in %d s: %s', (stalledMs, seconds, doubtful) => {
    expect(isDoubtful(stalledMs, seconds)).toBe(doubtful);
  });
});

describe('how late we may be hearing of something', () => {
  test('while the loop stands still', () => {
    const watch = new LoopWatch();
    const meter = watch.open();
    block(100);
    expect(watch.late()).toBeGreaterThanOrEqual(90);
    watch.close(meter);
  });

  test('after it, until the loop is in time again', async () => {
    const watch = new LoopWatch();
    const meter = watch.open();
    block(100);
    await pause(1); // lets the tick come
    const late = watch.late();
    watch.close(meter);
    expect(late).toBeGreaterThanOrEqual(80);
  });

  test('nothing while nobody watches', () => {
    const watch = new LoopWatch();
    watch.close(watch.open());
    block(50);
    expect(watch.late()).toBe(0);
  });

  test('stalls add up, before and after the tick that finds them', async () => {
    const watch = new LoopWatch();
    const meter = watch.open();
    const before = watch.total();
    block(60);
    const during = watch.total() - before;
    await pause(1); // lets the tick come
    const after = watch.total() - before;
    block(60);
    await pause(1);
    const both = watch.total() - before;
    watch.close(meter);
    expect(during).toBeGreaterThanOrEqual(49);
    expect(after).toBeGreaterThanOrEqual(during);
    expect(both).toBeGreaterThanOrEqual(after + 49);
    expect(watch.total() - before).toBe(both);
  });
});

describe('a meter', () => {
  test('sees a stall that a tick found', async () => {
    const watch = new LoopWatch();
    const meter = watch.open();
    block(100);
    await pause(1); // lets the tick come
    watch.close(meter);
    expect(meter.maxMs).toBeGreaterThan(80);
  });

  test('sees a stall that goes on while it is closed', () => {
    const watch = new LoopWatch();
    const meter = watch.open();
    block(100);
    watch.close(meter);
    expect(meter.maxMs).toBeGreaterThan(80);
  });

  test('counts only its own part of a stall', () => {
    const watch = new LoopWatch();
    const first = watch.open();
    block(300);
    const opened = performance.now();
    const second = watch.open();
    watch.close(second);
    const longest = performance.now() - opened;
    watch.close(first);
    expect(second.maxMs).toBeLessThanOrEqual(longest);
    expect(first.maxMs).toBeGreaterThan(280);
  });

  test('tells when the stall is over, or waits no longer', async () => {
    const watch = new LoopWatch();
    const meter = watch.open();
    block(100);
    await watch.calm(60_000);
    watch.close(meter);
    expect(meter.maxMs).toBeGreaterThan(80);
    await watch.calm(1); // no meter, no tick
  });

  test('leaves no timer behind', async () => {
    const watch = new LoopWatch();
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const meters = [watch.open(), watch.open()];
    expect(timers()).toBe(before + 1);
    for (const meter of meters) watch.close(meter);
    expect(timers()).toBe(before);
  });
});
