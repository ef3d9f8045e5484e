import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EdgeRow, matches, printRows, rowOf } from '../../src/cli/query-rows.ts';
import { type EdgeRecord, NEW_EDGE } from '../../src/health/state/edge-store.ts';
import { printEdgeRecord } from '../../src/health/state/edge-store-text.ts';
import type { Uptime } from '../../src/health/state/uptime.ts';
import { Installation, NETWORK } from '../support/installation.ts';

const NOW = 1_700_000_000;
const FETCHED: EdgeRecord = { ...NEW_EDGE, history: { times: [NOW], seconds: [0.2] }, health: 'pass_threshold' };
const ROW: EdgeRow = {
  mode: 'force',
  state: 'in',
  health: 'pass',
  edge: 'e1',
  seconds: 12,
  comment: '[a] b',
  uptime: {
    up: false,
    since: NOW - 7.5,
    seconds: 7,
    transitions: [{ at: NOW - 7.5, up: false }],
    downtimeOfDay: 7.5,
    position: { count: 1, of: 2, towards: 'up' },
    lastFailure: { at: NOW - 3.6, reason: 'exit', check: 'disk', detail: 'status 2: full,\tor\nnearly' },
  },
};
const FLAT_UPTIME = 'down\t7\t1\t8\t1/2\t2023-11-14T22:13:16Z disk: exit: status 2: full, or nearly';
const CSV_UPTIME = 'down,7,1,8,1/2,2023-11-14T22:13:16Z disk: exit: status 2: full; or nearly';
const UNKNOWN = {
  up: null,
  since: null,
  seconds: -1,
  transitions: [],
  downtimeOfDay: 0,
  lastFailure: null,
  position: null,
};

describe('an edge as a row', () => {
  test.each([
    ['never fetched', NEW_EDGE, { health: 'unknown', seconds: -1, state: 'out', mode: 'available' }],
    ['since when nobody noted', FETCHED, { health: 'pass_threshold', seconds: -1 }],
    ['for a while', { ...FETCHED, stateSince: NOW - 12.9 }, { seconds: 12 }],
    ['since the future, after the clock was set back', { ...FETCHED, stateSince: NOW + 5 }, { seconds: 0 }],
  ])('%s', (_, record, expected) => {
    expect(rowOf('e1', record, NETWORK, NOW, 60)).toMatchObject({ ...expected, uptime: UNKNOWN });
  });
});

test('an edge that some vantage points see down is shown as suspect, in a column of its own', () => {
  const says = [
    { vantage: 'ams', up: false, detail: 'timeout' },
    { vantage: 'fra', up: true, detail: 'last 0.2 s' },
    { vantage: 'lon', up: null, detail: 'not asked yet' },
  ];
  const works = { v4: true, v6: false };
  const quorum = { up: true, says, needed: { down: 2, up: 2 }, works, from: null };
  const style = { quiet: false, verbose: true, header: true } as const;
  const cells = printRows([{ ...ROW, quorum }, ROW], { ...style, format: 'flat' })
    .split('\n')
    .map((line) => line.split('\t').at(-1));
  const text = 'suspect: down for 1 of 3: ams (timeout); up for 1 of 3: fra; unknown for lon (not asked yet)';
  expect(cells).toEqual(['vantages', text, '-', '']);
  const { vantages } = JSON.parse(printRows([{ ...ROW, quorum }], { ...style, format: 'json' }));
  expect(vantages).toEqual({ suspect: true, says });
  expect(printRows([ROW], { ...style, format: 'json' })).not.toContain('vantages');
});

describe('since when it is up or down', () => {
  const uptime: Uptime = {
    up: false,
    since: NOW - 600,
    checkedAt: NOW - 30,
    transitions: [{ at: NOW - 600, up: false }],
    down: [{ from: NOW - 600, until: NOW - 30, seconds: 570 }],
    lastFailure: null,
    position: { count: 1, of: 2, towards: 'up' },
  };
  const own = { state: 'out', stateSince: NOW - 600, health: 'fail', seen: NOW - 30, uptime } as const;
  const record = (network: string): EdgeRecord => ({ ...FETCHED, networks: new Map([[network, own]]) });

  test.each([
    [
      'in this network',
      record(NETWORK),
      60,
      { up: false, since: NOW - 600, seconds: 600, downtimeOfDay: 600, position: { count: 1 } },
    ],
    ['in another one', record('other'), 60, UNKNOWN],
    [
      'asked too long ago',
      record(NETWORK),
      5,
      { up: null, since: NOW - 600, seconds: 600, downtimeOfDay: 570, position: null },
    ],
    ['unavailable, so not judged', { ...record(NETWORK), mode: 'unavailable' }, 60, { up: null, since: NOW - 600 }],
  ] as const)('%s', (_, stored, interval, expected) => {
    expect(rowOf('e1', stored, NETWORK, NOW, interval).uptime).toMatchObject(expected);
  });
});

