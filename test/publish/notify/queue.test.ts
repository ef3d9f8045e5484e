import { describe, expect, test } from 'vitest';
import type { WireName } from '../../../src/dns/name.ts';
import { FIRST_WAIT_MS, NotifyQueue, TRIES, WINDOW } from '../../../src/publish/notify/queue.ts';

const zone = (name: string): WireName => name as WireName;
const queue = (): NotifyQueue => {
  let id = 0;
  return new NotifyQueue(() => ++id);
};
const item = (name: string, serial: number, target = 0) => ({ target, zone: zone(name), serial });

test('an answer ends it; one with another identifier, zone or sender does not', () => {
  const notify = queue();
  notify.add([item('a', 1)]);
  const { send } = notify.take(0);
  expect(send).toEqual([{ ...item('a', 1), id: 1, attempt: 1 }]);
  expect(notify.answered(0, zone('a'), 9)).toBeNull();
  expect(notify.answered(0, zone('b'), 1)).toBeNull();
  expect(notify.answered(1, zone('a'), 1)).toBeNull();
  expect(notify.answered(0, zone('a'), 1)).toEqual(item('a', 1));
  expect([notify.size, notify.nextMs()]).toEqual([0, null]);
});

test('without an answer it is sent again, ever later, with a new identifier, and at last given up', () => {
  const notify = queue();
  notify.add([item('a', 1)]);
  const times: number[] = [];
  let now = 0;
  for (let i = 0; i < TRIES; i++) {
    expect(notify.take(now).send.map(({ id, attempt }) => [id, attempt])).toEqual([[i + 1, i + 1]]);
    times.push(now);
    expect(notify.take(now + 1)).toEqual({ send: [], lost: [] });
    now = notify.nextMs() ?? -1;
  }
  expect(times).toEqual([0, 1, 3, 7, 15, 31, 63].map((n) => n * FIRST_WAIT_MS));
  expect(notify.take(now)).toEqual({ send: [], lost: [item('a', 1)] });
  expect(notify.size).toBe(0);
});

describe('the newest serial wins', () => {
  test('while the older one waits', () => {
    const notify = queue();
    notify.add([item('a', 1)]);
    notify.add([item('a', 2)]);
    expect(notify.take(0).send.map(({ serial }) => serial)).toEqual([2]);
  });

  test('while the older one is on its way, whose answer proves nothing then', () => {
    const notify = queue();
    notify.add([item('a', 1)]);
    notify.take(0);
    notify.add([item('a', 2)]);
    expect(notify.answered(0, zone('a'), 1)).toBeNull();
    expect(notify.take(1).send.map(({ serial, attempt }) => [serial, attempt])).toEqual([[2, 1]]);
  });
});

test('the same serial again changes nothing while it waits or is on its way', () => {
  const notify = queue();
  notify.add([item('a', 1), item('b', 1)]);
  notify.add([item('a', 1)]);
  expect(notify.take(0).send).toHaveLength(2);
  notify.add([item('a', 1)]);
  expect([notify.take(1).send, notify.size]).toEqual([[], 2]);
  expect(notify.answered(0, zone('a'), 1)).toEqual(item('a', 1));
  notify.add([item('a', 1)]); // answered, and yet behind
  expect(notify.take(1).send).toHaveLength(1);
});

test('a zone that is forgotten is not sent, and its identifiers answer nothing', () => {
  const notify = queue();
  notify.add([item('a', 1), item('b', 1)]);
  notify.take(0);
  notify.add([item('c', 1)]);
  for (const name of ['a', 'c', 'never']) notify.forget(0, zone(name));
  expect([notify.zoneOf(0, 1), notify.zoneOf(0, 2), notify.size]).toEqual([null, 'b', 1]);
});

test('no two messages to a secondary have the same identifier', () => {
  const notify = new NotifyQueue(() => 65_535);
  notify.add(Array.from({ length: 50 }, (_, i) => item(`z${i}`, 1)));
  const ids = notify.take(0).send.map(({ id }) => id);
  expect([new Set(ids).size, Math.max(...ids)]).toEqual([50, 65_535]);
});

test('ten thousand zones go out as the answers come, a window at a time, each once', () => {
  const notify = queue();
  notify.add(Array.from({ length: 10_000 }, (_, i) => item(`z${i}`, 1)));
  const seen = new Set<string>();
  for (;;) {
    const { send } = notify.take(0);
    if (send.length === 0) break;
    expect(send.length).toBeLessThanOrEqual(WINDOW);
    for (const { zone: name, id } of send) {
      seen.add(name);
      expect(notify.answered(0, name, id)).not.toBeNull();
    }
  }
  expect([seen.size, notify.size]).toEqual([10_000, 0]);
});

test('a secondary that is silent does not hold up another', () => {
  const notify = queue();
  notify.add(Array.from({ length: 500 }, (_, i) => [item(`z${i}`, 1, 0), item(`z${i}`, 1, 1)]).flat());
  let answered = 0;
  for (let round = 0; round < 20; round++) {
    for (const { target, zone: name, id } of notify.take(0).send) {
      if (target === 1 && notify.answered(1, name, id) !== null) answered += 1;
    }
  }
  expect([answered, notify.size]).toEqual([500, 500]);
});

test('a target that is dropped is forgotten', () => {
  const notify = queue();
  notify.add([item('a', 1)]);
  notify.drop(0);
  expect([notify.take(0), notify.size]).toEqual([{ send: [], lost: [] }, 0]);
});

describe('a secondary that is slow to answer', () => {
  test('ends a NOTIFY by the answer to an earlier attempt', () => {
    const notify = queue();
    notify.add([item('a', 1)]);
    notify.take(0);
    expect(notify.take(FIRST_WAIT_MS).send.map(({ id }) => id)).toEqual([2]);
    expect(notify.answered(0, zone('a'), 1)).toEqual(item('a', 1));
    expect(notify.size).toBe(0);
  });

  test('hears of a thousand zones within a second of its first, a few at a time', () => {
    const notify = queue();
    notify.add(Array.from({ length: 1000 }, (_, i) => item(`z${i}`, 1)));
    const seen = new Set<string>();
    for (let now = 0; now <= 1000; now += 10) {
      const { send } = notify.take(now);
      expect(send.length).toBeLessThanOrEqual(now === 0 ? WINDOW : 20);
      for (const { zone: name, attempt } of send) if (attempt === 1) seen.add(name);
    }
    expect(seen.size).toBe(1000);
  });
});
