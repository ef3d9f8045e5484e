import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LiveHistoryFiles } from '../../../src/live/history-files.ts';
import { JournalFolder } from '../../../src/zones/journal/files.ts';
import { ContentJournal } from '../../../src/zones/journal/journal.ts';
import { stepSerials } from '../../../src/zones/journal/step.ts';
import { install, key } from './store-fixture.ts';

/** What version 0.1 left behind (made by make-store.mjs with its code) is taken over as it is. */
const GOLDEN = join(import.meta.dirname, '..', '..', 'golden', 'v0.1', 'store');

async function upgraded() {
  const here = install();
  cpSync(GOLDEN, here.folder, { recursive: true });
  const { dns } = here.settings();
  here.open({ staticZoneDir: here.path('static'), dns: { ...dns, rotateZones: ['www'] } });
  await here.store.load();
  return here;
}

test('serials: unchanged contents keep theirs, a zone that was gone gets a higher one', async () => {
  const here = await upgraded();
  expect(here.faults).toEqual([]);
  expect(here.entry('live.test.').serial).toBe(1_763_778_001);
  expect(here.entry('own.test.').serial).toBe(8);
  here.write('zones/net/gone.test.zone', '');
  await here.store.reload();
  expect(here.entry('gone.test.').serial).toBe(1_763_778_001);
});

test('journals and contents: steps of before the restart lead to the zones as they are', async () => {
  const here = await upgraded();
  const trouble: string[] = [];
  const journal = new ContentJournal({
    files: new JournalFolder(here.path('transfer'), (message) => trouble.push(message)),
    servedBefore: (origin, network) => here.store.servedBefore(origin, network),
  });
  journal.keepContents(true);
  await journal.open(here.store.entries());
  const steps = (name: string) => journal.stepsOf(key(name)).map((step) => stepSerials(step));
  expect(steps('live.test.')).toEqual([{ from: 1_763_778_000, to: 1_763_778_001 }]);
  expect(steps('own.test.')).toEqual([{ from: 7, to: 8 }]);
  await journal.close();
  expect(trouble).toEqual([]);
});

test('contents: a change made while the server was away is a step', async () => {
  const here = install();
  cpSync(GOLDEN, here.folder, { recursive: true });
  here.write('static/own.test.zone', '$TTL 300\n@ SOA ns host 9 7200 900 1209600 300\n@ NS ns\nns A 192.0.2.9\n');
  here.open({ staticZoneDir: here.path('static') });
  await here.store.load();
  const journal = new ContentJournal({
    files: new JournalFolder(here.path('transfer'), () => undefined),
    servedBefore: (origin, network) => here.store.servedBefore(origin, network),
  });
  journal.keepContents(true);
  await journal.open(here.store.entries());
  expect(journal.stepsOf(key('own.test.')).map((step) => stepSerials(step))).toEqual([
    { from: 7, to: 8 },
    { from: 8, to: 9 },
  ]);
  await journal.close();
});

test('live history', async () => {
  const history = await new LiveHistoryFiles(join(GOLDEN, 'transfer'), () => undefined).read('net');
  expect(history?.versions.map(({ serial, v4, v6 }) => [serial, v4.length, v6.length])).toEqual([
    [1_763_777_000, 1, 0],
    [1_763_777_100, 2, 1],
  ]);
  expect(history?.zones.get(key('live.test.'))?.map(({ serial }) => serial)).toEqual([1_763_777_200]);
});
