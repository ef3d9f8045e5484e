import { chmod, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EdgewiseServer, eventually } from '../support/edgewise.ts';
import { Installation, NETWORK, OBJECT, program } from '../support/installation.ts';
import { MockFleet } from '../support/mock-fleet.ts';
import { freePort } from '../support/ports.ts';

/** The whole server on an edgemanage installation, with real edges, `dig`, `named-checkzone` and the disk. */

const EDGES = ['127.78.0.1', '127.78.0.2', '127.78.0.3', '127.78.0.4', '127.78.0.5'];
const CANARY = '127.78.1.1';

let site: Installation;
let server: EdgewiseServer;
let fleet: MockFleet;

async function metric(name: string): Promise<number> {
  const { text } = await server.get('/metrics');
  const line = text.split('\n').find((candidate) => candidate.startsWith(name));
  return Number(line?.split(' ').at(-1));
}

async function start(): Promise<void> {
  server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
}

beforeAll(async () => {
  fleet = await MockFleet.start([...EDGES, CANARY], OBJECT);
  site = await Installation.make({
    edges: EDGES,
    port: fleet.port,
    // The fifth is nobody's first choice, and those before it stay faster although they fail for a while.
    speeds: Object.fromEntries(EDGES.map((edge, i) => [edge, i === 4 ? 2.5 : 0.1])),
    canaries: { 'canary.test': CANARY },
    zones: {
      'one.test': 'mail IN A 192.0.2.25\n@ IN MX 10 mail\n',
      'canary.test': 'ftp IN CNAME www\n',
    },
    keys: {
      run_frequency: 1,
      dns: {
        ns_records: ['ns1.nameservers.test.'],
        soa_nameserver: 'ns1.nameservers.test.',
        soa_mailbox: 'hostmaster.nameservers.test.',
        rotate_zones: ['www'],
        ttl: 45,
      },
      logpath: null,
      dnschange_maxfreq: 1000,
      server: { listen: [`127.0.0.1:${await freePort()}`] },
      http: { listen: `127.0.0.1:${await freePort()}` },
    },
  });
  await site.write('changes.sh', `#!/bin/sh\necho changed >> ${site.path('hook.log')}\n`);
  await chmod(site.path('changes.sh'), 0o755);
  const config = await site.read('edgemanage.yaml');
  await site.write(
    'edgemanage.yaml',
    config.replace('commands: null', `commands: {run_after_changes: ['${site.path('changes.sh')}']}`),
  );
  await start();
});

afterAll(async () => {
  await server?.stop('SIGKILL');
  await fleet?.close();
  await site?.remove();
});

