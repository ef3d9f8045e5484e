import { appendFileSync, mkdirSync, renameSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SETTLE, type SettleTimes } from '../../../src/system/settling.ts';
import { ZoneImage } from '../../../src/zones/image/image.ts';
import type { ZoneSettings } from '../../../src/zones/store/types.ts';
import { type Installation, install, STATIC } from './store-fixture.ts';

/** As in use, but files that look cut off and ones that change for ever are waited for as long as a test can wait. */
const REAL: SettleTimes = { ...SETTLE, doubtMs: 3500, reportMs: 2500 };
const NETWORK = Array.from({ length: 40 }, (_, i) => `h${i} A 192.0.2.${i}\n`).join('');

function zone(serial: number, hosts: number): string {
  const lines = Array.from({ length: hosts }, (_, i) => `h${i} A 192.0.2.${150 + (i % 100)}\n`);
  return STATIC.replace('host 7', `host ${serial}`) + lines.join('');
}

async function watched(files: { readonly [path: string]: string }, times = REAL, settings: Partial<ZoneSettings> = {}) {
  const here = install();
  here.open({ staticZoneDir: here.path('static'), ...settings }, { settle: times });
  mkdirSync(here.path('static'), { recursive: true });
  for (const [path, text] of Object.entries(files)) here.write(path, text);
  await here.store.load();
  here.store.watch();
  return here;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Serials of all versions that were handed over, in order. */
function serials(here: Installation): number[] {
  return here.changes.flatMap((change) => (change.kind === 'image' ? [ZoneImage.attach(change.image).serial] : []));
}

test.each([
  ['at the end of a line', (text: string) => text.lastIndexOf('\n', text.length / 2) + 1],
  ['inside an address', (text: string) => text.indexOf('192.0.2.150', text.length / 2) + '192.0.2.1'.length],
])('a copy in place whose first part ends %s is published once, whole', async (_where, cut) => {
  const here = await watched({ 'static/example.test.zone': zone(1, 200) });
  const text = zone(2, 220);
  const file = here.path('static/example.test.zone');
  writeFileSync(file, text.slice(0, cut(text)));
  await pause(1500);
  appendFileSync(file, text.slice(cut(text)));
  await here.until(() => serials(here).includes(2));
  expect(here.entry('example.test.')).toMatchObject({ records: 223, state: 'ok', faults: [] });
  expect(serials(here)).toEqual([1, 2]);
});

test('an include that is copied in place is published once, whole', async () => {
  const here = await watched({ 'zones/net/example.test.zone': '$INCLUDE hosts\n', 'zones/hosts': NETWORK });
  const text = NETWORK.replaceAll('h', 'x');
  writeFileSync(here.path('zones/hosts'), text.slice(0, text.indexOf('\n', 200) + 1));
  await pause(1500);
  appendFileSync(here.path('zones/hosts'), text.slice(text.indexOf('\n', 200) + 1));
  await here.until(() => serials(here).length > 1);
  expect(here.records('example.test.').filter((line) => line.startsWith('x'))).toHaveLength(40);
});

test('a copy that rests for longer is waited for while it looks cut off, and that is said', async () => {
  const here = await watched({ 'static/example.test.zone': zone(1, 200) });
  const text = zone(2, 200);
  const file = here.path('static/example.test.zone');
  writeFileSync(file, text.slice(0, text.lastIndexOf('\n', text.length / 2) + 1));
  await here.until(() => here.entry('example.test.').faults[0]?.code === 'zone-unsettled');
  expect(here.entry('example.test.')).toMatchObject({ serial: 1, records: 203, state: 'ok' });
  appendFileSync(file, text.slice(text.lastIndexOf('\n', text.length / 2) + 1));
  await here.until(() => serials(here).includes(2));
  expect(here.entry('example.test.')).toMatchObject({ records: 203, state: 'ok', faults: [] });
  expect(serials(here)).toEqual([1, 2]);
});

test('a zone that did become that small is served after a while', async () => {
  const here = await watched({ 'static/example.test.zone': zone(1, 200) });
  here.write('static/example.test.zone', zone(2, 10));
  await here.until(() => serials(here).includes(2));
  expect(here.entry('example.test.')).toMatchObject({ records: 13, state: 'ok', faults: [] });
});

test('a file that is renamed into place is seen at once, however small it is and however it ends', async () => {
  const never = { ...REAL, quietMs: 600_000, swapMs: 600_000, doubtMs: 600_000 };
  const here = await watched({ 'static/example.test.zone': zone(1, 200) }, never);
  for (const [serial, hosts] of [
    [2, 210],
    [3, 5],
  ]) {
    here.write('static/new', zone(serial, hosts).trimEnd());
    renameSync(here.path('static/new'), here.path('static/example.test.zone'));
    await here.until(() => serials(here).includes(serial));
  }
});

test('a file that is taken away and written anew in pieces is one change', async () => {
  const here = await watched({ 'static/example.test.zone': zone(1, 100) });
  const file = here.path('static/example.test.zone');
  const text = zone(2, 400);
  unlinkSync(file);
  writeFileSync(file, text.slice(0, text.indexOf('\n', 3000) + 1));
  await pause(1200);
  appendFileSync(file, text.slice(text.indexOf('\n', 3000) + 1));
  await here.until(() => serials(here).includes(2));
  expect(here.entry('example.test.').records).toBe(403);
  expect(serials(here)).toEqual([1, 2]);
});

test('a file that is written without end is reported, and the version before stays', async () => {
  const here = await watched({ 'static/example.test.zone': zone(1, 20) });
  let host = 0;
  const writer = setInterval(
    () => appendFileSync(here.path('static/example.test.zone'), `more${host++} A 192.0.2.1\n`),
    100,
  );
  await here.until(() => here.entry('example.test.').state === 'stale');
  expect(here.entry('example.test.')).toMatchObject({ serial: 1, records: 23, faults: [{ code: 'zone-unsettled' }] });
  clearInterval(writer);
  await here.until(() => here.entry('example.test.').state === 'ok');
  expect(here.entry('example.test.').records).toBe(23 + host);
});

test('a touched or restored file changes nothing', async () => {
  const here = await watched({ 'static/example.test.zone': zone(1, 100) });
  const file = here.path('static/example.test.zone');
  truncateSync(file, zone(1, 100).indexOf('h50'));
  await here.until(() => here.entry('example.test.').faults[0]?.code === 'zone-unsettled');
  writeFileSync(file, zone(1, 100));
  await here.until(() => here.entry('example.test.').faults.length === 0);
  expect(here.entry('example.test.')).toMatchObject({ state: 'ok', serial: 1 });
  expect(serials(here)).toHaveLength(1);
});

test('a reload in the middle of a copy waits for its end', async () => {
  const here = await watched({ 'static/example.test.zone': zone(1, 100) });
  const text = zone(2, 300);
  const file = here.path('static/example.test.zone');
  writeFileSync(file, text.slice(0, text.indexOf('\n', 3000) + 1));
  const reloaded = here.store.reload();
  await pause(500);
  appendFileSync(file, text.slice(text.indexOf('\n', 3000) + 1));
  await reloaded;
  await here.until(() => serials(here).includes(2));
  expect(serials(here)).toEqual([1, 2]);
});

test('a restart in the middle of a copy does not publish the half', async () => {
  const here = await watched({ 'static/example.test.zone': zone(1, 100) });
  await here.store.close();
  const text = zone(2, 100);
  const file = here.path('static/example.test.zone');
  writeFileSync(file, text.slice(0, text.indexOf('192.0.2.200') + '192.0.2.20'.length));
  here.open({ staticZoneDir: here.path('static') }, { settle: REAL });
  await here.store.load();
  expect(here.entry('example.test.')).toMatchObject({ state: 'broken', faults: [{ code: 'zone-unsettled' }] });
  here.store.watch();
  appendFileSync(file, text.slice(text.indexOf('192.0.2.200') + '192.0.2.20'.length));
  await here.until(() => serials(here).includes(2));
  expect(serials(here)).toEqual([1, 2]);
});

test('a zone file replaced by a folder, and a deleted folder, are errors; what was served stays', async () => {
  const here = await watched({ 'static/example.test.zone': zone(1, 10), 'zones/net/net.test.zone': 'a A 192.0.2.1\n' });
  rmSync(here.path('static/example.test.zone'));
  mkdirSync(here.path('static/example.test.zone'));
  rmSync(here.path('zones/net'), { recursive: true });
  await here.until(() => here.entry('example.test.').state === 'stale' && here.store.faults().length > 0);
  expect(here.entry('example.test.').faults[0].message).toBe('is a folder, not a file');
  expect(here.store.faults()).toMatchObject([{ severity: 'error', code: 'folder-unreadable' }]);
  expect(here.entry('net.test.').state).toBe('ok');
});
