import { expect, test } from 'vitest';
import { clusterText, isClusterWell } from '../../src/cli/cluster-text.ts';
import type { VantageJson } from '../../src/server/control/api/json.ts';

type Vantage = VantageJson['vantages'][number];
type View = VantageJson['networks'][number]['views'][number];

const vantage = (name: string, over: Partial<Vantage> = {}): Vantage => ({
  vantage: name,
  is_self: false,
  reachable: true,
  last_heard: 1.2,
  version: '1.0.0',
  clock_offset: 0.1,
  problem: null,
  ...over,
});
const view = (name: string, over: Partial<View> = {}): View => ({
  vantage: name,
  age: 2,
  turn: 7,
  same_config: true,
  counts: true,
  serial: 100,
  ...over,
});
const NETWORK: VantageJson['networks'][number] = {
  network: 'net-a',
  serial: 100,
  decided: { serial: 100, at: 990, by: 'ams1', token: '42' },
  counting: 3,
  needed: 2,
  views: [view('fra1', { age: 0 }), view('ams1'), view('lon1')],
  suspects: [],
};
const WELL: VantageJson = {
  engine: 'etcd',
  vantage: 'fra1',
  now: 1000,
  connected: true,
  decider: { vantage: 'ams1', is_self: false, token: '42', since: 400 },
  override: null,
  vantages: [
    vantage('fra1', { is_self: true, last_heard: null, clock_offset: null }),
    vantage('ams1'),
    vantage('lon1'),
  ],
  networks: [NETWORK],
  faults: [],
};
const network = (over: Partial<typeof NETWORK>): Partial<VantageJson> => ({ networks: [{ ...NETWORK, ...over }] });

test('all is well', () => {
  expect(isClusterWell(WELL)).toBe(true);
  expect(clusterText(WELL).split('\n')).toEqual([
    'vantage fra1, by etcd',
    'ams1 decides, for 10 min, token 42',
    '',
    'VANTAGE  HEARD OF     VERSION  CLOCK  PROBLEM',
    'fra1     this server  1.0.0',
    'ams1     1.2 s ago    1.0.0    ok',
    'lon1     1.2 s ago    1.0.0    ok',
    '',
    'network net-a: serial 100, decided by ams1 10 s ago; 3 of 3 views count',
    '  fra1  0 s old  counts  same configuration',
    '  ams1  2 s old  counts  same configuration',
    '  lon1  2 s old  counts  same configuration',
    '',
  ]);
});

test('peers: each decides for itself', () => {
  const peers = { ...WELL, engine: 'peers', connected: null, decider: null, ...network({ decided: null }) } as const;
  expect(isClusterWell(peers)).toBe(true);
  expect(clusterText(peers)).toContain('vantage fra1, by peers\neach vantage decides for itself\n');
  expect(clusterText(peers)).toContain('network net-a: serial 100; 3 of 3 views count');
  // Each has serials of its own.
  const [own] = network({ views: [view('b', { serial: 99 })], decided: null }).networks ?? [];
  expect(clusterText({ ...peers, networks: [own] })).not.toContain('99');
});

test.each<[string, Partial<VantageJson>, string]>([
  ['etcd does not answer', { connected: false }, 'vantage fra1, by etcd, which does not answer\n'],
  [
    'nobody decides',
    { decider: { vantage: null, is_self: false, token: null, since: null } },
    'NOBODY decides: the last decided sets are answered\n',
  ],
  [
    'an override',
    { override: { reason: 'etcd lost', by: 'ops', at: 880, until: 1600 } },
    'OVERRIDE: this server decides alone: "etcd lost", by ops, for 2 min, 10 min left\n',
  ],
  [
    'an override without an end',
    { override: { reason: 'x', by: 'ops', at: 1000, until: null } },
    '"x", by ops, until it is ended\n',
  ],
  ['a fault', { faults: ['etcd is full'] }, '\nproblem: etcd is full\n'],
  [
    'one that is lost',
    { vantages: [vantage('lon1', { reachable: false, last_heard: 7200, version: null, clock_offset: null })] },
    'lon1     2 h ago   ?        ?      not reachable\n',
  ],
  [
    'one never heard of, and why',
    { vantages: [vantage('lon1', { reachable: false, last_heard: null, problem: 'refused' })] },
    'lon1     never     1.0.0    ok     refused\n',
  ],
  [
    'too few views',
    network({
      counting: 1,
      views: [
        view('fra1'),
        view('ams1', { counts: false, age: 70 }),
        view('lon1', { counts: false, age: null, turn: null, same_config: null, serial: null }),
      ],
    }),
    '; 1 of 3 views count, TOO FEW: 2 are needed, so nothing changes\n',
  ],
  [
    'another configuration',
    network({ views: [view('ams1', { same_config: false, counts: false })] }),
    '  ams1  2 s old  does not count  ANOTHER CONFIGURATION, has no vote\n',
  ],
])('%s: not well', (_, over, text) => {
  const answer = { ...WELL, ...over };
  expect(isClusterWell(answer)).toBe(false);
  expect(clusterText(answer)).toContain(text);
});

test.each<[string, Partial<VantageJson>, string]>([
  [
    'another serial there',
    network({ views: [view('ams1', { serial: 99 })] }),
    '  ams1  2 s old  counts  same configuration  answers serial 99\n',
  ],
  [
    'a set that is not answered here yet',
    network({ serial: 99 }),
    'serial 99, decided by ams1 10 s ago as serial 100, not answered here; 3 of',
  ],
  ['a clock that is an hour ahead', { vantages: [vantage('lon1', { clock_offset: 3600 })] }, '  60 min ahead'],
  ['a clock that is behind', { vantages: [vantage('lon1', { clock_offset: -3 })] }, '  3 s behind'],
  [
    'a suspect',
    network({
      suspects: [
        {
          edge: '192.0.2.7',
          says: [
            { vantage: 'ams1', up: false, detail: 'refused' },
            { vantage: 'fra1', up: true, detail: '' },
            { vantage: 'lon1', up: null, detail: 'no view' },
          ],
        },
      ],
    }),
    '  suspect 192.0.2.7: ams1 down (refused), fra1 up, lon1 says nothing (no view)\n',
  ],
  [
    "another's text that would clear the screen",
    { vantages: [vantage('lon1', { version: '\u001b[2J\r\n1' })] },
    ' [2J 1 ',
  ],
])('%s is shown, and no trouble', (_, over, text) => {
  const answer = { ...WELL, ...over };
  expect(isClusterWell(answer)).toBe(true);
  expect(clusterText(answer)).toContain(text);
});
