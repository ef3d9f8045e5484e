import { expect, test } from 'vitest';
import type { Answers } from '../../../src/cli/status/answers.ts';
import { plainText } from '../../../src/cli/status/styled.ts';
import { clock, watchLines } from '../../../src/cli/status/watch-lines.ts';
import { answered, unanswered, unknownState, type WatchState } from '../../../src/cli/status/watch-state.ts';
import type { EdgeJson, NetworkJson } from '../../../src/server/control/api/json.ts';
import { ANSWERS, NOW, STATUS } from './answers-fixture.ts';

const BASE = 'http://127.0.0.1:8053';
const VIEW = { filter: '', sort: 'name', all: false } as const;

function textOf(state: WatchState, view: Parameters<typeof watchLines>[1] = VIEW): string {
  const { head, body } = watchLines(state, view, NOW + 12);
  return [...head, ...body].map((line) => plainText(line).trimEnd()).join('\n');
}

function shown(over: Partial<Answers>, view: Parameters<typeof watchLines>[1] = VIEW): string {
  return textOf(answered(unknownState(BASE), { ...ANSWERS, ...over }, NOW), view);
}

function edge(over: Partial<EdgeJson>): EdgeJson {
  return { ...ANSWERS.networks[0].edges[1], ...over };
}

function network(over: Partial<NetworkJson>): NetworkJson {
  return { ...ANSWERS.networks[0], ...over };
}

test('a network: live and wanted, serial, and a row an edge and canary', () => {
  const text = shown({});
  expect(text).toContain(`Edgewise 1.0.0  ok  up 50 s  zones: 2 ok, 0 stale, 0 broken  at ${BASE}`);
  expect(text).toContain(`network net-a  1 of 2 live  serial ${NOW - 4}`);
  expect(text).toContain('  ! 1 of 2 wanted edges');
  expect(text).toMatch(/^ {2}e1 +live +- +- +pass_threshold +- +0\.200 +0\.300 +-$/m);
  expect(text).toMatch(/^ {2}e2 +- +- +down 65 s \(1\/2 up\) +fail +L7TOUT +10\.0 +1\.000 +/m);
  expect(text).toMatch(/^ {2}192\.0\.2\.9 \(canary of example\.test\) +for e1 +/m);
});

test.each<[string, Partial<NetworkJson>, string]>([
  [
    'held',
    { hold: { until: NOW + 60, recent: 10, limit: 10, wanted: [], failing: ['e1'] } },
    'HELD for 60 s (10 of 10 changes, 1 live edges fail)',
  ],
  ['overdue', { round: { ...ANSWERS.networks[0].round, overdue: true } }, 'OVERDUE'],
  ['nothing that is fit', { outcome: 'empty' }, 'NO EDGE IS FIT'],
  [
    'a suspect',
    { edges: [edge({ suspect: true, says: [{ vantage: 'v2', up: false, detail: '' }] })] },
    '? e2 is suspect: v2 see it down',
  ],
  [
    'a mode with comment and end',
    { edges: [edge({ mode: 'force', comment: 'new disk', mode_until: NOW + 600 })] },
    '10 min left "new disk"',
  ],
])('%s is said', (_, over, words) => {
  expect(shown({ networks: [network(over)] })).toContain(words);
});

test('80 columns show what decides: mode and failure of an edge with a long name, and whether the server is well', () => {
  const forced = edge({ edge: '2001:db8:1111:2222::3333', state: 'in', mode: 'force', judgement: 'fail' });
  const narrow = shown({ networks: [network({ edges: [forced], canaries: [] })] })
    .split('\n')
    .map((text) => text.slice(0, 80))
    .join('\n');
  expect(narrow).toMatch(/^ {2}2001:\S+ +live +force +down .*fail .*L7TOUT/m);
  expect(narrow).toMatch(/^Edgewise 1\.0\.0 {2}ok .*, 0 broken/);
});

test('forced in and really failing: both are in its row', () => {
  const forced = edge({ edge: 'e9', state: 'in', mode: 'blindforce', judgement: 'fail' });
  expect(shown({ networks: [network({ edges: [forced] })] })).toMatch(/^ {2}e9 +live +blindforce .*fail .*L7TOUT/m);
});

test.each([
  ['name', ['a', 'b', 'c']],
  ['failing first', ['c', 'b', 'a']],
  ['slowest first', ['b', 'c', 'a']],
] as const)('sorted by %s', (sort, order) => {
  const edges = [
    edge({ edge: 'a', judgement: 'pass', fail: null, last: 0.1 }),
    edge({ edge: 'b', judgement: 'fail', state: 'out', last: 3 }),
    edge({ edge: 'c', judgement: 'fail', state: 'in', last: 2 }),
  ];
  const text = shown({ networks: [network({ edges, canaries: [] })] }, { ...VIEW, sort });
  expect([...text.matchAll(/^ {2}([abc]) /gm)].map(([, name]) => name)).toEqual(order);
});

test('the filter takes a part of a network name, in any case', () => {
  const networks = [network({ network: 'Alpha' }), network({ network: 'beta' })];
  const text = shown({ networks }, { ...VIEW, filter: 'ALP' });
  expect(text).toContain('network Alpha');
  expect(text).not.toContain('network beta');
});

