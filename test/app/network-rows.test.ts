import { expect, test } from 'vitest';
import { rowsFault } from '../../src/app/network-rows.ts';
import { LiveRRsets, NETWORKS_MAX } from '../../src/live/live-rrsets.ts';

const MOST = NETWORKS_MAX - 1;
const names = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, i) => `net${from + i}`);

/** What a server has whose reloads brought these networks, one after the other. `released`: threads kept up with them. */
function liveAfter(reloads: readonly (readonly string[])[], released = true): LiveRRsets {
  const live = new LiveRRsets();
  let before: readonly string[] = [];
  for (const networks of reloads) {
    for (const network of before) if (!networks.includes(network)) live.retire(network);
    for (const network of networks) expect(live.register(network)).not.toBeNull();
    if (released) live.release(live.retiredGeneration);
    before = networks;
  }
  return live;
}

test.each<[string, string[][], string[], string | null]>([
  ['as many as there may be', [], names(1, MOST), null],
  ['one more at once', [], names(1, MOST + 1), 'no room for net256: 255 networks is the most'],
  ['ten more', [], names(1, MOST + 10), 'no room for net256, net257, net258 and 7 more: 255 networks is the most'],
  ['the last one', [names(1, MOST - 1)], [...names(1, MOST - 1), 'new'], null],
  ['the same ones again', [names(1, MOST)], names(1, MOST), null],
  ['one that was taken away comes back', [names(1, MOST), []], ['net7'], null],
  ['another one in the place of one that is taken away', [names(1, MOST)], [...names(2, MOST), 'new'], null],
  ['all others at once', [names(1, MOST)], names(301, 300 + MOST), null],
  ['all others, and then those again', [names(1, MOST), names(301, 300 + MOST)], names(1, MOST), null],
  ['none', [names(1, MOST)], [], null],
])('rows for networks: %s', (_, reloads, wanted, message) => {
  expect(rowsFault(liveAfter(reloads), wanted)?.message ?? null).toBe(message);
  if (message === null) liveAfter([...reloads, wanted]);
});

test('a thread that hangs and may still answer by the rows of those that are gone keeps them from being used', () => {
  const live = liveAfter([names(1, MOST), names(301, 300 + MOST)], false);
  expect(rowsFault(live, names(1, MOST))).toBeNull(); // they have theirs
  expect(rowsFault(live, names(601, 603))?.message).toBe(
    'no room for net602, net603: threads still answer by the places of networks that are gone; reload once more',
  );
  live.release(live.retiredGeneration);
  expect(rowsFault(live, names(601, 603))).toBeNull();
});

test('a network beyond the last row gets none, and those that have one keep it', () => {
  const live = new LiveRRsets();
  const given = names(1, MOST).map((network) => live.register(network));
  expect(new Set(given).size).toBe(MOST);
  expect(live.register('one too many')).toBeNull();
  expect(live.register('net9')).toBe(given[8]);
});
