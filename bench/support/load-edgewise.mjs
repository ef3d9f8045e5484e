// Edgewise as far as loading goes: the zone store and the answering threads, built code, no probing. Run by bench/load.ts:
// `node load-edgewise.mjs PORT FOLDER`, FOLDER holding NAME.zone files.
import { NO_TRANSFERS } from '../../dist/server/dns-thread.js';
import { DnsThreads } from '../../dist/server/worker-group.js';
import { LiveSlots } from '../../dist/zones/live-slots.js';
import { nameKey } from '../../dist/zones/name.js';
import { ZoneStore } from '../../dist/zones/zone-store.js';

const [port, folder, settings] = process.argv.slice(2);
const updates = [];
const store = new ZoneStore({
  settings: {
    dns: { nsRecords: [], soaNameserver: nameKey('.'), soaMailbox: nameKey('.'), rotateZones: [], ttl: 60 },
    zonetemplateDir: folder,
    networks: [],
    staticZones: [],
    staticZoneDir: folder,
  },
  serialFile: null,
  liveSerial: () => 0,
  now: () => Date.now() / 1000,
  onChange: (changes) => {
    for (const { zone, origin, kind, image } of changes) {
      if (kind !== 'image') throw new Error(`${origin} is ${kind}`);
      updates.push({ kind: 'zone', zone, origin, image, slot: -1, network: 0 });
    }
  },
});
await store.load();
const threads = await DnsThreads.start({
  server: { ...JSON.parse(settings), listen: [{ address: '127.0.0.1', port: Number(port) }] },
  transfer: NO_TRANSFERS,
  slots: LiveSlots.create(1).shared,
  networks: 1,
  updates,
  log: (level, message) => console.error(level, message),
});
if (!(threads instanceof DnsThreads)) throw new Error(threads.message);
process.once('SIGTERM', () => void threads.stop().then(() => process.exit(0)));