describe('filters', () => {
  const all = { health: null, state: null, mode: null };
  test.each([
    ['nothing asked', ROW, all, true],
    ['allpass takes any pass', ROW, { ...all, health: 'allpass' }, true],
    ['allpass refuses fail', { ...ROW, health: 'fail' }, { ...all, health: 'allpass' }, false],
    ['allpass takes what was never fetched', { ...ROW, health: 'unknown' }, { ...all, health: 'allpass' }, true],
    ['pass is one health', { ...ROW, health: 'pass_window' }, { ...all, health: 'pass' }, false],
    ['state', ROW, { ...all, state: 'out' }, false],
    ['mode', ROW, { ...all, mode: 'available' }, false],
    ['all of them', ROW, { health: 'pass', state: 'in', mode: 'force' }, true],
  ] as const)('%s', (_, row, filter, expected) => {
    expect(matches(row, filter)).toBe(expected);
  });
});

describe('output', () => {
  const usual = { format: 'flat', quiet: false, verbose: false, header: false } as const;
  test.each([
    ['flat', usual, 'e1\t12\n'],
    ['csv', { ...usual, format: 'csv' }, 'e1,12\n'],
    ['quiet', { ...usual, quiet: true }, 'e1\n'],
    ['verbose', { ...usual, verbose: true }, `force\tin\tpass\te1\t12\t[a] b\t${FLAT_UPTIME}\n`],
    [
      'verbose beats quiet',
      { ...usual, verbose: true, quiet: true },
      `force\tin\tpass\te1\t12\t[a] b\t${FLAT_UPTIME}\n`,
    ],
    ['header', { ...usual, header: true, format: 'csv' }, 'edgename,duration\ne1,12\n'],
    ['header, quiet', { ...usual, header: true, quiet: true }, 'edgename\ne1\n'],
    [
      'header, verbose',
      { ...usual, header: true, verbose: true, format: 'csv' },
      `mode,state,health,edgename,duration,comment,up,up_duration,transitions,downtime,position,last_failure\nforce,in,pass,e1,12,[a] b,${CSV_UPTIME}\n`,
    ],
    ['json', { ...usual, format: 'json', header: true }, '{"edge": "e1", "time_since_state_change": "12"}\n'],
    ['json, quiet', { ...usual, format: 'json', quiet: true }, '{"edge": "e1"}\n'],
    [
      'json, verbose',
      { ...usual, format: 'json', verbose: true },
      `{"edge": "e1", "time_since_state_change": "12", "health": "pass", "state": "in", "up": false, "up_since": ${NOW - 7.5}, "transitions": [{"at": ${NOW - 7.5}, "up": false}], "downtime_last_day": 7.5, "last_failure": {"at": ${NOW - 3.6}, "reason": "exit", "check": "disk", "detail": "status 2: full,\\tor\\nnearly"}, "position": {"count": 1, "of": 2, "towards": "up"}}\n`,
    ],
  ] as const)('%s', (_, style, expected) => {
    expect(printRows([ROW], style)).toBe(expected);
  });

  test('a comment that another program stored makes no line and no order to a terminal', () => {
    const row = { ...ROW, comment: 'ok\nforce\tin\u001b[2J\u202egpj' };
    const text = printRows([row], { format: 'flat', quiet: false, verbose: true, header: false });
    expect(text.split('\n')).toHaveLength(2);
    expect(text.split('\t')[5]).toBe('ok force in [2J gpj');
  });

  test('where the network has several checks, the one that decided is named', () => {
    const rows = [ROW, { ...ROW, edge: 'e2', comment: '', check: 'web' }];
    const flat = printRows(rows, { ...usual, verbose: true, header: true }).split('\n');
    expect(flat[0]).toMatch(/\tlast_failure\tcheck$/);
    expect(flat[1]).toBe(`force\tin\tpass\te1\t12\t[a] b\t${FLAT_UPTIME}\t`);
    expect(flat[2]).toBe(`force\tin\tpass\te2\t12\t\t${FLAT_UPTIME}\tweb`);
    const lines = printRows(rows, { ...usual, format: 'json', verbose: true })
      .trim()
      .split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { check?: string }).check)).toEqual([undefined, 'web']);
    expect(printRows(rows, { ...usual, quiet: true })).toBe('e1\ne2\n');
  });

  test('where the network has `checks:`, JSON has the samples of each', () => {
    const at = NOW - 400;
    const record: EdgeRecord = {
      ...FETCHED,
      series: new Map([
        ['n', { times: [NOW], seconds: [0.5] }],
        ['n/web', { times: [at, NOW], seconds: [0.2, 0.4] }],
      ]),
    };
    const rows = [rowOf('e1', record, 'n', NOW, 60, ['web', 'ping']), rowOf('e2', record, 'n', NOW, 60, ['only'])];
    const lines = printRows(rows, { ...usual, format: 'json', verbose: true })
      .trim()
      .split('\n');
    const newest = [
      [at, 0.2],
      [NOW, 0.4],
    ];
    expect(lines.map((line) => (JSON.parse(line) as { series?: unknown }).series)).toEqual([
      {
        web: { samples: 2, last: 0.4, window_average: 0.4, average: 0.3, newest },
        ping: { samples: 0, last: null, window_average: null, average: null, newest: [] },
      },
      { only: { samples: 1, last: 0.5, window_average: 0.5, average: 0.5, newest: [[NOW, 0.5]] } },
    ]);
    expect(printRows(rows, { ...usual, format: 'json' })).not.toContain('series');
  });

  test('one that others have fetched and this network has not is unknown', () => {
    const own = { state: 'in', stateSince: NOW, health: 'pass', seen: NOW } as const;
    const record: EdgeRecord = { ...FETCHED, networks: new Map([['other', own]]) };
    expect(rowOf('e', record, 'n', NOW, 60, ['web']).health).toBe('unknown');
    expect(rowOf('e', record, 'n', NOW, 60).health).toBe('pass_threshold');
  });

  test('no header without a row', () => {
    expect(printRows([], { ...usual, header: true })).toBe('');
  });
});

