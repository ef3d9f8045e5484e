import { execFileSync } from 'node:child_process';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { readNetworkFiles } from '../../src/config/network-files.ts';
import { BASE, folderOf } from './config-fixture.ts';

/** What stands where a file or folder is expected, and what is in the configuration file that is no text. */

test.each([
  ['testobject.local', 'local: object', 'local: object', '5:10'],
  ['testobject.verify', 'local: object', 'local: elsewhere\n  verify: object', '6:11'],
  ['logpath', 'lockfile: lock', 'lockfile: lock\nlogpath: object', '17:10'],
])('%s that is a folder is said at its place, but a saved live set can be served', (key, from, to, place) => {
  const folder = folderOf({ 'e.yaml': BASE.replace(from, to), 'object/inside': '' });
  const { config, faults } = loadConfig(join(folder, 'e.yaml'));
  expect(config).not.toBeNull();
  const said = faults.map(({ at, severity, message }) => `${at?.line}:${at?.col} ${severity} ${message}`);
  expect(said).toContain(`${place} warning ${key}: ${join(folder, 'object')} is a folder, expected a file`);
});

test.each([
  ['edgelist_dir', 'edges', 'edgelist_dir: edges', '12:15', 'folder'],
  ['zonetemplate_dir', 'zones', 'zonetemplate_dir: zones', '14:19', 'folder'],
  ['healthdata_store', 'health', 'healthdata_store: health', '13:19', 'folder'],
  ['lockfile', 'lock', 'lockfile: lock', '16:11', 'file'],
  ['statefile', 'one', 'statefile: one', '15:12', 'file'],
  ['named_dir', 'x', 'named_dir: x', '17:12', 'folder'],
  ['state_dir', 'x', 'state_dir: x', '17:12', 'folder'],
  ['extra_edgelist_dir', 'x', 'extra_edgelist_dir: x', '17:21', 'folder'],
  ['prometheus_logs', 'x', 'prometheus_logs: x', '17:18', 'folder'],
  ['static_zone_dir', 'x', 'static_zone_dir: x', '17:18', 'folder'],
  ['live_list', 'x', 'live_list: x', '17:12', 'file'],
])('%s of the wrong kind is an error at its place', (key, path, line, place, kind) => {
  const text = BASE.replace('statefile: state/{dnet}.state', key === 'statefile' ? line : '$&');
  const whole = text.includes(line) ? text : `${text}${line}\n`;
  const other = kind === 'file' ? 'folder' : 'file';
  const folder = folderOf({ 'e.yaml': whole, [kind === 'file' ? `${path}/inside` : path]: '' });
  const { config, faults } = loadConfig(join(folder, 'e.yaml'));
  expect(config).toBeNull();
  expect(
    faults.filter(({ severity }) => severity === 'error').map(({ at, message }) => `${at?.line}:${at?.col} ${message}`),
  ).toEqual([`${place} ${key}: ${join(folder, path)} is a ${other}, expected a ${kind}`]);
});

test('devices are as good as files', () => {
  const folder = folderOf({ 'e.yaml': `${BASE}logpath: /dev/null\n` });
  expect(loadConfig(join(folder, 'e.yaml')).config?.logpath).toBe('/dev/null');
});

test.each([
  ['Latin-1', Buffer.from(`${BASE}# Z\xfcrich\n`, 'latin1'), '17:4: error: unreadable-file: this is not UTF-8'],
  ['UTF-16', Buffer.from(`\uFEFF${BASE}`, 'utf16le'), '1:1: error: unreadable-file: this is not UTF-8'],
  ['half a letter at the end', Buffer.from([0x61, 0xc3]), '1:2: error: unreadable-file: this is not UTF-8'],
  ['far too much', Buffer.alloc(2 ** 24 + 1, '#'), '1:1: error: unreadable-file: is longer than 16 MiB'],
])('%s is one fault', (_, octets, expected) => {
  const file = join(folderOf({}), 'e.yaml');
  writeFileSync(file, octets);
  const { config, faults } = loadConfig(file);
  expect(config).toBeNull();
  expect(
    faults.map(({ at, severity, code, message }) => `${at?.line}:${at?.col}: ${severity}: ${code}: ${message}`),
  ).toEqual([expect.stringContaining(expected)]);
});

test('a device without end ends', () => {
  expect(loadConfig('/dev/zero').faults.map(({ message }) => message)).toEqual(['is a device, not a regular file']);
});

test('a pipe is read to its end', () => {
  const file = join(folderOf({ 'e.yaml': BASE }), 'e.yaml');
  const script = `
    const { loadConfig } = await import(process.argv[1]);
    process.stdout.write(loadConfig('/dev/stdin').config?.lockfile ?? 'none');`;
  const module = join(import.meta.dirname, '..', '..', 'dist', 'config', 'load.js');
  const command = 'cat "$1" | "$2" --input-type=module -e "$3" "$4"';
  const args = ['-c', command, 'sh', file, process.execPath, script, module];
  expect(execFileSync('sh', args, { encoding: 'utf8' })).toBe('/dev/lock');
});

test.each([
  ['a pipe', (file: string) => execFileSync('mkfifo', [file])],
  ['a device without end', (file: string) => symlinkSync('/dev/zero', file)],
])('%s where a text file should be is a fault, and nobody waits', (_what, make) => {
  const keys =
    'transfer:\n  key_files: keys\nextra_edgelist_dir: extra\ncanary_files: canaries/{dnet}\ncanary_killer: 0\n';
  const folder = folderOf({ 'e.yaml': BASE + keys, 'extra/a': '', 'canaries/a': '', 'edges/a': '' });
  const at = (name: string): string => join(folder, name);
  for (const name of ['pipe.yaml', 'keys']) make(at(name));
  expect(loadConfig(at('pipe.yaml')).faults.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^is a (pipe|device), not a regular file$/),
  ]);
  expect(loadConfig(at('e.yaml')).faults.map(({ message }) => message)).toContainEqual(
    expect.stringMatching(/keys: is a (pipe|device), not a regular file$/),
  );
  rmSync(at('keys'));
  writeFileSync(at('keys'), '');
  const { config } = loadConfig(at('e.yaml'));
  if (config === null) throw new Error('the fixture does not load');
  for (const name of ['extra/a', 'canaries/a', 'edges/a']) {
    rmSync(at(name));
    make(at(name));
  }
  const { files, faults } = readNetworkFiles(config, 'a');
  expect(files).toBeNull();
  expect(faults.map(({ message }) => message.replace(/pipe|device/, 'X'))).toEqual([
    'edge list: is a X, not a regular file',
    'extra edge list: is a X, not a regular file',
    'canary file: is a X, not a regular file',
  ]);
});
