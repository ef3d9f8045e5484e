import { expect, test } from 'vitest';
import { nameKey } from '../../../../src/dns/name.ts';
import { LiveRRsets } from '../../../../src/live/live-rrsets.ts';
import { type StatusSources, statusView, zoneStates } from '../../../../src/server/control/views/status-view.ts';
import type { ZoneEntry } from '../../../../src/zones/store/types.ts';

const names = [
  ['a.test', 'a.test'],
  ['bücher.test', 'xn--bcher-kva.test'],
  ['www.ő', 'www.xn--8fa'],
  ['.', '.'],
] as const;

test.each(names)('the zone of a file called %s is shown as %s, as its secondaries are', (name, shown) => {
  const entry = { name, origin: nameKey(name), network: null, file: '/z', state: 'stale', faults: [] };
  const view = statusView({
    liveRRsets: new LiveRRsets(),
    zones: () => [entry as unknown as ZoneEntry],
  } as unknown as StatusSources);
  expect(view.zones().map((zone) => zone.name)).toEqual([shown]);
  expect(zoneStates([{ name, state: 'stale' }]).stale).toEqual([shown]);
  expect(zoneStates([{ name, state: 'broken' }]).broken).toEqual([shown]);
});
