import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parse as parseYaml, stringify } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import type { VantageJson } from '../../src/server/control/api/json.ts';
import { readOverride } from '../../src/vantage/override.ts';
import { edgewise } from '../support/edgewise.ts';
import { EtcdCluster } from '../support/etcd.ts';
import { Installation } from '../support/installation.ts';

/** `edgewise cluster`, as an operator runs it. */

const ANSWER: VantageJson = {
  engine: 'peers',
  vantage: 'a',
  now: 1000,
  connected: null,
  decider: null,
  override: null,
  vantages: [],
  networks: [],
  faults: [],
};

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A server whose `/api/v1/vantage` is this; its address. */
async function answering(status: number, body: unknown): Promise<string> {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/api/v1/vantage' ? status : 500).end(JSON.stringify(body));
  });
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('status: a table, status 0; JSON; not well, status 1', async () => {
  const [well, ill] = await Promise.all([answering(200, ANSWER), answering(200, { ...ANSWER, faults: ['b is lost'] })]);
  const table = await edgewise(['cluster', 'status', '-u', well]);
  expect(table).toMatchObject({ status: 0, stderr: '' });
  expect(table.stdout).toMatch(/^vantage a, by peers\neach vantage decides for itself\n/);
  const json = await edgewise(['cluster', 'status', '--json', '-u', well]);
  expect([json.status, JSON.parse(json.stdout)]).toEqual([0, ANSWER]);
  expect(await edgewise(['cluster', 'status', '-u', ill])).toMatchObject({
    status: 1,
    stdout: expect.stringContaining('problem: b is lost'),
  });
});

test('status: nobody answers, or decides alone: status 2', async () => {
  const alone = await answering(404, { error: 'not found', detail: '' });
  expect(await edgewise(['cluster', 'status', '-u', alone])).toEqual({
    status: 2,
    stdout: '',
    stderr: `error: the server at ${alone} decides alone: its configuration has no vantage\n`,
  });
  expect(await edgewise(['cluster', 'status', '-u', 'http://127.0.0.1:1'])).toMatchObject({
    status: 2,
    stdout: '',
    stderr: expect.stringMatching(/^error: http:\/\/127\.0\.0\.1:1 does not answer: /),
  });
});

test.each<[string, readonly string[], string]>([
  ['neither a reason nor an end', [], '--reason is needed, or --end'],
  ['a reason of blanks', ['--reason', ' \t'], '--reason is needed, or --end'],
  ['both', ['--end', '--reason', 'x'], '--end takes no --reason and no --for'],
  [
    'a span that is none',
    ['--reason', 'x', '--for', 'ever'],
    '--for: "ever" is no span of time such as 45m, 2h or 1h30m',
  ],
  ['a reason without end', ['--reason', 'x'.repeat(501)], '--reason: at most 500 characters'],
])('override, %s: bad usage, status 2', async (_, args, message) => {
  const { status, stdout, stderr } = await edgewise(['cluster', 'override', ...args]);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain(`error: ${message}\n`);
});

describe('without a running server', () => {
  let etcd: EtcdCluster;
  let site: Installation;
  beforeAll(async () => {
    etcd = await EtcdCluster.start();
    site = await Installation.make({
      edges: ['127.0.0.1'],
      port: 1,
      zones: {},
      keys: { http: { listen: '127.0.0.1:1' } },
    });
  });
  afterAll(async () => {
    await etcd.stop();
    await site.remove();
  });

  async function configured(vantage: object): Promise<string> {
    const keys = parseYaml(await site.read('edgemanage.yaml')) as object;
    await site.write('edgemanage.yaml', stringify({ ...keys, vantage }));
    return site.path('edgemanage.yaml');
  }

  const etcdVantage = () => ({
    name: 'a',
    engine: 'etcd',
    endpoints: etcd.endpoints,
    prefix: 'edgewise/x',
    members: ['a', 'b', 'c'],
  });

  test('an override is written for its start, shown, and ended', async () => {
    const file = await configured(etcdVantage());
    await etcd.put('edgewise/x/leader', 'b');
    const set = await edgewise(['cluster', 'override', '--reason', 'lost\tit', '--for', '2h', '-c', file]);
    expect(set).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^This server decides alone, from its own view: "lost it", by \w+, 2 h left\.\n$/),
      stderr: expect.stringContaining('The server has not confirmed it yet: http://127.0.0.1:1 does not answer: '),
    });
    const { stateDir } = loadConfig(file).config ?? {};
    const { override } = readOverride(stateDir ?? '');
    expect(override).toMatchObject({ reason: 'lost it', by: expect.stringMatching(/./) });
    expect((override?.until ?? 0) - (override?.at ?? 0)).toBeCloseTo(7200, 3);
    const { status, stdout, stderr } = await edgewise(['cluster', 'status', '-c', file]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('configured: vantage a of a, b, c by etcd at http://127.0.0.1:');
    expect(stderr).toContain('set for its next start: "lost it", by ');
    expect(stderr).toMatch(/\netcd answers: b decides, token \d+\n$/);
    expect((await edgewise(['cluster', 'override', '--end', '-c', file])).stdout).toBe('The override has ended.\n');
    expect(await edgewise(['cluster', 'override', '--end', '-c', file])).toEqual({
      status: 0,
      stdout: 'No override was in force.\n',
      stderr: '',
    });
    expect((await edgewise(['cluster', 'status', '-c', file])).stderr).not.toContain('lost it');
  });

  test('etcd does not answer either', async () => {
    const file = await configured({ ...etcdVantage(), endpoints: ['http://127.0.0.1:1'] });
    const { status, stderr } = await edgewise(['cluster', 'status', '-c', file]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/\netcd cannot be asked: 127\.0\.0\.1:1 /);
  });

  test('a server that decides alone has nothing to override, and check says what a vantage asks for', async () => {
    const file = await configured({
      ...{ name: 'a', engine: 'peers', listen: '127.0.0.1:0', key_file: 'peers.key', min_peers_agree: 1 },
      peers: [{ name: 'b', url: 'http://127.0.0.1:1' }],
    });
    await site.write('peers.key', `${'k!'.repeat(16)}\n`);
    expect((await edgewise(['check', '-c', file])).stdout).toContain(
      '\nvantage a with peers b (http://127.0.0.1:1): 1 of them must see a change, too\n',
    );
    await site.write('edgemanage.yaml', (await site.read('edgemanage.yaml')).replace(/^vantage:\n(?: .*\n)*/m, ''));
    expect(await edgewise(['cluster', 'override', '--reason', 'x', '-c', file])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('has no vantage: this server decides alone as it is'),
    });
  });
});
