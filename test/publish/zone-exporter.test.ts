import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ExportItem, type ExportOptions, ZoneExporter } from '../../src/publish/zone-exporter.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-export-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const item = (name: string, text: string): ExportItem => ({ name, text: () => text });
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

const WAYS: readonly (readonly [string, ExportOptions])[] = [
  ['durable', { durable: true }],
  ['not durable', { durable: false }],
];

test.each(WAYS)('%s: writes what is new, leaves what is there', async (_way, options) => {
  const exporter = new ZoneExporter(folder, options);
  const { written, unchanged, failed } = await exporter.export([item('a.test', '1'), item('b.test', '1')]);
  expect([...written].sort()).toEqual([join(folder, 'a.test.zone'), join(folder, 'b.test.zone')]);
  expect({ unchanged, failed }).toEqual({ unchanged: 0, failed: [] });
  const before = statSync(join(folder, 'b.test.zone'));
  expect(await exporter.export([item('a.test', '2'), item('b.test', '1')])).toMatchObject({ unchanged: 1, failed: [] });
  expect(read('a.test.zone')).toBe('2');
  expect(statSync(join(folder, 'b.test.zone')).ino).toBe(before.ino);
  expect(statSync(join(folder, 'a.test.zone')).mode & 0o777).toBe(0o644);
});

test('a new exporter compares with the files that are there', async () => {
  await new ZoneExporter(folder).export([item('a.test', '1')]);
  expect(await new ZoneExporter(folder).export([item('a.test', '1')])).toMatchObject({ written: [], unchanged: 1 });
  expect(await new ZoneExporter(folder).export([item('a.test', '2')])).toMatchObject({ unchanged: 0 });
  expect(read('a.test.zone')).toBe('2');
});

test.each([
  ['removed', (file: string) => rmSync(file)],
  ['changed', (file: string) => writeFileSync(file, 'x')],
  ['changed to the same length', (file: string) => writeFileSync(file, '2')],
])('a file that someone else %s is written again', async (_name, spoil) => {
  const exporter = new ZoneExporter(folder);
  await exporter.export([item('a.test', '1')]);
  spoil(join(folder, 'a.test.zone'));
  expect((await exporter.export([item('a.test', '1')])).written).toHaveLength(1);
  expect(read('a.test.zone')).toBe('1');
});

test.each(WAYS)(
  '%s: what fails is reported, leaves no half file, and is tried again with the next call',
  async (_way, options) => {
    mkdirSync(join(folder, 'a.test.zone')); // cannot be replaced by a file
    const exporter = new ZoneExporter(folder, options);
    const first = await exporter.export([item('a.test', '1'), item('b.test', '1')]);
    expect(first.written).toEqual([join(folder, 'b.test.zone')]);
    expect(first.failed).toMatchObject([{ file: join(folder, 'a.test.zone') }]);
    expect(readdirSync(folder).sort()).toEqual(['a.test.zone', 'b.test.zone']);
    expect((await exporter.export([])).failed).toHaveLength(1);
    rmSync(join(folder, 'a.test.zone'), { recursive: true });
    expect(await exporter.export([])).toMatchObject({ written: [join(folder, 'a.test.zone')], failed: [] });
    expect(await exporter.export([])).toEqual({ written: [], unchanged: 0, failed: [] });
  },
);

// What a loss of power leaves where nothing was flushed: a file that has its name and no octets, or some of them.
test.each([
  ['empty', ''],
  ['cut short', 'te'],
  ['filled with zeros', '\0\0\0\0'],
])('a file that is %s at the next start is written again', async (_name, torn) => {
  const options = { durable: false };
  await new ZoneExporter(folder, options).export([item('a.test', 'text'), item('b.test', 'text')]);
  writeFileSync(join(folder, 'a.test.zone'), torn);
  const { written, unchanged } = await new ZoneExporter(folder, options).export([
    item('a.test', 'text'),
    item('b.test', 'text'),
  ]);
  expect({ written, unchanged }).toEqual({ written: [join(folder, 'a.test.zone')], unchanged: 1 });
  expect(read('a.test.zone')).toBe('text');
});

// A limit on file size stops the write half-way as a full disk does: some octets are written, then an error.
test.each(WAYS)(
  '%s: a disk that takes only a part leaves the old file whole and nothing else',
  async (_way, options) => {
    await new ZoneExporter(folder).export([item('a.test', 'old')]);
    const script = `
    import { ZoneExporter } from ${JSON.stringify(new URL('../../src/publish/zone-exporter.ts', import.meta.url).pathname)};
    const text = () => 'x'.repeat(100_000);
    const { failed } = await new ZoneExporter(process.argv[1], ${JSON.stringify(options)}).export([{ name: 'a.test', text }]);
    process.stdout.write(failed.map(({ message }) => message).join());`;
    const limited = 'trap "" XFSZ; ulimit -f 8; exec "$@"';
    const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', script, folder];
    const { stdout, stderr } = spawnSync('bash', ['-c', limited, 'bash', ...node], { encoding: 'utf8' });
    expect(`${stdout}${stderr}`).toMatch(/^EFBIG/);
    expect(readdirSync(folder)).toEqual(['a.test.zone']);
    expect(read('a.test.zone')).toBe('old');
  },
);

test('a text that cannot be made fails alone', async () => {
  const exporter = new ZoneExporter(folder);
  const bad: ExportItem = {
    name: 'a.test',
    text: () => {
      throw new Error('no text');
    },
  };
  const summary = await exporter.export([bad, item('b.test', '1')]);
  expect(summary.failed).toEqual([{ file: join(folder, 'a.test.zone'), message: 'no text' }]);
  expect(summary.written).toHaveLength(1);
});

test('calls are worked off in order, the later text of a zone wins', async () => {
  const exporter = new ZoneExporter(folder);
  const calls = Array.from({ length: 20 }, (_, i) => exporter.export([item('a.test', `${i}`), item(`z${i}`, '')]));
  await Promise.all(calls);
  expect(read('a.test.zone')).toBe('19');
  await exporter.export([item('a.test', 'x'), item('a.test', 'y')]);
  expect(read('a.test.zone')).toBe('y');
});

test('a slash in a name does not lead out of the folder', async () => {
  const exporter = new ZoneExporter(folder);
  await exporter.export([item('0/25.2.0.192.in-addr.arpa', '1'), item('../x', '1'), item('.', '1')]);
  expect(readdirSync(folder).sort()).toEqual(['..\\047x.zone', '..zone', '0\\04725.2.0.192.in-addr.arpa.zone']);
});
