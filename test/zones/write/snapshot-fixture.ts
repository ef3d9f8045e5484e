import { expect } from 'vitest';
import { nameFromText } from '../../../src/dns/name.ts';
import { ZoneImage } from '../../../src/zones/image/image.ts';
import type { LiveAddresses } from '../../../src/zones/image/live-version.ts';
import { compileLoaded, type LoadedZone, loadZone, type ZoneSource } from '../../../src/zones/store/load-zone.ts';
import { printSnapshot } from '../../../src/zones/write/snapshot.ts';
import { key } from '../store/store-fixture.ts';

const NETWORK: ZoneSource = {
  kind: 'network',
  dns: {
    nsRecords: [key('ns1.example.net.'), key('ns2.example.net.')],
    soaNameserver: key('ns1.example.net.'),
    soaMailbox: key('host.example.net.'),
    rotateZones: ['www', 'a.deep'],
    ttl: 60,
  },
};

/** The zone of this text, which has no errors. */
export function load(text: string, source: ZoneSource = NETWORK): LoadedZone {
  const origin = nameFromText('example.test.', null);
  if (typeof origin === 'string') throw new Error(origin);
  const loaded = loadZone({
    origin,
    file: 'zone',
    source,
    includeRoot: null,
    readFile: () => ({ ok: true, text: Buffer.from(text) }),
  });
  expect(loaded.faults.filter(({ severity }) => severity === 'error')).toEqual([]);
  return loaded;
}

export const LIVE: LiveAddresses = {
  v4: [Uint8Array.of(192, 0, 2, 1), Uint8Array.of(192, 0, 2, 9)],
  v6: [Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)],
};

/** The zone of this text as a network's snapshot prints it. */
export function snapshot(text: string, live = LIVE, serial = 1_763_778_000): string {
  return printSnapshot(ZoneImage.attach(compileLoaded(load(text), 1)), live, serial);
}
