import { expect, test } from 'vitest';
import { LiveRRsets } from '../../src/live/live-rrsets.ts';
import type { LiveVersion } from '../../src/zones/image/live-version.ts';
import { key } from '../zones/store/store-fixture.ts';

const [A, B, C] = [key('a.test.'), key('b.test.'), key('c.test.')];
const set = (serial: number): LiveVersion => ({ serial, v4: [Uint8Array.of(127, 0, 0, serial)], v6: [] });

function network(): LiveRRsets {
  const live = new LiveRRsets();
  live.register('net');
  live.publish('net', { version: set(10), zones: new Map() });
  return live;
}

const at = (live: LiveRRsets, origin: typeof A): number => live.slots.read(live.slotOf('net', origin)).v4[0]?.[3] ?? 0;

test('frozen zones keep their live set and share a slot; the others go on', () => {
  const live = network();
  expect(live.hold('net', A, 'frozen') && live.hold('net', B, 'frozen')).toBe(true);
  expect(live.slotOf('net', A)).toBe(live.slotOf('net', B));
  live.publish('net', { version: set(20), zones: new Map() });
  expect([A, B, C].map((origin) => [at(live, origin), live.versionOf('net', origin)?.serial])).toEqual([
    [10, 10],
    [10, 10],
    [20, 20],
  ]);
  expect(live.followedVersion('net', A).serial).toBe(20);
  live.hold('net', C, 'frozen');
  live.publish('net', { version: set(30), zones: new Map() });
  expect([A, C].map((origin) => at(live, origin))).toEqual([10, 20]);
  live.follow(A);
  expect(at(live, A)).toBe(30);
  expect([live.isHeld(A), live.isHeld(B)]).toEqual([false, true]);
});

test('an unagreed zone follows the live set and claims no serial', () => {
  const live = network();
  live.hold('net', A, 'unagreed');
  live.publish('net', { version: set(20), zones: new Map() });
  expect(live.slots.read(live.slotOf('net', A))).toMatchObject({ serial: 1, v4: [Uint8Array.of(127, 0, 0, 20)] });
  live.hold('net', A, 'frozen');
  live.follow(A);
  expect(live.versionOf('net', A)?.serial).toBe(20);
});

test('a slot that is left is used again, but not while a thread may answer by it', () => {
  const live = network();
  live.hold('net', A, 'frozen');
  const slot = live.slotOf('net', A);
  live.follow(A);
  live.hold('net', B, 'unagreed');
  expect(live.slotOf('net', B)).not.toBe(slot);
  live.release(live.retiredGeneration);
  live.hold('net', C, 'frozen');
  expect(live.slotOf('net', C)).toBe(slot);
});

test('a network without a live set gives an unagreed zone none', () => {
  const live = new LiveRRsets();
  live.register('net');
  live.hold('net', A, 'unagreed');
  expect(live.slots.read(live.slotOf('net', A)).serial).toBe(0);
});
