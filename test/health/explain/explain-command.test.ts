import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { explainCommand } from '../../../src/cli/explain.ts';
import { replayCommand } from '../../../src/cli/replay.ts';
import { decideFacts } from '../../../src/health/choose/decide.ts';
import type { ReplayRules } from '../../../src/health/explain/replay.ts';
import { replaySettings } from '../../../src/health/explain/replay-settings.ts';
import { pastMoment } from '../../../src/health/modes/past-moment.ts';
import { appendRound, historyLogPath } from '../../../src/health/state/history-log.ts';
import { recordStory } from '../../support/recorded-story.ts';
import { NOW } from '../../support/round-input.ts';

let folder: string;
let config: string;
let out: string[];
let err: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgewise-explain-'));
  config = join(folder, 'edgemanage.yaml');
  for (const name of ['edges', 'zones', 'health']) await mkdir(join(folder, name));
  await writeFile(join(folder, 'object'), 'x');
  await writeFile(config, CONFIG);
  const story = [
    { fetches: { 'a.example': 0.1, 'b.example': 0.2 } },
    { fetches: { 'a.example': 0.9, 'b.example': 0.2 } },
    { fetches: { 'a.example': 10, 'b.example': 0.2 } },
  ];
  for (const { facts } of recordStory(story, { edgeCount: 1 })) {
    await appendRound(historyLogPath(folder, 'net'), facts, decideFacts(facts));
  }
  out = [];
  err = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => err.push(String(text)) > 0);
});
afterEach(async () => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  await rm(folder, { recursive: true });
});

const CONFIG = `
testobject: {host: www.example.com, port: 80, proto: http, uri: /x, local: object, verify: false}
dns:
  ns_records: [ns1.example.com.]
  soa_nameserver: ns1.example.com.
  soa_mailbox: hostmaster.example.com.
goodenough: 0.7
workers: 10
edge_count: 1
dnet_edge_count: {}
edgelist_dir: edges
healthdata_store: health
zonetemplate_dir: zones
named_dir: null
logpath: null
lockfile: lock
statefile: "{dnet}.state"
`;

const explain = (...args: string[]) =>
  explainCommand()
    .exitOverride()
    .parseAsync(['-A', 'net', '-c', config, ...args], { from: 'user' });
const replay = (...args: string[]) =>
  replayCommand()
    .exitOverride()
    .parseAsync(['-A', 'net', '-c', config, ...args], { from: 'user' });

describe('explain', () => {
  test('the newest round', async () => {
    await explain();
    expect(err).toEqual([]);
    expect(out.join('')).toMatch(
      /^network test, round of 2023-11-14T22:15:20Z \(\d+ s ago\): 1 of 1 wanted edges live/,
    );
  });

  test('one edge with its samples', async () => {
    await explain('a.example');
    expect(out.join('').match(/connect 1\.0 ms/g)).toHaveLength(3);
    expect(out.join('')).not.toContain('  b.example:');
  });

  test.each([
    ['at its moment', `${NOW + 60}`, '22:14:20Z'],
    ['between two rounds', `${NOW + 119}`, '22:14:20Z'],
    ['as a date', '2023-11-14T22:13:20Z', '22:13:20Z'],
  ])('an earlier round, %s', async (_, at, shown) => {
    await explain('--at', at);
    expect(out.join('')).toContain(`round of 2023-11-14T${shown}`);
  });

  test('as JSON', async () => {
    await explain('b.example', '--json');
    expect(JSON.parse(out.join(''))).toMatchObject({ live: ['b.example'], edges: [{ edge: 'b.example', live: true }] });
  });

  test.each([
    [
      'before anything was recorded',
      ['--at', `${NOW - 1}`],
      /^error: no round of network net up to 2023-11-14T22:13:19Z is recorded in /,
    ],
    [
      'an unknown edge',
      ['z.example'],
      /^error: network net has no edge or canary "z\.example" in the round of 2023-11-14T22:15:20Z\n$/,
    ],
    ['a time that is none', ['--at', 'noon'], /^error: --at "noon" is not a time\n$/, 2],
    ['an unknown network', ['-A', 'other'], /^error: no round of network other is recorded/],
    [
      'a network that leads out of the folder',
      ['-A', '../net'],
      /^error: "\.\.\/net" cannot be the name of a network\n$/,
    ],
  ])('%s: one line and a status', async (_, args, line, status = 1) => {
    await explain(...args);
    expect(err.join('')).toMatch(line);
    expect(out).toEqual([]);
    expect(process.exitCode).toBe(status);
  });

  test('a record that cannot be read: one line and status 1', async () => {
    await mkdir(historyLogPath(folder, 'folder'));
    await explain('-A', 'folder');
    await replay('-A', 'folder');
    expect(err.join('')).toMatch(
      /^error: .*folder\.rounds\.jsonl cannot be read: .*EISDIR.*\nerror: .* cannot be read: .*EISDIR.*\n$/,
    );
    expect(process.exitCode).toBe(1);
  });

  test('a broken configuration: its faults and status 1', async () => {
    await writeFile(config, `${CONFIG}goodenough_: 1\n`);
    await explain();
    expect(err.join('')).toContain(`${config}:`);
    expect(process.exitCode).toBe(1);
  });
});

