import { appendFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readNetworkFiles } from '../../src/config/network-files.ts';
import { SettledLists } from '../../src/config/settled-lists.ts';
import { SETTLE, stampOf, untilSettled } from '../../src/system/settling.ts';
import { BASE, folderOf, parse } from './config-fixture.ts';

const EDGES = Array.from({ length: 12 }, (_, i) => `edge${i}.test`);
const text = (names: readonly string[]): string => names.map((name) => `${name}\n`).join('');
const LONG = { ...SETTLE, quietMs: 600_000, swapMs: 600_000, doubtMs: 600_000 };

function network(times: typeof SETTLE) {
  const folder = folderOf({ 'edges/net': text(EDGES), 'canaries/net': 'a.test: 192.0.2.1\n' });
  const yaml = `${BASE}canary_files: canaries/{dnet}\ncanary_killer: 0\n`;
  const { config } = parse(yaml, {}, join(folder, 'e.yaml'));
  if (config === null) throw new Error('the fixture does not load');
  const lists = new SettledLists(times);
  const read = () => readNetworkFiles(config, 'net', lists);
  return { read, list: join(folder, 'edges/net'), canaries: join(folder, 'canaries/net') };
}

test('a list that is being written is not taken over: the one before stays, with a warning', () => {
  const { read, list } = network(LONG);
  expect(read().files?.edges).toEqual(EDGES);
  writeFileSync(list, text(EDGES.slice(0, 10)));
  const { files, faults, againMs } = read();
  expect(files?.edges).toEqual(EDGES);
  expect(faults).toMatchObject([{ severity: 'warning', code: 'unsettled-file' }]);
  expect(againMs).toBeGreaterThan(0);
});

test.each([
  ['in the middle of a line', `${text(EDGES.slice(0, 11))}edge1`],
  ['with a third of its lines gone', text(EDGES.slice(0, 8))],
  ['empty', ''],
])('a list that is %s is doubted for longer', (_what, half) => {
  const { read, list } = network({ ...LONG, quietMs: 0, swapMs: 0 });
  read();
  writeFileSync(list, half);
  expect(read().files?.edges).toEqual(EDGES);
  appendFileSync(list, half === '' ? text(EDGES) : '1.test\n');
  if (half !== '') expect(read().files?.edges).toHaveLength(half.includes('edge10') ? 12 : 9);
  else expect(read().faults).toEqual([]);
});

test('a quiet list is taken over', () => {
  const { read, list } = network({ ...SETTLE, quietMs: 0, swapMs: 0, doubtMs: 0 });
  read();
  writeFileSync(list, 'one.test');
  expect(read()).toMatchObject({ files: { edges: ['one.test'] }, faults: [] });
});

test('a list that is changed without end is an error', () => {
  const { read, list } = network({ ...LONG, reportMs: 0 });
  read();
  writeFileSync(list, text(EDGES.slice(0, 11)));
  expect(read()).toMatchObject({ files: null, faults: [{ severity: 'error', code: 'unsettled-file' }] });
});

test('a canary file is treated alike', () => {
  const { read, canaries } = network(LONG);
  read();
  writeFileSync(canaries, 'a.test: 192.0.2.1');
  writeFileSync(canaries, 'a.test: 192.0.2.');
  expect([...(read().files?.canaries ?? [])]).toEqual([['a.test', '192.0.2.1']]);
});

test('a configuration is waited for unless it is as it was or came by renaming', async () => {
  const folder = folderOf({ 'e.yaml': BASE });
  const file = join(folder, 'e.yaml');
  const times = { quietMs: 300 };
  expect(await untilSettled(file, null, times)).toBe(true);
  appendFileSync(file, '#\n');
  const writer = setInterval(() => appendFileSync(file, '#\n'), 50);
  const settled = untilSettled(file, null, times);
  expect(await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, 600, 'waits'))])).toBe('waits');
  clearInterval(writer);
  expect(await settled).toBe(true);
  const long = { quietMs: 600_000 };
  expect(await untilSettled(file, stampOf(file), long)).toBe(true);
  const before = stampOf(file);
  writeFileSync(join(folder, 'new'), BASE);
  utimesSync(join(folder, 'new'), Date.now() / 1000 - 1, Date.now() / 1000 - 1);
  renameSync(join(folder, 'new'), file);
  expect(await untilSettled(file, before, long)).toBe(true);
});