describe('the main path', () => {
  test('answers the apex and rotated labels with the four fast edges', async () => {
    expect(server.zones).toBe(2);
    expect(await server.dig('one.test', 'A')).toEqual(EDGES.slice(0, 4));
    expect(await server.dig('www.one.test', 'A')).toEqual(EDGES.slice(0, 4));
    expect(await server.dig('+tcp', 'one.test', 'A')).toEqual(EDGES.slice(0, 4));
    expect(await server.digText('one.test', 'A')).toMatch(/^one\.test\.\s+45\s+IN\s+A\s/m);
    expect(await server.dig('one.test', 'MX')).toEqual(['10 mail.one.test.']);
  });

  test('what a user of dig would check', async () => {
    const script = join(import.meta.dirname, 'dig-checks.sh');
    const args = ['127.0.0.1', String(server.dnsPort), 'one.test', ...EDGES.slice(0, 4)];
    expect(await program(script, args)).toMatchObject({ stdout: '', status: 0 });
  });

  test('the order of addresses rotates', async () => {
    const firsts = new Set<string>();
    for (let i = 0; i < 8; i++) firsts.add((await server.digText('+short', 'one.test', 'A')).split('\n')[0]);
    expect(firsts.size).toBeGreaterThan(1);
  });

  test('a canary stands in for one edge, in its zone only', async () => {
    const answer = await server.dig('canary.test', 'A');
    expect(answer).toContain(CANARY);
    expect(answer).toHaveLength(4);
  });

  test('an edge dies: answer, zone file, metrics, state, live list and hook follow', async () => {
    const serialBefore = Number((await server.dig('one.test', 'SOA'))[0].split(' ')[2]);
    await fleet.behave(EDGES[0], { kind: 'refuse' });
    const wanted = EDGES.slice(1).join();
    await eventually(
      () => server.dig('one.test', 'A'),
      (answer) => answer.join() === wanted,
    );
    const serial = Number((await server.dig('one.test', 'SOA'))[0].split(' ')[2]);
    expect(serial).toBeGreaterThan(serialBefore);

    const file = site.path('named', 'one.test.zone');
    const text = await eventually(
      () => readFile(file, 'utf8'),
      (zone) => zone.includes(EDGES[4]),
    );
    expect(text).not.toContain(`${EDGES[0]}\n`);
    expect(text).toContain(String(serial));
    expect((await program('named-checkzone', ['one.test', file])).stdout).toContain(`loaded serial ${serial}`);
    const canary = await program('named-checkzone', ['canary.test', site.path('named', 'canary.test.zone')]);
    expect(canary.stdout).toContain('OK');

    expect((await site.state()).last_live).toEqual(EDGES.slice(1));
    await expect.poll(async () => (await site.read(`${NETWORK}.live`)).trim().split('\n')).toEqual(EDGES.slice(1));
    expect(await metric(`edgewise_network_live_edges{network="${NETWORK}"}`)).toBe(4);
    await eventually(
      () => site.read('hook.log').catch(() => ''),
      (log) => log.split('\n').length > 2,
    );
    const api = JSON.parse((await server.get(`/api/v1/networks/${NETWORK}`)).text) as {
      readonly edges: readonly {
        readonly edge: string;
        readonly state: string;
        readonly fail: { reason: string } | null;
      }[];
      readonly changes: readonly { readonly removed: readonly string[] }[];
    };
    const dead = api.edges.find(({ edge }) => edge === EDGES[0]);
    expect(dead?.state).toBe('out');
    expect(dead?.fail?.reason).toBe('refused');
    expect(api.changes.at(-1)?.removed).toEqual([EDGES[0]]);
  });

  test('edge_conf takes effect in the running server', async () => {
    await fleet.behave(EDGES[0], { kind: 'ok' });
    const set = await site.run('edge_conf', ['-m', 'unavailable', '-C', 'maintenance', '--no-syslog', EDGES[1]]);
    expect(set).toMatchObject({ status: 0, stdout: `Set mode for ${EDGES[1]} to unavailable\n` });
    await eventually(
      () => server.dig('one.test', 'A'),
      (answer) => answer.join() === EDGES.filter((edge) => edge !== EDGES[1]).join(),
    );
    // It displaces nobody who is well, unless an operator says so; then the slowest goes.
    await site.run('edge_conf', ['-m', 'force', '-C', 'back', '--no-syslog', EDGES[1]]);
    await eventually(
      () => server.dig('one.test', 'A'),
      (answer) => answer.join() === EDGES.slice(0, 4).join(),
    );
    await site.run('edge_conf', ['-m', 'available', '--no-syslog', EDGES[1]]);
  });

  test('one-shot runs are refused while the server manages the network', async () => {
    const { status, stderr } = await site.run('edge_manage', ['--force']);
    expect(status).toBe(1);
    expect(stderr).not.toBe('');
  });
});

