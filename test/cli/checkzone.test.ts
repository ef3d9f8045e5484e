import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { checkzoneCommand } from '../../src/cli/checkzone.ts';

const EDGEWISE = fileURLToPath(new URL('../../bin/edgewise.js', import.meta.url));
const GOOD = '$TTL 300\n@ SOA ns host 7 7200 900 1209600 300\n@ NS ns\nns A 192.0.2.1\nWWW 60 CNAME ns\n';
const CANONICAL = [
  'example.test.\t300\tIN\tSOA\tns.example.test. host.example.test. 7 7200 900 1209600 300',
  'example.test.\t300\tIN\tNS\tns.example.test.',
  'ns.example.test.\t300\tIN\tA\t192.0.2.1',
  'WWW.example.test.\t60\tIN\tCNAME\tns.example.test.',
  '',
].join('\n');

const FILES: ReadonlyMap<string, string> = new Map([
  ['good', GOOD],
  ['warned', `${GOOD}m MX 1 nosuch\n`],
  ['bad', `${GOOD}m MX one ns\nn A 192.0.2.\n`],
  ['include', 'mail 300 A 192.0.2.7\nwww CNAME mail\n'],
  ['includes', `${GOOD}$INCLUDE more\n`],
  ['more', 'more TXT "x"\n'],
  ['again', CANONICAL],
  ['out', ''],
]);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-checkzone-'));
  for (const [name, text] of FILES) writeFileSync(join(folder, name), text);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Ran = { readonly status: number; readonly stdout: string; readonly stderr: string };

/** The command in this process: one each would take most of a minute in all. */
async function checkzone(...args: readonly string[]): Promise<Ran> {
  const written = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += text;
      return true;
    }),
  );
  const before = process.exitCode;
  const command = checkzoneCommand().exitOverride();
  try {
    await command.parseAsync(
      args.map((arg) => (FILES.has(arg) ? join(folder, arg) : arg)),
      { from: 'user' },
    );
    const status = Number(process.exitCode ?? 0);
    return { status, stdout: written.stdout, stderr: written.stderr.replaceAll(`${folder}/`, '') };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { status: error.exitCode, stdout: written.stdout, stderr: written.stderr };
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
}

const OK = 'zone example.test/IN: loaded serial 7\nOK\n';

test('a good zone, as a process of its own and in this one', async () => {
  const args = ['example.test', join(folder, 'good')];
  const ours = spawnSync(process.execPath, [EDGEWISE, 'checkzone', ...args], { encoding: 'utf8' });
  for (const { status, stdout, stderr } of [ours, await checkzone('example.test', 'good')]) {
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: OK, stderr: '' });
  }
});

test('a warning goes to standard error, with the line and a caret, and the zone is good', async () => {
  const { status, stdout, stderr } = await checkzone('example.test.', 'warned');
  expect({ status, stdout }).toEqual({ status: 0, stdout: OK });
  expect(stderr).toMatch(/^warned:6:1: warning: target-no-address: .*\nm MX 1 nosuch\n\^\n$/);
});

test('every error at once, and status 1', async () => {
  const { status, stdout, stderr } = await checkzone('example.test', 'bad');
  expect(status).toBe(1);
  expect(stdout).toBe('zone example.test/IN: not loaded due to errors.\n');
  expect(stderr.match(/^bad:\d+:\d+: error/gm)).toEqual(['bad:6:6: error', 'bad:7:5: error']);
});

test('-D prints the zone canonically on standard output and nothing else there', async () => {
  expect(await checkzone('-D', 'EXAMPLE.test', 'good')).toMatchObject({
    status: 0,
    stdout: CANONICAL.replaceAll('example.test', 'EXAMPLE.test'),
    stderr: OK.replace('example', 'EXAMPLE'),
  });
  expect(await checkzone('-D', '-o', 'out', 'example.test', 'good')).toEqual({ status: 0, stdout: OK, stderr: '' });
  expect(readFileSync(join(folder, 'out'), 'utf8')).toBe(CANONICAL);
});

test('what -D prints is read again as the same zone', async () => {
  expect((await checkzone('-D', 'example.test', 'again')).stdout).toBe(CANONICAL);
});

test.each([
  ['standard input', '"$@" - < good'],
  ['a pipe', '"$@" <(cat good)'],
])('%s instead of a file', (_name, script) => {
  const command = [process.execPath, EDGEWISE, 'checkzone', 'example.test'];
  const ran = spawnSync('bash', ['-c', script, 'bash', ...command], { cwd: folder, encoding: 'utf8' });
  expect({ status: ran.status, stdout: ran.stdout }).toEqual({ status: 0, stdout: OK });
});

test('-q says nothing', async () => {
  expect(await checkzone('-q', 'example.test', 'good')).toEqual({ status: 0, stdout: '', stderr: '' });
  expect(await checkzone('-q', 'example.test', 'bad')).toEqual({ status: 1, stdout: '', stderr: '' });
});

test('--include takes a file without SOA; --rotate names labels that the server answers', async () => {
  const { status, stdout } = await checkzone('--include', 'example.test', 'include');
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: 'zone example.test/IN: loaded, the server sets the serial\nOK\n',
  });
  const collided = await checkzone('--include', '--rotate', 'www', 'example.test', 'include');
  expect(collided.status).toBe(1);
  expect(collided.stderr).toContain('include:2:1: error: live-alias');
  expect((await checkzone('example.test', 'include')).stderr).toContain('error: soa-missing');
});

test('$INCLUDE starts from the file’s own folder, or from -w', async () => {
  expect((await checkzone('example.test', 'includes')).status).toBe(0);
  expect((await checkzone('-D', 'example.test', 'includes')).stdout).toContain(
    'more.example.test.\t300\tIN\tTXT\t"x"\n',
  );
  expect((await checkzone('-w', tmpdir(), 'example.test', 'includes')).status).toBe(1);
});

test('$INCLUDE reads from other folders with --include-dir', async () => {
  const absolute = join(folder, 'absolute');
  writeFileSync(absolute, `${GOOD}$INCLUDE ${join(folder, 'more')}\n`);
  const elsewhere = ['-w', '/usr', 'example.test', absolute];
  const refused = await checkzone(...elsewhere);
  expect(refused.status).toBe(1);
  expect(refused.stderr).toMatch(/absolute:6:10: error: include-outside: .* include_dirs can name its folder/);
  expect((await checkzone('--include-dir', '/var', '--include-dir', folder, ...elsewhere)).status).toBe(0);
});

test.each([
  ['a file that is not there', ['example.test', 'nosuch'], /nosuch.*no such file/],
  ['a folder', ['example.test', '.'], /is a folder, not a file/],
  ['a name that is none', ['a..b', 'good'], /"a\.\.b" is not a domain name/],
  ['a name without an A-label', ['bü cher.test', 'good'], /no internationalized domain name/],
  ['no file', ['example.test'], /missing required argument 'file'/],
  [
    'a place that cannot be written',
    ['-o', 'no/such/folder', 'example.test', 'good'],
    /cannot write the zone: .*ENOENT/,
  ],
  ['a configuration that is not there', ['-c', 'nosuch.yaml', 'example.test', 'good'], /nosuch\.yaml/],
])('%s: one clear line and status 1', async (_name, args, message) => {
  const { status, stderr } = await checkzone(...args);
  expect(status).toBe(1);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^\s+at /m);
});
