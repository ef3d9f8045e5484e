// Makes `store/`. Run with the built code of v0.1: node make-store.mjs DIST OUT
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const [dist, out] = process.argv.slice(2).map((p) => resolve(p));
const at = (p) => import(join(dist, p));
const { ZoneStore } = await at('zones/store/zone-store.js');
const { ContentJournal } = await at('zones/journal/journal.js');
const { JournalFolder } = await at('zones/journal/journal-files.js');
const { LiveHistoryFiles } = await at('server/live/live-history-files.js');
const { nameKey } = await at('zones/name.js');
const key = (t) => nameKey(t);
const dns = {
  nsRecords: [key('ns1.example.net.')],
  soaNameserver: key('ns1.example.net.'),
  soaMailbox: key('host.example.net.'),
  rotateZones: ['www'],
  ttl: 60,
};
mkdirSync(join(out, 'zones/net'), { recursive: true });
mkdirSync(join(out, 'static'), { recursive: true });
const write = (p, t) => writeFileSync(join(out, p), t);
write('zones/net/live.test.zone', 'mail A 192.0.2.1\n');
write('zones/net/gone.test.zone', '');
const STATIC = (serial, a) => `$TTL 300\n@ SOA ns host ${serial} 7200 900 1209600 300\n@ NS ns\nns A ${a}\n`;
write('static/own.test.zone', STATIC(7, '192.0.2.7'));
// biome-ignore lint/style/useConst: the store's callback refers to it before it can be made
let journal;
const changes = [];
const store = new ZoneStore({
  settings: {
    dns,
    zonetemplateDir: join(out, 'zones'),
    networks: ['net'],
    staticZones: [],
    staticZoneDir: join(out, 'static'),
  },
  serialFile: join(out, 'edgewise-zones.json'),
  liveSerial: () => 0,
  now: () => 1763778000,
  onChange: (c) => changes.push(...c),
});
await store.load();
journal = new ContentJournal({
  files: new JournalFolder(join(out, 'transfer'), (m) => {
    throw new Error(m);
  }),
  servedBefore: (o, n) => store.servedBefore(o, n),
});
journal.keepContents(true);
await journal.open(store.entries());
changes.length = 0;
write('zones/net/live.test.zone', 'mail A 192.0.2.2\n');
write('static/own.test.zone', STATIC(8, '192.0.2.8'));
rmSync(join(out, 'zones/net/gone.test.zone'));
await store.reload();
await journal.changed(changes.map((c) => ({ ...c, image: c.kind === 'image' ? c.image : null })));
await journal.close();
await store.close();
const live = new LiveHistoryFiles(join(out, 'transfer'), (m) => {
  throw new Error(m);
});
const v = (serial, ...a) => ({ serial, v4: a.map((x) => Uint8Array.from(x.split('.').map(Number))), v6: [] });
live.save('net', () => ({
  versions: [
    v(1763777000, '192.0.2.10'),
    {
      ...v(1763777100, '192.0.2.11', '192.0.2.12'),
      v6: [Uint8Array.from([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])],
    },
  ],
  zones: new Map([[key('live.test.'), [v(1763777200, '192.0.2.13')]]]),
}));
await live.close();