describe('changes on disk', () => {
  test('a new zone is served, a changed one changes, a removed one goes', async () => {
    await site.write(`zones/${NETWORK}/two.test.zone`, 'a IN A 192.0.2.1\n');
    await eventually(
      () => server.dig('a.two.test', 'A'),
      (answer) => answer.join() === '192.0.2.1',
    );
    const before = Number((await server.dig('two.test', 'SOA'))[0].split(' ')[2]);
    await site.write(`zones/${NETWORK}/two.test.zone`, 'a IN A 192.0.2.2\n');
    await eventually(
      () => server.dig('a.two.test', 'A'),
      (answer) => answer.join() === '192.0.2.2',
    );
    expect(Number((await server.dig('two.test', 'SOA'))[0].split(' ')[2])).toBeGreaterThan(before);
    await rm(site.path('zones', NETWORK, 'two.test.zone'));
    await eventually(
      () => server.digText('two.test', 'SOA'),
      (text) => text.includes('status: REFUSED'),
    );
  });

  test('a broken zone keeps its last good version, turns /healthz red, and is named with its line', async () => {
    const since = server.output.length;
    await site.write(`zones/${NETWORK}/one.test.zone`, 'mail IN A 192.0.2.25\nbad IN A 192.0.2.256\n');
    await server.prints(/one\.test\.zone:2:/, since);
    await expect.poll(() => server.get('/healthz')).toEqual({ status: 503, text: expect.stringContaining('one.test') });
    expect(await server.dig('mail.one.test', 'A')).toEqual(['192.0.2.25']);
    expect(await server.dig('one.test', 'A')).toHaveLength(4);
    await site.write(`zones/${NETWORK}/one.test.zone`, 'mail IN A 192.0.2.26\n');
    await eventually(
      () => server.get('/healthz'),
      (health) => health.status === 200,
    );
    await eventually(
      () => server.dig('mail.one.test', 'A'),
      (answer) => answer.join() === '192.0.2.26',
    );
  });

  test('SIGHUP takes a good configuration and refuses a broken one', async () => {
    const good = await site.read('edgemanage.yaml');
    await site.write('edgemanage.yaml', `${good}nonsense_key: 1\n`);
    let since = server.output.length;
    server.child.kill('SIGHUP');
    await server.prints(/nothing was changed/, since);
    expect(server.output.slice(since)).toMatch(/edgemanage\.yaml:\d+:\d+: error: .*nonsense_key/);
    expect(await server.dig('one.test', 'A')).toHaveLength(4);
    const refused = {
      status: 503,
      text: expect.stringContaining('the settings before the last reload are in force: the configuration has errors'),
    };
    expect(await server.get('/healthz')).toMatchObject(refused);

    // Nor is one that cannot be read at all any better.
    await rm(site.path('edgemanage.yaml'));
    since = server.output.length;
    server.child.kill('SIGHUP');
    await server.prints(/nothing was changed/, since);
    expect(await server.get('/healthz')).toMatchObject(refused);

    await site.write('edgemanage.yaml', good.replace('ttl: 45', 'ttl: 46').replace('edge_count: 4', 'edge_count: 3'));
    since = server.output.length;
    server.child.kill('SIGHUP');
    await server.prints(/"reloaded"/, since);
    await eventually(
      () => server.get('/healthz'),
      ({ text }) => !text.includes('the settings before the last reload'),
    );
    await eventually(
      () => server.digText('one.test', 'A'),
      (text) => /one\.test\.\s+46\s+IN/.test(text),
    );
    await eventually(
      () => server.dig('one.test', 'A'),
      (answer) => answer.length === 3,
    );
    await site.write('edgemanage.yaml', good);
    server.child.kill('SIGHUP');
    await eventually(
      () => server.dig('one.test', 'A'),
      (answer) => answer.length === 4,
    );
  });
});

describe('restarts', () => {
  test('SIGTERM ends it with status 0; the saved set is served at once, with every edge dead; serials go on', async () => {
    const before = Number((await server.dig('one.test', 'SOA'))[0].split(' ')[2]);
    const live = await server.dig('one.test', 'A');
    expect(await server.stop('SIGTERM')).toBe(0);
    await fleet.behave([...EDGES, CANARY], { kind: 'silent' });
    await start();
    expect(await server.dig('one.test', 'A')).toEqual(live);
    expect(Number((await server.dig('one.test', 'SOA'))[0].split(' ')[2])).toBeGreaterThanOrEqual(before);
    await fleet.behave([...EDGES, CANARY], { kind: 'ok' });
  });

  test('after kill -9 it starts again with the same set', async () => {
    const live = await eventually(
      () => server.dig('one.test', 'A'),
      (answer) => answer.length === 4,
    );
    const before = Number((await server.dig('one.test', 'SOA'))[0].split(' ')[2]);
    await server.stop('SIGKILL');
    await start();
    expect(await server.dig('one.test', 'A')).toEqual(live);
    expect(Number((await server.dig('one.test', 'SOA'))[0].split(' ')[2])).toBeGreaterThanOrEqual(before);
  });

  test('SIGINT ends it with status 0', async () => {
    expect(await server.stop('SIGINT')).toBe(0);
  });
});
