/** The npm package, made of this tree and installed into an empty folder. */
import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from '../../scripts/prepare.mjs';
import { block } from '../support/documents.ts';
import { ended } from '../support/installation.ts';

const run = promisify(execFile);
type Manifest = {
  readonly bin: Readonly<Record<string, string>>;
  readonly man: readonly string[];
  readonly version: string;
};
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
let folder: string;
let archive: string;
let files: readonly string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgewise-npm-test-'));
  // Without its script, which would build `dist` anew while other tests run from it.
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: root,
    maxBuffer: 16 << 20,
  });
  archive = join(folder, (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '');
  expect(stdout).not.toBe('');
  const listed = await run('tar', ['-tzf', archive], { maxBuffer: 16 << 20 });
  files = listed.stdout
    .trim()
    .split('\n')
    .map((path) => path.replace(/^package\//, ''));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('has what users need and nothing else', () => {
  const tops = [...new Set(files.map((path) => path.split('/')[0]))].sort();
  const expected = 'CHANGELOG.md LICENSE README.md bin conf dist docs man nagios package.json'.split(' ');
  expect(tops).toEqual(expected);
  expect(files).toEqual(expect.arrayContaining(['dist/cli/main.js', 'conf/edgewise.service', ...manifest.man]));
  expect(files.filter((path) => path.endsWith('.tsbuildinfo'))).toEqual([]);
});

test('can be published: a name, a licence, words to be found by', () => {
  expect(manifest).toMatchObject({ name: 'edgewise', license: 'MIT' });
  expect(manifest).not.toHaveProperty('private');
  for (const key of ['description', 'keywords', 'engines']) expect(manifest).toHaveProperty(key);
});

test('npm install -g puts commands and man pages into an empty folder', async () => {
  const prefix = join(folder, 'prefix');
  // As the page says it, but for the first line: that has been done, without building `dist` anew.
  const [packing, ...commands] = block('docs/install.md', 'sh npm').text.trim().split('\n');
  expect(packing).toBe('npm pack');
  const path = `${join(prefix, 'bin')}:${process.env['PATH'] ?? ''}`;
  const env = {
    ...process.env,
    PATH: path,
    npm_config_prefix: prefix,
    npm_config_prefer_offline: 'true',
    npm_config_fetch_retries: '5',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
  };
  const installed = await ended(spawn('sh', ['-e', '-c', commands.join('\n')], { cwd: folder, env }));
  expect(installed, installed.stderr).toMatchObject({ status: 0 });
  expect(installed.stdout).toContain(`\n${manifest.version}\n`);
  expect(installed.stderr).not.toContain('EBADENGINE');
  expect((await readdir(join(prefix, 'bin'))).sort()).toEqual(Object.keys(manifest.bin).sort());
  expect((await readdir(join(prefix, 'share', 'man', 'man1'))).sort()).toContain('edgewise-serve.1');

  expect(await realpath(join(prefix, 'bin', 'edgewise'))).toContain(join('node_modules', 'edgewise', 'bin'));
  expect(await ended(spawn('edgewise', ['--version'], { env }))).toEqual({
    status: 0,
    stdout: `${manifest.version}\n`,
    stderr: '',
  });
  for (const command of Object.keys(manifest.bin))
    expect(await ended(spawn(command, ['--help'], { env })), command).toMatchObject({ status: 0, stderr: '' });
  const example = join(prefix, 'lib', 'node_modules', 'edgewise', 'conf', 'edgemanage.yaml');
  const read = await ended(spawn('edgewise', ['check', '-c', example], { env }));
  expect(read.stdout).toMatch(/^1 network, \d+ edges, 2 zones read$/m);
});