test('zones that do not load, secondaries that are behind, providers that fail, vantages: only what is not well', () => {
  const zone = {
    zone: 'b.test',
    network: null,
    state: 'broken',
    serial: null,
    records: 0,
    file: '/b',
    loaded_at: null,
    signatures_end: null,
  } as const;
  const row = {
    secondary: '127.0.0.1:53',
    zone: 'b.test',
    network: null,
    our_serial: 7,
    checked_at: 1,
    error: null,
  } as const;
  const target = {
    provider: 'rfc2136',
    network: 'net-a',
    names: ['www'],
    since: NOW,
    last_right: null,
    corrections: 0,
    failures: 1,
    foreign_changes: 0,
    sets: [],
  } as const;
  const text = shown({
    zones: [
      { ...zone, faults: ['/b:1:1: no SOA\nline\n^'] },
      { ...zone, zone: 'a.test', state: 'ok', faults: [] },
    ],
    secondaries: [
      { ...row, serial: 6, state: 'behind', lag_seconds: 4 },
      { ...row, secondary: '127.0.0.2:53', serial: 7, state: 'current', lag_seconds: 0 },
    ],
    publish: [
      { ...target, target: 'one', state: 'failing', problem: 'REFUSED' },
      { ...target, target: 'two', state: 'right', problem: null },
    ],
    vantage: {
      engine: 'peers',
      vantage: 'v1',
      now: NOW,
      connected: null,
      decider: null,
      override: { reason: 'line cut', by: 'ann', at: NOW - 60, until: null },
      vantages: [
        {
          vantage: 'v1',
          is_self: true,
          reachable: true,
          last_heard: null,
          version: null,
          clock_offset: null,
          problem: null,
        },
        {
          vantage: 'v2',
          is_self: false,
          reachable: false,
          last_heard: 90,
          version: null,
          clock_offset: null,
          problem: 'no route',
        },
      ],
      networks: [],
      faults: [],
    },
  });
  expect(text).toContain('zone b.test: broken, /b:1:1: no SOA');
  expect(text).not.toContain('a.test:');
  expect(text).toContain('secondary 127.0.0.1:53: 1 zones, lacks 1, for 4 s');
  expect(text).not.toContain('127.0.0.2');
  expect(text).toContain('publish one (www): failing');
  expect(text).not.toContain('publish two');
  expect(text).toMatch(/^ {2}v2 +NOT REACHABLE +90 s ago +no route$/m);
  expect(text).toContain('OVERRIDE by ann for 60 s: line cut');
});

test('ten thousand broken zones are some lines', () => {
  const zones = Array.from({ length: 10_000 }, (_, i) => ({
    zone: `z${i}.test`,
    network: null,
    state: 'broken' as const,
    serial: null,
    records: 0,
    file: '',
    loaded_at: null,
    signatures_end: null,
    faults: [],
  }));
  const lines = shown({ zones }).split('\n');
  expect(lines.length).toBeLessThan(100);
  expect(lines.at(-1)).toBe('and 9950 more zones');
});

test('control characters of names, comments and reasons never arrive', () => {
  const evil = '\u001b[2J\u009b\r\nx\u202e';
  const all = shown({
    status: { ...STATUS, status: 'failing', reasons: [evil], warnings: [evil], version: evil },
    networks: [network({ network: evil, notes: [evil], edges: [edge({ edge: evil, comment: evil, mode: 'force' })] })],
    zones: [
      {
        zone: evil,
        network: null,
        state: 'broken',
        serial: null,
        records: 0,
        file: evil,
        loaded_at: null,
        signatures_end: null,
        faults: [evil],
      },
    ],
    secondaries: [
      {
        secondary: evil,
        zone: evil,
        network: null,
        serial: 1,
        our_serial: 2,
        state: 'behind',
        lag_seconds: 1,
        checked_at: 1,
        error: evil,
      },
    ],
  });
  expect(all.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
  expect(textOf(unanswered(unknownState(evil), evil, NOW)).replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
});

test('queries a second are the difference of two looks; a server that began anew has none yet', () => {
  const first = answered(unknownState(BASE), ANSWERS, NOW);
  const dns = { queries: 150, answers: { NOERROR: 130, NXDOMAIN: 20 }, dropped: 4, rate_limited: 0 };
  expect(textOf(first)).toContain('queries: 100 since the start');
  const second = answered(first, { ...ANSWERS, status: { ...STATUS, dns } }, NOW + 2);
  expect(textOf(second)).toContain('queries: 25/s  NOERROR 20/s  NXDOMAIN 5.0/s  dropped 2.0/s');
  const anew = answered(second, { ...ANSWERS, status: { ...STATUS, started_at: NOW } }, NOW + 4);
  expect(textOf(anew)).toContain('queries: 100 since the start');
});

test('a server of an earlier version counts nothing', () => {
  const { dns: _, ...status } = STATUS;
  expect(shown({ status })).not.toContain('queries');
});

test('a server that is away: since when, why, and what it said last', () => {
  const known = answered(unknownState(BASE), ANSWERS, NOW);
  const away = unanswered(unanswered(known, 'ECONNRESET', NOW + 2), 'ECONNREFUSED', NOW + 4);
  const text = textOf(away);
  expect(text).toContain(`NO ANSWER since ${clock(NOW + 2)} (10 s); below: as at ${clock(NOW)}: ECONNREFUSED`);
  expect(text).toContain('network net-a');
  expect(textOf(answered(away, ANSWERS, NOW + 6))).not.toContain('NO ANSWER');
});