describe('replay', () => {
  test('under the recorded settings', async () => {
    await replay();
    expect(out.join('')).toContain('live set differs in 0 of 3 rounds');
  });

  test('under others, in a span', async () => {
    await replay('--set', 'goodenough=1', '--since', `${NOW + 1}`, '--until', `${NOW + 60}`, '--json');
    expect(JSON.parse(out.join(''))).toMatchObject({
      rounds: 1,
      since: NOW + 60,
      differingRounds: 1,
      differences: [{ recorded: ['b.example'], replayed: ['a.example'], why: { 'a.example': expect.any(String) } }],
    });
  });

  test.each([
    [
      'a bad setting',
      ['--set', 'goodenough=fast', 'speed=1'],
      2,
      /^error: --set goodenough must be .*\nerror: --set "speed" cannot be replayed; can be set: goodenough, /,
    ],
    [
      'a goodenough that no recorded fetch could miss',
      ['--set', 'goodenough=12'],
      2,
      /^error: --set goodenough 12 must be less than the timeout 10 of the round of 2023-11-14T22:13:20Z\n$/,
    ],
    [
      'a timeout that is no longer than the recorded goodenough',
      ['--set', 'timeout=0.7'],
      2,
      /^error: --set timeout 0.7 must be over the goodenough 0.7 of the round of 2023-11-14T22:13:20Z\n$/,
    ],
    ['nothing recorded then', ['--until', `${NOW - 1}`], 1, /^error: no round of network net is recorded/],
    ['a time that is none', ['--since', 'yore'], 2, /^error: --since "yore" is not a time\n$/],
  ])('%s', async (_, args, status, line) => {
    await replay(...args);
    expect(err.join('')).toMatch(line);
    expect(process.exitCode).toBe(status);
  });
});

describe('settings to replay', () => {
  test('all at once', () => {
    expect(
      replaySettings(['goodenough=.5', 'timeout=8', 'edge_count=3', 'dnschange_maxfreq=2', 'canary_killer=0']),
    ).toEqual({
      ok: true,
      rules: { goodenough: 0.5, timeout: 8, edgeCount: 3, maxfreq: 2, canaryKiller: 0 },
    });
  });

  test.each<[readonly string[], ReplayRules]>([
    [['rise=2', 'fall=3'], { judge: { kind: 'rise_fall', rise: 2, fall: 3 } }],
    [['judge=goodenough'], { judge: { kind: 'goodenough' } }],
    [['min_up=50%', 'below=all'], { safety: { minUp: { value: 50, percent: true }, below: 'all' } }],
    [['min_up=2'], { safety: { minUp: { value: 2, percent: false } } }],
    [['min_up=none', 'hold_up=none'], { safety: { minUp: null, holdUp: null } }],
    [['fill=none', 'hold_up=60'], { safety: { fill: 'none', holdUp: 60 } }],
  ])('judges and safety rules: %s', (words, rules) => {
    expect(replaySettings(words)).toEqual({ ok: true, rules });
  });

  test.each([
    [['rise=2'], 'rise and fall must be set together'],
    [['rise=0', 'fall=1'], 'rise must be a number of at least 1, not "0"'],
    [['judge=rise_fall'], 'judge must be goodenough, or rise and fall, not "rise_fall"'],
    [['judge=goodenough', 'rise=1', 'fall=1'], 'judge=goodenough counts no results: leave out rise and fall'],
    [['below=fallback:spare'], 'below: a fallback cannot be replayed; expected keep or all'],
    [['fill=all'], 'fill: expected failing or none'],
    [['min_up=101%'], 'min_up: expected a number of edges, 1 to 100000, or a share of them such as "50%"'],
    [['hold_up=0'], 'hold_up: expected seconds, greater than 0, at most 3600'],
  ])('refuses %s', (words, problem) => {
    expect(replaySettings(words)).toEqual({ ok: false, problems: [problem] });
  });

  test.each([
    'goodenough',
    'goodenough=',
    'goodenough=0',
    'goodenough=-1',
    'edge_count=0',
    'edge_count=1.5',
    'dnschange_maxfreq=0',
    'retry=1',
    'timeout=1e3',
  ])('refuses %s', (word) => {
    expect(replaySettings([word])).toMatchObject({ ok: false, problems: [expect.any(String)] });
  });

  test('refuses a goodenough that no fetch could miss', () => {
    expect(replaySettings(['goodenough=5', 'timeout=5'])).toEqual({
      ok: false,
      problems: ['goodenough 5 must be less than timeout 5'],
    });
  });
});

test.each([
  ['10m', NOW - 600],
  ['2h ago', NOW - 7200],
  ['1h30m', NOW - 5400],
  [`${NOW}`, NOW],
  ['2023-11-14T22:13:20Z', NOW],
  ['noon', null],
])('a past moment: %s', (text, at) => {
  expect(pastMoment(text, NOW)).toBe(at);
});

test('a time of day is the last one', () => {
  const at = pastMoment('13:37', NOW) ?? Number.NaN;
  expect(NOW - at).toBeGreaterThanOrEqual(0);
  expect(NOW - at).toBeLessThan(86_400);
  expect(new Date(at * 1000).getHours() * 60 + new Date(at * 1000).getMinutes()).toBe(13 * 60 + 37);
});
