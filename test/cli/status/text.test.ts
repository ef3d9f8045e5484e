import { expect, test } from 'vitest';
import { statusText } from '../../../src/cli/status/text.ts';
import type { PublishJson, SecondaryJson, StatusJson } from '../../../src/server/control/api/json.ts';

const STATUS = {
  status: 'ok',
  ready: true,
  reasons: [],
  warnings: [],
  version: '1.0.0',
  uptime_seconds: 5,
  started_at: 0,
  networks: [],
  zones: { ok: 2, stale: 0, broken: 0 },
  tls_certificate_ends: null,
  dns: { queries: 0, answers: {}, dropped: 0, rate_limited: 0 },
} as const satisfies StatusJson;
const row = (zone: string, over: Partial<SecondaryJson>): SecondaryJson => ({
  secondary: '127.0.0.1:53',
  zone,
  network: null,
  serial: 7,
  our_serial: 7,
  state: 'current',
  lag_seconds: 0,
  checked_at: 1,
  error: null,
  ...over,
});

test.each<[string, readonly SecondaryJson[], readonly (string | RegExp)[]]>([
  ['all current', [row('a.test', {}), row('b.test', {})], ['secondary 127.0.0.1:53: 2 zones, has every serial']],
  [
    'one behind',
    [row('a.test', {}), row('b.test', { serial: 6, state: 'behind', lag_seconds: 4 })],
    ['secondary 127.0.0.1:53: 2 zones, lacks 1, for 4 s', '  b.test: has 6, behind 7 for 4 s'],
  ],
  [
    'one ahead',
    [row('a.test', { serial: 9, state: 'ahead', lag_seconds: 4 })],
    [
      'secondary 127.0.0.1:53: 1 zones, lacks 1, for 4 s, 1 of them ahead of us',
      /^ {2}a\.test: has 9, ahead of our 7 for 4 s; let it fetch the zone anew there: rndc retransfer, /,
    ],
  ],
  [
    'one silent',
    [row('a.test', { serial: null, state: 'unknown', lag_seconds: null, error: 'no answer' })],
    ['secondary 127.0.0.1:53: 1 zones, lacks 1', '  a.test: never answered (no answer)'],
  ],
])('the secondaries, %s', (_, secondaries, expected) => {
  const lines = statusText({ status: STATUS, networks: [], secondaries, publish: [] }, false, 10)
    .trimEnd()
    .split('\n')
    .slice(2);
  expect(lines).toHaveLength(expected.length);
  for (const [i, line] of expected.entries()) {
    if (typeof line === 'string') expect(lines[i]).toBe(line);
    else expect(lines[i]).toMatch(line);
  }
});

test('a target at a provider', () => {
  const target: PublishJson = {
    target: 'cloudflare example.org',
    provider: 'cloudflare',
    network: 'mynet',
    names: ['cloud.example.org'],
    state: 'failing',
    since: 4,
    last_right: null,
    problem: 'the token is refused',
    corrections: 0,
    failures: 3,
    foreign_changes: 0,
    sets: [],
  };
  const text = (row: PublishJson): string =>
    statusText({ status: STATUS, networks: [], secondaries: [], publish: [row] }, false, 10).split('\n')[2];
  expect(text(target)).toBe(
    'publish cloudflare example.org (cloud.example.org): failing for 6 s, never seen right: the token is refused',
  );
  expect(text({ ...target, state: 'right', last_right: 8, problem: null })).toBe(
    'publish cloudflare example.org (cloud.example.org): right for 6 s, last seen right 2 s ago',
  );
});
