import { describe, expect, test } from 'vitest';
import { isDoubtful, LoopWatch } from '../../../src/health/checks/stall.ts';

/** A loop whose time only the test moves: `block` stands still, after which what was due meanwhile comes at once. */
function loop() {
  let now = 1000;
  const ticks = new Set<{ readonly ms: number; readonly tick: () => void; at: number }>();
  const timers = new Set<{ readonly at: number; readonly act: () => void }>();
  const watch = new LoopWatch({
    now: () => now,
    every: (ms, tick) => {
      const timer = { ms, tick, at: now + ms };
      ticks.add(timer);
      return () => ticks.delete(timer);
    },
    after: (ms, act) => {
      const timer = { at: now + ms, act };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  });
  const turn = (): void => {
    for (const timer of ticks) {
      if (timer.at > now) continue;
      timer.at = now + timer.ms;
      timer.tick();
    }
    for (const timer of timers) {
      if (timer.at > now) continue;
      timers.delete(timer);
      timer.act();
    }
  };
  return {
    watch,
    block: (ms: number): void => {
      now += ms;
    },
    turn,
    run: (ms: number): void => {
      for (const end = now + ms; now < end; ) {
        now += 1;
        turn();
      }
    },
    timers: () => ticks.size,
  };
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
    const { watch, block } = loop();
    const meter = watch.open();
    block(100);
    expect(watch.late()).toBe(90);
    watch.close(meter);
  });

  test('after it, until the loop is in time again', () => {
    const { watch, block, turn, run } = loop();
    const meter = watch.open();
    block(100);
    turn();
    expect(watch.late()).toBe(90);
    block(3);
    expect(watch.late()).toBe(93);
    run(10);
    expect(watch.late()).toBe(0);
    watch.close(meter);
  });

  test('not by what timers are late anyway', () => {
    const { watch, block, turn } = loop();
    watch.open();
    block(14);
    expect(watch.late()).toBe(0);
    turn();
    expect(watch.late()).toBe(0);
    expect(watch.total()).toBe(0);
  });

  test('nothing while nobody watches', () => {
    const { watch, block } = loop();
    watch.close(watch.open());
    block(50);
    expect(watch.late()).toBe(0);
  });

  test('stalls add up, before and after the tick that finds them', () => {
    const { watch, block, turn } = loop();
    const meter = watch.open();
    block(60);
    expect(watch.total()).toBe(50);
    turn();
    expect(watch.total()).toBe(50);
    block(60);
    turn();
    expect(watch.total()).toBe(100);
    watch.close(meter);
    expect(watch.total()).toBe(100);
  });
});

describe('a meter', () => {
  test('sees a stall that a tick found', () => {
    const { watch, block, turn } = loop();
    const meter = watch.open();
    block(100);
    turn();
    watch.close(meter);
    expect(meter.maxMs).toBe(90);
  });

  test('sees a stall that goes on while it is closed', () => {
    const { watch, block } = loop();
    const meter = watch.open();
    block(100);
    watch.close(meter);
    expect(meter.maxMs).toBe(90);
  });

  test('counts only its own part of a stall', () => {
    const { watch, block } = loop();
    const first = watch.open();
    block(300);
    const second = watch.open();
    block(2);
    watch.close(second);
    watch.close(first);
    expect(second.maxMs).toBe(2);
    expect(first.maxMs).toBe(292);
  });

  test('tells when the stall is over, or waits no longer', async () => {
    const { watch, block, turn, run } = loop();
    const meter = watch.open();
    let calm = false;
    const over = watch.calm(60_000).then(() => {
      calm = true;
    });
    block(100);
    turn();
    await Promise.resolve();
    expect(calm).toBe(false);
    run(10);
    await over;
    watch.close(meter);
    const given = watch.calm(5); // no meter, no tick
    run(5);
    await given;
  });

  test('leaves no timer behind', () => {
    const { watch, timers } = loop();
    const meters = [watch.open(), watch.open()];
    expect(timers()).toBe(1);
    for (const meter of meters) watch.close(meter);
    expect(timers()).toBe(0);
  });

  test('leaves none of the real clock either', () => {
    const watch = new LoopWatch();
    const count = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = count();
    const meter = watch.open();
    expect(count()).toBe(before + 1);
    watch.close(meter);
    expect(count()).toBe(before);
  });
});
