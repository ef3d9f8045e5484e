import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LiveHistoryFiles } from '../../src/live/history-files.ts';
import { seal } from '../../src/system/sealed.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgewise-live-'));
});
afterEach(() => rm(folder, { recursive: true }));

const good = { serial: 7, addresses: ['192.0.2.1', '2001:db8::1'] };

let trouble: string[] = [];

function files(): LiveHistoryFiles {
  trouble = [];
  return new LiveHistoryFiles(folder, (message) => trouble.push(message));
}

async function read(value: unknown) {
  await writeFile(join(folder, 'mynet.live'), seal(`${JSON.stringify(value)}\n`));
  return files().read('mynet');
}

const unused = (problem: string): string =>
  `live history: ${join(folder, 'mynet.live')} ${problem}: not used, so some of the next transfers are whole`;

test('versions come back by family, those of zones too', async () => {
  const saved = await read({ version: 1, versions: [good], zones: { 'one.test.': [{ serial: 8, addresses: [] }] } });
  expect(saved?.versions).toEqual([
    {
      serial: 7,
      v4: [Uint8Array.of(192, 0, 2, 1)],
      v6: [Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)],
    },
  ]);
  expect([...(saved?.zones.values() ?? [])]).toEqual([[{ serial: 8, v4: [], v6: [] }]]);
  expect(trouble).toEqual([]);
});

test('without a file there is nothing to say', async () => {
  expect(await files().read('mynet')).toBeNull();
  expect(trouble).toEqual([]);
});

test.each<[string, unknown]>([
  ['another version', { version: 2, versions: [good], zones: {} }],
  ['a version that is text', { version: '1', versions: [good], zones: {} }],
  ['a list', [good]],
  ['null', null],
])('%s: the file is worth nothing, which is said, and nothing throws', async (_, value) => {
  expect(await read(value)).toBeNull();
  expect(trouble).toEqual([unused('is of another version')]);
});

test.each<[string, string | null]>([
  ['half a file', null],
  ['nothing in it', ''],
  ['text that nobody sealed', '{"version":1,"versions":[],"zones":{}}'],
])('%s: said', async (_, text) => {
  const file = join(folder, 'mynet.live');
  const whole = seal(JSON.stringify({ version: 1, versions: [good], zones: {} }));
  await writeFile(file, text ?? whole.subarray(0, whole.length - 9));
  expect(await files().read('mynet')).toBeNull();
  expect(trouble).toEqual([unused('is not as it was written')]);
});

test('a folder in its place is said', async () => {
  await mkdir(join(folder, 'mynet.live'));
  expect(await files().read('mynet')).toBeNull();
  expect(trouble).toMatchObject([expect.stringContaining('mynet.live')]);
});

const bad = 'expected a serial and its addresses';

test.each<[string, object, number[], string]>([
  ['no versions', { zones: {} }, [], ''],
  ['versions that are no list', { versions: {} }, [], 'versions: expected a list'],
  ['a serial that is text', { versions: [{ ...good, serial: '7' }, good] }, [7], `versions[0]: ${bad}`],
  // Without its one bad address it would be a version that was never served.
  [
    'an address that is none',
    { versions: [good, { ...good, addresses: ['192.0.2.1', '192.0.2.256'] }] },
    [7],
    `versions[1]: ${bad}`,
  ],
  ['an address that is a number', { versions: [{ ...good, addresses: ['192.0.2.1', 5] }] }, [], `versions[0]: ${bad}`],
  ['addresses that are text', { versions: [{ ...good, addresses: '192.0.2.1' }] }, [], `versions[0]: ${bad}`],
  ['zones that are a list', { versions: [good], zones: [[good]] }, [7], 'zones: expected an object'],
  ['a zone that has no name', { versions: [good], zones: { '..': [good] } }, [7], `zones: ".." is not a zone's name`],
  [
    'a zone whose versions are none',
    { versions: [good], zones: { 'a.test.': [{}] } },
    [7],
    `zones["a.test."][0]: ${bad}`,
  ],
])('%s: the rest is kept, and what is left out is said', async (_, value, serials, dropped) => {
  const saved = await read({ version: 1, ...value });
  expect(saved?.versions.map(({ serial }) => serial)).toEqual(serials);
  expect(saved?.versions.every(({ v4, v6 }) => v4.length === 1 && v6.length === 1)).toBe(true);
  expect(trouble).toEqual(dropped === '' ? [] : [unused(`has what makes no sense (${dropped})`)]);
});
