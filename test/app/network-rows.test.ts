import { expect, test } from 'vitest';
import { rowsFault } from '../../src/app/network-rows.ts';
import { LiveRRsets, NETWORKS_MAX } from '../../src/live/live-rrsets.ts';

const MOST = NETWORKS_MAX - 1;
const names = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, i) => `net${from + i}`);

/** The rows of a server that has served these networks since its start. */
function rowsOf(served: readonly string[]): readonly (string | null)[] {
  const live = new LiveRRsets();
  for (const network of served) expect(live.register(network)).not.toBeNull();
  return live.rows();
}

test.each<[string, string[], string[], string | null]>([
  ['as many as there are rows', [], names(1, MOST), null],
  ['one more at once', [], names(1, MOST + 1), 'no room for net256: 255 networks is the most between two starts'],
  ['the last row', names(1, MOST - 1), [...names(1, MOST - 1), 'new'], null],
  ['the same ones again', names(1, MOST), names(1, MOST), null],
  ['one that was taken away comes back', names(1, MOST), ['net7'], null],
  [
    'another one in the place of one that was taken away',
    names(1, MOST),
    [...names(2, MOST), 'new'],
    'no room for new: 255 networks is the most between two starts; 1 of those served since the start are gone: a restart frees their places',
  ],
  [
    'many after all are gone',
    names(1, MOST),
    names(301, 310),
    'no room for net301, net302, net303 and 7 more: 255 networks is the most between two starts; 255 of those served since the start are gone: a restart frees their places',
  ],
  ['none', names(1, MOST), [], null],
])('rows for networks: %s', (_, served, wanted, message) => {
  expect(rowsFault(rowsOf(served), wanted)?.message ?? null).toBe(message);
});

test('a network beyond the last row gets none, and those that have one keep it', () => {
  const live = new LiveRRsets();
  const given = names(1, MOST).map((network) => live.register(network));
  expect(new Set(given).size).toBe(MOST);
  expect(live.register('one too many')).toBeNull();
  expect(live.register('net9')).toBe(given[8]);
});
