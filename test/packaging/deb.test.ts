/** The Debian package, made of this tree and unpacked: what is in it, and whether it runs from there. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../../scripts/prepare.mjs';
import { ended } from '../support/installation.ts';

const run = promisify(execFile);
const LIB = 'usr/lib/edgewise';
let folder: string;
let deb: string;
/** Mode, owner and path of everything in it, as `tar -tv` prints them. */
let listed: readonly string[];
let paths: readonly string[];

/** Something in the unpacked package. */
function at(...path: string[]): string {
  return join(folder, 'root', ...path);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgewise-deb-test-'));
  const options = ['--system-node', '--installed', '--compress', 'none', '--destination', folder];
  const { stdout } = await run(process.execPath, [join(root, 'scripts', 'deb.mjs'), ...options], { cwd: root });
  deb = stdout.trim().split('\n').at(-1) ?? '';
  const { stdout: contents } = await run('dpkg-deb', ['-c', deb], { maxBuffer: 16 << 20 });
  listed = contents.trim().split('\n');
  paths = listed.map((line) => line.replace(/^(\S+\s+){5}\.\//, '').replace(/ -> .*/, ''));
  await run('dpkg-deb', ['-R', deb, at()]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function field(name: string): Promise<string> {
  return (await run('dpkg-deb', ['-f', deb, name])).stdout.trim();
}

test('says what it is and what it needs', async () => {
  expect(await field('Package')).toBe('edgewise');
  expect(await field('Version')).toMatch(/^\d+\.\d+\.\d+-1$/);
  expect(await field('Depends')).toMatch(/\bnodejs \(>= 20\.18\)/);
  expect(await field('Description')).toContain('edgemanage');
  expect(Number(await field('Installed-Size'))).toBeGreaterThan(5000);
});

test('has its files where Debian wants them, all of them root’s', () => {
  expect(paths).toEqual(
    expect.arrayContaining([
      'usr/bin/edgewise',
      'usr/bin/edge_conf',
      'usr/bin/goavail',
      `${LIB}/dist/cli/main.js`,
      'usr/lib/systemd/system/edgewise.service',
      'etc/default/edgewise',
      'etc/edgewise/edgewise.yaml',
      'etc/edgewise/edges/',
      'etc/edgewise/zones/',
      'var/lib/edgewise/',
      'usr/lib/nagios/plugins/check_edgewise_live',
      'usr/share/man/man1/edgewise-serve.1.gz',
      'usr/share/bash-completion/completions/edge_conf',
      'usr/share/zsh/vendor-completions/_edgewise',
      'usr/share/fish/vendor_completions.d/edgewise.fish',
      'usr/share/doc/edgewise/copyright',
      'usr/share/doc/edgewise/changelog.Debian.gz',
      'usr/share/doc/edgewise/examples/edgemanage.yaml',
    ]),
  );
  expect(listed.filter((line) => !/^\S+ root\/root /.test(line))).toEqual([]);
  expect(listed.filter((line) => !/^(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x|lrwxrwxrwx) /.test(line))).toEqual([]);
});

test('has nothing that only developers need', () => {
  const outside = /^(usr\/(bin|lib\/(edgewise|nagios|systemd)|share)|etc\/(default|edgewise)|var\/(lib|log))\b/;
  expect(paths.filter((path) => path !== '' && !/\/$/.test(path) && !outside.test(path))).toEqual([]);
  const needless = /\.d\.[cm]?ts$|\.tsbuildinfo$|node_modules\/(vitest|typescript|@biomejs|eslint)\/|musl/;
  expect(paths.filter((path) => needless.test(path))).toEqual([]);
});

test('every file below /etc is the administrator’s after that', async () => {
  const conffiles = (await readFile(at('DEBIAN', 'conffiles'), 'utf8')).trim().split('\n').sort();
  expect(conffiles).toEqual(
    paths
      .filter((path) => path.startsWith('etc/') && !path.endsWith('/'))
      .map((path) => `/${path}`)
      .sort(),
  );
});

test('names the licence of every npm package', () => {
  const copyright = readFileSync(at('usr/share/doc/edgewise/copyright'), 'utf8');
  for (const name of Object.keys(dependencies())) expect(copyright).toContain(`npm package ${name} `);
  expect(copyright).not.toContain('License: unknown');
});

test.each(['postinst', 'prerm', 'postrm'])('%s is a script of sh', async (name) => {
  expect(lstatSync(at('DEBIAN', name)).mode & 0o777).toBe(0o755);
  expect(await ended(spawn('sh', ['-n', at('DEBIAN', name)]))).toMatchObject({ status: 0, stderr: '' });
});

test('postinst tries the configuration with the rights of the service', async () => {
  const text = await readFile(at('DEBIAN', 'postinst'), 'utf8');
  const functions = /^configuration\(\)[\s\S]*?^usable\(\)[\s\S]*?^}$/m.exec(text)?.[0];
  const stubs = `unit=edgewise.service
systemctl() { case "$*" in *" User "*) echo edgewise ;; *SupplementaryGroups*) echo keys ;; esac; }
id() { echo edgewise ssl-cert; }
runuser() { echo "$@" >&2; }`;
  const { stderr } = await ended(spawn('sh', ['-e', '-c', `${stubs}\n${functions}\nusable`]));
  expect(stderr).toMatch(/^-u edgewise -G edgewise -G ssl-cert -G keys -- edgewise check -c \S+\n$/);
});

test('all times are one, so that the same tree gives the same package', () => {
  const times = new Set(listed.map((line) => /\d{4}-\d\d-\d\d \d\d:\d\d/.exec(line)?.[0]));
  expect(times.size).toBe(1);
});

describe('the unit', () => {
  /** As it is, with the Node.js of this machine. */
  async function unit(): Promise<string> {
    const text = await readFile(at('usr/lib/systemd/system/edgewise.service'), 'utf8');
    expect(text).toContain(`ExecStart=/usr/bin/node --enable-source-maps /${LIB}/bin/edgewise.js serve\n`);
    const file = join(folder, 'edgewise.service');
    await writeFile(file, text.replace('/usr/bin/node', process.execPath));
    return file;
  }

  test('is one that systemd has nothing to say about', async () => {
    const verified = await ended(spawn('systemd-analyze', ['verify', '--man=no', await unit()]));
    expect(verified).toMatchObject({ status: 0, stderr: '' });
  });

  test('runs nothing that a small installation has not got', async () => {
    const text = await readFile(await unit(), 'utf8');
    const programs = [...text.matchAll(/^Exec\w+=[-@:+!]*(\S+)/gm)].map(([, program]) => program);
    expect(programs).toEqual([process.execPath, '/bin/sh']);
  });

  test('exposes little', async () => {
    const args = ['security', '--offline=true', '--threshold=25', '--no-pager', await unit()];
    expect(await ended(spawn('systemd-analyze', args))).toMatchObject({ status: 0 });
  });

  test('serves the configuration that /etc/default/edgewise names', async () => {
    const text = await readFile(await unit(), 'utf8');
    expect(text).toContain('EnvironmentFile=-/etc/default/edgewise');
    const named = /^EDGEWISE_CONFIG=(.*)$/m.exec(await readFile(at('etc/default/edgewise'), 'utf8'));
    expect(paths).toContain(named?.[1].slice(1));
  });
});

describe('unpacked', () => {
  const environment = (config: string): NodeJS.ProcessEnv => ({ ...process.env, EDGEWISE_CONFIG: config });

  test('finds every dependency, without what was left out', async () => {
    const names = Object.keys(dependencies()).filter((name) => name !== '@types/node');
    const code = `for (const name of ${JSON.stringify(names)}) await import(name);`;
    const file = at(LIB, 'imports.mjs');
    await writeFile(file, code);
    expect(await ended(spawn(process.execPath, [file]))).toMatchObject({ status: 0, stderr: '' });
  });

  test('takes its own configuration, and answers', async () => {
    // Where the package would be, is another one or none.
    const text = (await readFile(at('etc/edgewise/edgewise.yaml'), 'utf8'))
      .replaceAll('/var/lib/edgewise', at('var/lib/edgewise'))
      .replace('127.0.0.1:5300', '127.0.0.1:0')
      .replace('127.0.0.1:8053', '127.0.0.1:0');
    const config = at('etc/edgewise/test.yaml');
    await writeFile(config, text);
    const program = at(LIB, 'bin', 'edgewise.js');
    const env = environment(config);
    expect(await ended(spawn(process.execPath, [program, 'check'], { env }))).toEqual({
      status: 0,
      stdout: '0 networks, 0 edges, 1 zone read\n',
      stderr: '',
    });
    const child = spawn(process.execPath, [program, 'serve'], { env, stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
      const ready = /^edgewise ready dns=127\.0\.0\.1:(\d+) http=127\.0\.0\.1:\d+ zones=1$/m;
      await expect.poll(() => child.exitCode !== null || ready.test(output)).toBe(true);
      const port = ready.exec(output)?.[1];
      expect(port, `exit status ${child.exitCode}`).toBeDefined();
      const { stdout } = await run('dig', ['+short', '@127.0.0.1', '-p', port ?? '', 'edgewise.invalid', 'TXT']);
      expect(stdout).toBe('"Edgewise answers."\n');
    } finally {
      const isOver = child.exitCode !== null;
      const over = once(child, 'exit');
      if (!isOver) {
        child.kill('SIGTERM');
        await over;
      }
    }
  });
});

function dependencies(): object {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: object }).dependencies;
}
