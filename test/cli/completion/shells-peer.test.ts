/** The scripts in the shells they are for: what is offered where somebody presses the tab key. */
import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { block } from '../../support/documents.ts';
import { EDGEWISE, edgewise } from '../../support/edgewise.ts';
import { ended } from '../../support/installation.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgewise-completion-'));
  // As an installation has it: the scripts ask `edgewise` for the names of the configuration.
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'bin', 'edgewise'), `#!/bin/sh\nexec '${process.execPath}' '${EDGEWISE}' "$@"\n`);
  await chmod(join(folder, 'bin', 'edgewise'), 0o755);
  for (const list of ['mynet', 'other-net']) {
    await mkdir(join(folder, 'edges'), { recursive: true });
    await writeFile(join(folder, 'edges', list), `192.0.2.1\n192.0.2.2\n2001:db8::1\n${list}.example.net\n`);
  }

  await writeFile(join(folder, 'edgemanage.yaml'), CONFIG);
  for (const shell of SHELLS) {
    await mkdir(join(folder, shell));
    const script = await edgewise(['completion', shell]);
    expect(script).toMatchObject({ status: 0, stderr: '' });
    await writeFile(join(folder, shell, '_edgewise'), script.stdout);
  }
});
afterAll(() => rm(folder, { recursive: true }));

const CONFIG = `testobject: {host: www.example.com, port: 80, proto: http, uri: /object, local: object, verify: false}
dns: {ns_records: [ns1.example.net.], soa_nameserver: ns1.example.net., soa_mailbox: hostmaster.example.net., rotate_zones: []}
goodenough: 0.7
edge_count: 4
dnet_edge_count: {}
run_frequency: 30
edgelist_dir: edges
healthdata_store: health
zonetemplate_dir: zones
named_dir: named
statefile: "{dnet}.state"
lockfile: lock
server: {listen: ["127.0.0.1:0"]}
`;

/** What a shell offers after `line`, sorted. */
async function offers(shell: (typeof SHELLS)[number], line: string): Promise<readonly string[]> {
  const script = shell === 'zsh' ? join(folder, shell) : join(folder, shell, '_edgewise');
  const options = { bash: ['--norc'], zsh: ['-f'], fish: ['--no-config'] }[shell];
  const child = spawn(shell, [...options, join(import.meta.dirname, `offers.${shell}`), script, line], {
    cwd: folder,
    env: { ...process.env, PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`, HOME: folder, TERM: 'xterm' },
  });
  const { stdout } = await ended(child);
  return [...new Set(stdout.split('\n').filter((word) => word !== ''))].sort();
}

test('the page on installing makes the same scripts', async () => {
  const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}` };
  const commands = block('docs/install.md', 'sh completion').text;
  const made = await ended(spawn('sh', ['-e', '-c', commands], { cwd: folder, env }));
  expect(made).toEqual({ status: 0, stdout: '', stderr: '' });
  for (const [shell, file] of Object.entries({ bash: 'edgewise.bash', zsh: '_edgewise', fish: 'edgewise.fish' }))
    expect(await readFile(join(folder, file), 'utf8')).toBe(await readFile(join(folder, shell, '_edgewise'), 'utf8'));
});

describe.each(SHELLS)('%s completes', (shell) => {
  test.each<readonly [string, string, readonly string[]]>([
    ['a command', 'edgewise ex', ['explain', 'export']],
    ['commands below a command', 'edgewise cluster ', ['override', 'status']],
    ['the words of an option', 'edgewise mode -m ', ['available', 'blindforce', 'force', 'unavailable']],
    ['under the old name', 'edge_conf --mode f', ['force']],
    ['of another program', 'goavail monitor -t ', ['ip', 'tcp']],
    ['networks', 'edgewise explain -c edgemanage.yaml -A ', ['mynet', 'other-net']],
    ['edges of a network', 'edgewise mode -c edgemanage.yaml -A mynet m', ['mynet.example.net']],
    ['edges of all', 'edgewise explain -c edgemanage.yaml 192', ['192.0.2.1', '192.0.2.2']],
    ['no network without a configuration', 'edgewise explain -c no-such-file -A ', []],
    ['files', 'edgewise checkzone example.com edgem', ['edgemanage.yaml']],
  ])('%s', async (_, line, expected) => {
    expect(await offers(shell, line)).toEqual(expected);
  });

  test('options of the command, not of those around it', async () => {
    const words = await offers(shell, 'edgewise cluster status --');
    expect(words).toEqual(expect.arrayContaining(['--config', '--help', '--json', '--url']));
    expect(words).not.toContain('--version');
  });
});
