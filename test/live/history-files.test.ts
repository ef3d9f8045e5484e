import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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

async function read(value: unknown) {
  await writeFile(join(folder, 'mynet.live'), seal(`${JSON.stringify(value)}\n`));
  return new LiveHistoryFiles(folder, () => undefined).read('mynet');
}

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
});

test.each<[string, unknown]>([
  ['another version', { version: 2, versions: [good], zones: {} }],
  ['no versions', { version: 1, zones: {} }],
  ['no zones', { version: 1, versions: [good] }],
  ['zones that are a list', { version: 1, versions: [good], zones: [[good]] }],
  ['a serial that is text', { version: 1, versions: [{ ...good, serial: '7' }], zones: {} }],
  ['an address that is none', { version: 1, versions: [{ ...good, addresses: ['192.0.2.256'] }], zones: {} }],
  ['addresses that are text', { version: 1, versions: [{ ...good, addresses: '192.0.2.1' }], zones: {} }],
  ['a version that is null', { version: 1, versions: [null], zones: {} }],
  ['a zone that has no name', { version: 1, versions: [], zones: { '..': [good] } }],
  ['a list', [good]],
  ['null', null],
])('%s: the file is worth nothing, and nothing throws', async (_, value) => {
  expect(await read(value)).toBeNull();
});
