/** compose.yaml: its files are there and are what the programs take; Edgewise and BIND run with them, on loopback. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { root } from '../../scripts/prepare.mjs';
import { EdgewiseServer, eventually } from '../support/edgewise.ts';
import { freePort } from '../support/ports.ts';

const run = promisify(execFile);
type Service = { readonly image: string; readonly build?: string; readonly volumes: readonly string[] };
type Compose = {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, object>>;
};
const { services, volumes } = parse(read('compose.yaml'), { merge: true }) as Compose;

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

describe('compose.yaml', () => {
  test.each(Object.entries(services))('%s: an image of one version, and files that are there', (_, service) => {
    expect(service.build === '.' || /:v?\d+\.\d+/.test(service.image)).toBe(true);
    for (const volume of service.volumes) {
      const [from] = volume.split(':');
      if (from.startsWith('./')) expect(existsSync(join(root, from)), from).toBe(true);
      else expect(volumes).toHaveProperty(from);
    }
  });

  test('publishes on loopback only', () => {
    const published = read('compose.yaml').match(/"[^"\s]*:\d+(?:\/(?:udp|tcp))?"/g) ?? [];
    expect(published.length).toBeGreaterThan(5);
    expect(published.filter((one) => !one.startsWith('"127.0.0.1:'))).toEqual([]);
  });

  test('Grafana finds its dashboard where it is mounted, and Prometheus its rules', () => {
    const provider = parse(read('conf/compose/grafana/dashboards.yaml')) as {
      providers: readonly { options: { path: string } }[];
    };
    const { grafana, prometheus } = services;
    const { path } = provider.providers[0].options;
    expect(grafana.volumes).toContain(`./conf/grafana/edgewise.json:${path}/edgewise.json:ro`);
    const config = parse(read('conf/compose/prometheus.yaml')) as { rule_files: readonly string[] };
    for (const file of config.rule_files)
      expect(prometheus.volumes).toContain(`./conf/prometheus/${file}:/etc/prometheus/${file}:ro`);
  });
});

test('promtool takes the configuration with the rules beside it, as they are mounted', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgewise-compose-prometheus-'));
  try {
    for (const volume of services['prometheus'].volumes.filter((one) => one.startsWith('./'))) {
      const [from, to] = volume.split(':');
      mkdirSync(join(folder, dirname(to)), { recursive: true });
      cpSync(join(root, from), join(folder, to));
    }
    const { stdout } = await run('promtool', ['check', 'config', join(folder, 'etc/prometheus/prometheus.yml')]);
    expect(stdout).toContain('SUCCESS');
    expect(stdout).toMatch(/[1-9]\d* rules found/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('Edgewise, the edges and BIND, with their configuration of conf/compose', () => {
  const running: { stop(): Promise<unknown> }[] = [];
  let folder: string | null = null;
  afterEach(async () => {
    for (const one of running.splice(0).reverse()) await one.stop();
    if (folder !== null) rmSync(folder, { recursive: true, force: true });
  });

  /** Its networks' addresses are taken from loopback, and the ports that are free there. */
  const onLoopback = (text: string): string => text.replaceAll('172.30.53.', '127.30.53.');

  test('BIND answers with the live edges, and with another one when one of them ends', async () => {
    folder = mkdtempSync(join(tmpdir(), 'edgewise-compose-'));
    const etc = join(folder, 'etc');
    cpSync(join(root, 'conf', 'compose', 'edgewise'), etc, { recursive: true });
    const [dns, secondary] = [await freePort('127.30.53.2'), await freePort()];
    const web = await freePort('127.30.53.11');
    const config = join(etc, 'edgewise.yaml');
    const text = onLoopback(read('conf/compose/edgewise/edgewise.yaml'))
      .replaceAll('/var/lib/edgewise', join(folder, 'state'))
      .replace('127.30.53.2:53', `127.30.53.2:${dns}`)
      // BIND listens at addresses of interfaces only.
      .replace('127.30.53.3:53', `127.0.0.1:${secondary}`)
      .replace('0.0.0.0:8053', '127.0.0.1:0')
      .replace('port: 80,', `port: ${web},`)
      // A busy machine is no reason to leave an edge out.
      .replace('goodenough: 0.7', 'goodenough: 3')
      .replace('run_frequency: 10', 'run_frequency: 1');
    writeFileSync(config, text);
    writeFileSync(join(etc, 'edges', 'demo'), onLoopback(read('conf/compose/edgewise/edges/demo')));

    const edges = new Map(
      ['127.30.53.11', '127.30.53.12', '127.30.53.13'].map((address) => [
        address,
        started(process.execPath, [join(etc, 'edge.mjs')], { ADDRESS: address, PORT: String(web) }),
      ]),
    );
    running.push(...edges.values(), await EdgewiseServer.start(config));

    const named = join(folder, 'named.conf');
    writeFileSync(
      named,
      onLoopback(read('conf/compose/bind/named.conf'))
        .replace('/var/cache/bind', folder)
        .replace(
          'listen-on port 53 { any; };',
          `listen-on port ${secondary} { 127.0.0.1; };\n    pid-file none;\n    session-keyfile none;\n` +
            '    transfer-source 127.30.53.3;\n    query-source address 127.30.53.3;',
        )
        .replaceAll('{ 127.30.53.2; }', `{ 127.30.53.2 port ${dns}; }`),
    );
    await run('named-checkconf', [named]);
    running.push(started('named', ['-g', '-c', named]));

    const asked = async (name: string): Promise<string> => {
      const args = ['@127.0.0.1', '-p', String(secondary), '+short', '+tries=1', '+time=2', name, 'A'];
      const { stdout } = await run('dig', args).catch(() => ({ stdout: '' }));
      return stdout.trim().split('\n').sort().join();
    };
    const isPair = (seen: string): boolean => seen.split(',').length === 2;
    const [first] = (await eventually(() => asked('www.example.com'), isPair, 60)).split(',');
    await edges.get(first)?.stop();
    const others = [...edges.keys()].filter((address) => address !== first).join();
    for (const name of ['www.example.com', 'example.com']) {
      await eventually(
        () => asked(name),
        (seen) => seen === others,
        60,
      );
    }
    expect(await asked('mail.example.com')).toBe('198.51.100.25');
  });
});

function started(program: string, args: readonly string[], env = {}): { stop(): Promise<void> } {
  const child: ChildProcess = spawn(program, args, { stdio: 'ignore', env: { ...process.env, ...env } });
  const over = once(child, 'exit');
  return {
    async stop() {
      child.kill('SIGTERM');
      await over;
    },
  };
}
