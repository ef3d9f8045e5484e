import fc from 'fast-check';
import { expect, test } from 'vitest';
import { randomText, Sessions } from '../../../src/vantage/peers/sessions.ts';

const WINDOW = 64;

test('each counter once, and none that is far behind', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 300 }), { maxLength: 200 }), (counters) => {
      const sessions = new Sessions();
      const { session } = sessions;
      const boot = randomText();
      const taken = new Set<number>();
      let highest = -1;
      for (const counter of counters) {
        const isFresh = !taken.has(counter) && counter > highest - WINDOW;
        expect(sessions.check({ session, boot, counter })).toBe(isFresh ? 'fresh' : 'replayed');
        taken.add(counter);
        if (isFresh) highest = Math.max(highest, counter);
      }
    }),
  );
});

test('a request of another session is not remembered', () => {
  const sessions = new Sessions();
  const boot = randomText();
  for (const session of [null, randomText(), '']) {
    expect(sessions.check({ session, boot, counter: 5 })).toBe('unknown-session');
  }
  expect(sessions.check({ session: sessions.session, boot, counter: 5 })).toBe('fresh');
});

test('what was recorded before our start is never fresh', () => {
  const boot = randomText();
  const { session } = new Sessions();
  expect(new Sessions().check({ session, boot, counter: 0 })).toBe('unknown-session');
});

test('each start of the peer has its own counters', () => {
  const sessions = new Sessions();
  const { session } = sessions;
  const [old, now] = [randomText(), randomText()];
  expect(sessions.check({ session, boot: old, counter: 90 })).toBe('fresh');
  expect(sessions.check({ session, boot: now, counter: 0 })).toBe('fresh');
  expect(sessions.check({ session, boot: old, counter: 90 })).toBe('replayed');
  expect(sessions.check({ session, boot: now, counter: 0 })).toBe('replayed');
});

test('a peer that started too often gets another session, in which nothing of the old one is fresh', () => {
  const sessions = new Sessions();
  const { session } = sessions;
  const boots = Array.from({ length: 16 }, randomText);
  for (const boot of boots) expect(sessions.check({ session, boot, counter: 0 })).toBe('fresh');
  const late = randomText();
  expect(sessions.check({ session, boot: late, counter: 0 })).toBe('unknown-session');
  expect(sessions.session).not.toBe(session);
  for (const boot of boots) expect(sessions.check({ session, boot, counter: 0 })).toBe('unknown-session');
  expect(sessions.check({ session: sessions.session, boot: late, counter: 1 })).toBe('fresh');
});
