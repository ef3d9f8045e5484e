import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { edgewise } from '../support/edgewise.ts';
import { ended, Installation, NETWORK, OBJECT } from '../support/installation.ts';
import { MockFleet } from '../support/mock-fleet.ts';

/** Commands that publish by themselves, with a configuration by which several servers decide together. */

const NAMES = ['127.77.9.1', '127.77.9.2'];
let site: Installation;
let fleet: MockFleet;

beforeAll(async () => {
  fleet = await MockFleet.start(NAMES, OBJECT);
  const vantage = {
    name: 'a',
    engine: 'etcd',
    endpoints: ['http://127.0.0.1:9'],
    prefix: 'edgewise/test',
    members: ['a', 'b', 'c'],
  };
  const dns = { ns_records: ['ns.test.'], soa_nameserver: 'ns.test.', soa_mailbox: 'host.test.' };
  site = await Installation.make({
    edges: NAMES,
    port: fleet.port,
    speeds: {},
    zones: { 'x.test': '' },
    keys: { edge_count: 2, run_frequency: 60, vantage, dns },
  });
});
afterAll(async () => {
  await fleet?.close();
  await site?.remove();
});

const SENTENCE = 'only `edgewise serve` publishes them';

test.each([
  ['edge_manage', ['--force']],
  ['run', []],
  ['export', []],
] as const)(
  '%s is refused: its set and its serials would be other ones than those of the vantages',
  async (name, args) => {
    const { status, stderr } =
      name === 'edge_manage'
        ? await ended(site.start(name, args))
        : await edgewise([name, '-c', site.path('edgemanage.yaml'), '-A', NETWORK, ...args]);
    expect(status).toBe(1);
    expect(stderr).toContain(SENTENCE);
    expect(existsSync(site.path('state/edgewise-zones.json'))).toBe(false);
  },
);

test('a dry run shows what it would do', async () => {
  const { status, stderr } = await ended(site.start('edge_manage', ['-n']));
  expect(stderr).not.toContain(SENTENCE);
  expect(status).toBe(0);
});
