import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { edgewise } from '../support/edgewise.ts';
import { Installation, NETWORK } from '../support/installation.ts';

let site: Installation;
const LIVE = ['192.0.2.1', '192.0.2.2'];

const state = (serial: number, live: readonly string[]): string =>
  JSON.stringify({
    last_live: live,
    rotation_list: [],
    edgewise: { version: 1, serial, live: live.map((edge) => ({ edge, v4: edge, v6: null })) },
  });

beforeAll(async () => {
  site = await Installation.make({
    edges: LIVE,
    zones: { 'one.test': 'mail IN A 192.0.2.25\n', 'two.test': '@ IN MX 10 mail\nmail IN A 192.0.2.26\n' },
    keys: { dns: DNS },
  });
});
const DNS = {
  ns_records: ['ns1.nameservers.test.'],
  soa_nameserver: 'ns1.nameservers.test.',
  soa_mailbox: 'hostmaster.nameservers.test.',
  rotate_zones: ['www'],
};

afterAll(() => site?.remove());

const run = (...args: readonly string[]) => edgewise(['export', '-c', site.path('edgemanage.yaml'), ...args]);

test('before any edge was live there is nothing to write', async () => {
  const { status, stdout, stderr } = await run();
  expect([status, stdout]).toEqual([1, '0 zones: 0 written, 0 unchanged, 0 failed\n']);
  expect(stderr).toContain('no edge was ever live');
});

/** As edgemanage writes it: names, and no serial. */
const edgemanageState = (live: readonly string[]): string =>
  JSON.stringify({ last_live: live, last_run: 1_800_000_000.5, rotation_list: [] });

test('of the state that edgemanage left, the serial is not below any that it wrote', async () => {
  await site.write(`${NETWORK}.state`, edgemanageState(LIVE));
  const { status, stdout } = await run('-n');
  expect(status).toBe(0);
  expect(stdout).toContain('two.test: new, serial 1800000000\n');
  expect(stdout).toMatch(/\+ www\.two\.test\. 60 IN A 192\.0\.2\.1\n/);
  expect(stdout).toContain('2 zones: 2 differ');
});

test('names without addresses are said, not left out in silence', async () => {
  await site.write(`${NETWORK}.state`, edgemanageState(['edge1.test']));
  const { status, stderr } = await run('-n');
  expect(status).toBe(1);
  expect(stderr).toContain('edgemanage saved the names of the live edges without their addresses');
});

test('a dry run says what would be written and writes nothing', async () => {
  await site.write(`${NETWORK}.state`, state(1_900_000_000, LIVE));
  const { status, stdout } = await run('-n');
  expect(status).toBe(0);
  expect(stdout).toContain('one.test: new, serial 1900000000\n');
  expect(stdout).toContain('2 zones: 2 differ');
  expect(await site.list('named')).toEqual([]);
});

test('all zones are written, and named-checkzone takes them', async () => {
  const { status, stdout } = await run('--check');
  expect([status, stdout.split('\n').at(-2)]).toEqual([0, '2 zones: 2 written, 0 unchanged, 0 failed']);
  for (const zone of ['one.test', 'two.test']) {
    const out = execFileSync('named-checkzone', ['-i', 'local', zone, site.path('named', `${zone}.zone`)]).toString();
    expect(out).toContain('loaded serial 1900000000');
  }
});

test('again, nothing differs', async () => {
  expect(await run()).toEqual({ status: 0, stdout: '2 zones: 0 written, 2 unchanged, 0 failed\n', stderr: '' });
});

test('another live set: what differs from the last export is printed', async () => {
  await site.write(`${NETWORK}.state`, state(1_900_000_100, [LIVE[1]]));
  const { stdout } = await run();
  expect(stdout.split('\n').slice(0, 3)).toEqual([
    'one.test: serial 1900000000 → 1900000100',
    '  - one.test. 60 IN A 192.0.2.1',
    '  - www.one.test. 60 IN A 192.0.2.1',
  ]);
});

test('a zone that does not load keeps its file, with status 1', async () => {
  const before = await site.read('named/one.test.zone');
  await site.write(`zones/${NETWORK}/one.test.zone`, 'mail IN A 192.0.2.256\n');
  const { status, stderr } = await run('-q');
  expect(status).toBe(1);
  expect(stderr).toContain('one.test.zone:1:');
  expect(await site.read('named/one.test.zone')).toBe(before);
});