describe('the command', () => {
  let site: Installation;
  beforeAll(async () => {
    site = await Installation.make({ edges: ['a.test', 'b.test', 'c.test', 'd.test'] });
    const live: EdgeRecord = { ...FETCHED, state: 'in', stateSince: 0 };
    await site.write('health/a.test.edgestore', printEdgeRecord(live));
    const over: EdgeRecord = { ...FETCHED, health: 'fail', mode: 'force', modeUntil: NOW, comment: '[a] b' };
    await site.write('health/b.test.edgestore', printEdgeRecord(over));
    await site.write('health/d.test.edgestore', '{"fetch_times":');
  });
  afterAll(() => site.remove());

  test('lists in list order; an unreadable record is told apart and passed over', async () => {
    const { status, stdout, stderr } = await site.run('edge_query', ['-v', '-f', 'csv']);
    const lines = stdout.split('\n').map((line) => line.replace(/,\d{8,},/, ',LONG,'));
    expect(lines).toEqual([
      'available,in,pass_threshold,a.test,LONG,,unknown,-1,0,0,-,-',
      'available,out,fail,b.test,-1,,unknown,-1,0,0,-,-', // its mode was over
      'available,out,unknown,c.test,-1,,unknown,-1,0,0,-,-',
      '',
    ]);
    expect(stderr).toContain('health/d.test.edgestore');
    expect(status).toBe(0);
    expect(await site.list('health')).toEqual(['a.test.edgestore', 'b.test.edgestore', 'd.test.edgestore']);
  });

  test('filters', async () => {
    expect((await site.run('edge_query', ['-H', 'allpass', '-s', 'in', '-q'])).stdout).toBe('a.test\n');
  });

  test('an edge stands as often as it is listed', async () => {
    await site.write(`edges/${NETWORK}`, 'a.test\n#b.test\nc.test\na.test\n');
    expect((await site.run('edge_query', ['-q'])).stdout).toBe('a.test\nc.test\na.test\n');
  });

  test.each([
    ['an unknown health', ['-H', 'good']],
    ['an unknown format', ['-f', 'xml']],
    ['an unknown option', ['--colour']],
  ])('%s ends with status 2', async (_, args) => {
    const { status, stdout, stderr } = await site.run('edge_query', args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).not.toBe('');
  });
});
