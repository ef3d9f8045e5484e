import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { printFaults } from '../../src/cli/command-line.ts';
import { EDGEWISE, edgewise } from '../support/edgewise.ts';
import { ended } from '../support/installation.ts';

const COMMANDS =
  'serve run check checkzone status query export mode explain replay convert notice cluster demo completion'.split(' ');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgewise-cli-'));
});
afterAll(() => rm(folder, { recursive: true }));

function launcher(name: string, args: readonly string[]): ReturnType<typeof ended> {
  return ended(spawn(process.execPath, [join(EDGEWISE, '..', `${name}.js`), ...args]));
}

describe('help', () => {
  test('names every command', async () => {
    const { status, stdout } = await edgewise(['--help']);
    expect(status).toBe(0);
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  });

  test.each([...COMMANDS.map((name) => `edgewise ${name}`), 'edge_manage', 'edge_query', 'edge_conf'])(
    'of %s: on standard output, status 0',
    async (words) => {
      const [name, ...args] = words.split(' ');
      const { status, stdout, stderr } = await launcher(name, [...args, '--help']);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toContain(`Usage: ${words} [options]`);
    },
  );
});

test.each([
  ['the file that is looked for first', '/etc/edgemanage/edgemanage.yaml', '', true],
  ['a file that was named', '/nowhere/edgemanage.yaml', '', false],
  ['a file that the environment names', '/etc/edgemanage/edgemanage.yaml', '/etc/edgemanage/edgemanage.yaml', false],
])('how a configuration is named is said where it is missing: %s', (_, file, named, isSaid) => {
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  vi.stubEnv('EDGEWISE_CONFIG', named);
  try {
    const at = { file, line: 1, col: 1, text: '' };
    printFaults([{ severity: 'error', code: 'unreadable-file', at, message: 'no such file' }]);
    const lines = written.mock.calls.map(([line]) => String(line));
    expect(lines[0]).toBe(`${file}:1:1: error: unreadable-file: no such file\n`);
    expect(lines.slice(1).join('').includes('/etc/edgewise/edgewise.yaml')).toBe(isSaid);
  } finally {
    vi.unstubAllEnvs();
    written.mockRestore();
  }
});

test.each<readonly [string, readonly string[]]>([
  ['no command', []],
  ['a misspelt command', ['qeury']],
  ['an unknown option of the server', ['serve', '--no-such-option']],
  ['an unknown option of a command', ['checkzone', '--no-such-option']],
  ['no network', ['query']],
  ['a port that is none', ['demo', '--dns-port', 'domain']],
])('%s is bad usage: a line on standard error, status 2', async (_, args) => {
  const { status, stdout, stderr } = await edgewise(args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).not.toBe('');
});

test('the environment names the configuration where the command line does not', async () => {
  const env = { ...process.env, EDGEWISE_CONFIG: '/nowhere/of-environment.yaml' };
  const by = (args: readonly string[]): ReturnType<typeof ended> =>
    ended(spawn(process.execPath, [EDGEWISE, 'check', ...args], { env }));
  expect((await by([])).stderr).toContain('/nowhere/of-environment.yaml');
  expect((await by(['-c', '/nowhere/named.yaml'])).stderr).toMatch(/^\/nowhere\/named\.yaml/);
});

test('help says what the command does, its exit statuses and examples', async () => {
  const { stdout } = await launcher('edge_conf', ['--help']);
  expect(stdout).toMatch(/^Exit status:\n {2}0 {2}the mode is set$/m);
  expect(stdout).toMatch(/^Examples:\n {2}edge_conf -A mynet -m unavailable -C "new disk" --for 2h 192\.0\.2\.10$/m);
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});

describe('output that nobody reads', () => {
  /** Over a pipe's 64 KiB, so that the writer meets the closed end. */
  const ZONE = `@ 300 SOA ns. host. 1 2 3 4 5\n@ 300 NS ns.\n${Array.from({ length: 20_000 }, (_, i) => `h${i} 300 A 192.0.2.1\n`).join('')}`;

  test('is no error: the command ends quietly', async () => {
    await writeFile(join(folder, 'zone'), ZONE);
    const child = spawn(process.execPath, [EDGEWISE, 'checkzone', '-D', 'example.test', join(folder, 'zone')]);
    child.stdout.once('data', () => child.stdout.destroy());
    const { status, stderr } = await ended(child);
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: 'zone example.test/IN: loaded serial 1\nOK\n',
    });
  });

  test('but a full disk is', async () => {
    await writeFile(join(folder, 'zone'), ZONE);
    const words = [EDGEWISE, 'checkzone', '-q', '-D', 'example.test', join(folder, 'zone')];
    const child = spawn('sh', ['-c', 'exec "$@" > /dev/full', 'sh', process.execPath, ...words]);
    const { status, stderr } = await ended(child);
    expect(status).toBe(1);
    expect(stderr).toContain('ENOSPC');
  });
});
