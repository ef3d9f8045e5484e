import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, utimes } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Installation, NETWORK } from '../support/installation.ts';

/** The checks as Nagios runs them: copied out of the project into a folder of their own. */

const SOURCE = join(import.meta.dirname, '..', '..', 'nagios');
const NOW = Date.now() / 1000;
const ANSWER = {
  network: NETWORK,
  wanted: 3,
  live: [{ edge: 'a' }, { edge: 'b' }],
  hold: { until: NOW + 60, wanted: ['c'] },
  edges: [
    { edge: 'a', state: 'in', last: 0.25 },
    { edge: 'b', state: 'in', last: 3 },
    { edge: 'c', state: 'out', last: 9 },
    { edge: 'd', state: 'in', last: null },
  ],
  rotations: { last_600s: 1, times: [NOW - 5000, NOW - 10] },
  verification_failures: ['c', 'x|y'],
  round: { last_run: NOW - 5, run_frequency: 60 },
};

let folder: string;
let site: Installation;
let server: Server;
let base: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgewise-nagios-'));
  await cp(SOURCE, folder, { recursive: true });
  site = await Installation.make({ edges: ['a', 'b', 'c'] });
  const recent = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => NOW - 500 + i);
  const state = (value: object): string => JSON.stringify(value);
  await site.write(
    'quiet.state',
    state({ rotation_list: [NOW - 700], last_run: NOW - 10, last_live: ['a', 'b'], verification_failures: [] }),
  );
  await site.write(
    'busy.state',
    state({ rotation_list: recent(4), last_run: NOW - 200, last_live: [], verification_failures: ['a', 'b'] }),
  );
  await site.write('wild.state', state({ rotation_list: recent(8), last_run: NOW - 700 }));
  await site.write('broken.state', '{"rotation_list": [');
  const store = (seconds: number, state_: string): string =>
    state({ fetch_times: { [`${Math.floor(NOW)}.50`]: seconds, '999999999.10': 9.5 }, state: state_ });
  await site.write('health/a.edgestore', store(0.25, 'in'));
  await site.write('health/b.edgestore', store(1.2, 'in'));
  await site.write('health/c.edgestore', store(6, 'out'));

  for (const [name, secondaries] of Object.entries(SECONDARIES)) {
    await site.write(`${name}.json`, JSON.stringify({ secondaries }));
  }

  server = createServer((request, response) => {
    const asked = /^\/(\w+)\/api\/v1\/secondaries$/.exec(request.url ?? '')?.[1];
    const rows = asked === undefined ? undefined : SECONDARIES[asked];
    if (rows !== undefined) response.end(JSON.stringify({ secondaries: rows }));
    else if (request.url === '/silent/api/v1/networks/mynet') return;
    else if (request.url?.startsWith('/endless/') === true) pourOut(response);
    else if (request.url === '/text/api/v1/networks/mynet') response.end('hello');
    else if (request.url === '/empty/api/v1/networks/mynet') response.end('{}');
    else if (request.url === `/api/v1/networks/${NETWORK}`) response.end(JSON.stringify(ANSWER));
    else response.writeHead(404).end('{"error":"not found"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  base = bound !== null && typeof bound === 'object' ? `http://127.0.0.1:${bound.port}` : '';
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await site.remove();
  await rm(folder, { recursive: true });
});

/** A body without end, as fast as it is read. */
function pourOut(response: ServerResponse): void {
  const piece = Buffer.alloc(1 << 20, 'x');
  const more = (): void => {
    while (!response.destroyed && response.write(piece));
  };
  response.on('drain', more);
  more();
}

/** `STATUS output`. `@name` is a file of the installation, `URL` the server's address. */
function run(name: string, line: string): Promise<string> {
  const args = line
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => word.replace(/^@(?=[a-z])/, `${site.folder}/`).replace('URL', base));
  return new Promise((resolve) => {
    const child = execFile(join(folder, `check_edgewise_${name}`), args, (_, stdout, stderr) => {
      resolve(`${child.exitCode} ${stdout}${stderr}`.trimEnd());
    });
  });
}

/** Ages and addresses differ from run to run. */
const plain = (text: string): string => text.replace(/\b\d+\.\d(?=s;| seconds)/g, 'AGE').replaceAll(base, 'URL');

const ROWS: readonly (readonly [string, string, string])[] = [
  ['rotation', '@quiet.state', '0 EDGE_ROTATE OK 0 in 600 seconds | frequency=0;3;7;0'],
  ['rotation', '@busy.state', '1 EDGE_ROTATE WARN 4 in 600 seconds | frequency=4;3;7;0'],
  ['rotation', '@wild.state', '2 EDGE_ROTATE CRIT 8 in 600 seconds | frequency=8;3;7;0'],
  ['rotation', '-w 10 -c ~:20 @wild.state', '0 EDGE_ROTATE OK 8 in 600 seconds | frequency=8;10;~:20;0'],
  [
    'rotation',
    '--warning=@8:9 --critical 20 @wild.state',
    '1 EDGE_ROTATE WARN 8 in 600 seconds | frequency=8;@8:9;20;0',
  ],
  ['rotation', '-w2.5 -c.5: @quiet.state', '2 EDGE_ROTATE CRIT 0 in 600 seconds | frequency=0;2.5;.5:;0'],
  ['rotation', '-u URL -A mynet', '0 EDGE_ROTATE OK 1 in 600 seconds | frequency=1;3;7;0'],
  ['integrity', '@quiet.state', '0 EDGE_TESTMATCH OK All edges returning successfully | notok=0;0;0;0'],
  ['integrity', '@busy.state', '2 EDGE_TESTMATCH CRIT Verification failures on 2 edges: a, b | notok=2;0;0;0'],
  ['integrity', '-c 2 @busy.state', '1 EDGE_TESTMATCH WARN Verification failures on 2 edges: a, b | notok=2;0;2;0'],
  ['integrity', '@wild.state', '3 EDGE_TESTMATCH UNKNOWN no verification data logged'],
  ['integrity', '-u URL -A mynet', '2 EDGE_TESTMATCH CRIT Verification failures on 2 edges: c, x y | notok=2;0;0;0'],
  [
    'latency',
    '-A mynet -c @edgemanage.yaml',
    '0 ACTIVE_EDGE_LATENCY OK Slowest active edge responded in 1.200000: b | slowestactive=1.200000s;2;4;0',
  ],
  [
    'latency',
    '-A mynet -c @edgemanage.yaml -a',
    '2 ACTIVE_EDGE_LATENCY CRIT Slowest edge responded in 6.000000: c | slowestactive=6.000000s;2;4;0',
  ],
  [
    'latency',
    '-A mynet -c @edgemanage.yaml -w 1 -C 2',
    '1 ACTIVE_EDGE_LATENCY WARN Slowest active edge responded in 1.200000: b | slowestactive=1.200000s;1;2;0',
  ],
  [
    'latency',
    '-A mynet -u URL',
    '1 ACTIVE_EDGE_LATENCY WARN Slowest active edge responded in 3.000000: b | slowestactive=3.000000s;2;4;0',
  ],
  ['live', '@quiet.state', '0 EDGE_LIVE OK 2 edges live: a, b | live=2;1:;1:;0;'],
  ['live', '-n 3 @quiet.state', '1 EDGE_LIVE WARN 2 of 3 edges live: a, b | live=2;3:;1:;0;3'],
  ['live', '@busy.state', '2 EDGE_LIVE CRIT 0 edges live | live=0;1:;1:;0;'],
  [
    'live',
    '-u URL/api/v1/networks/mynet',
    '1 EDGE_LIVE WARN 2 of 3 edges live, held by the rotation limit: a, b | live=2;3:;1:;0;3',
  ],
  ['freshness', '@quiet.state', '0 EDGE_FRESHNESS OK last round AGE seconds ago | age=AGEs;180;600;0'],
  ['freshness', '@busy.state', '1 EDGE_FRESHNESS WARN last round AGE seconds ago | age=AGEs;180;600;0'],
  ['freshness', '@wild.state', '2 EDGE_FRESHNESS CRIT last round AGE seconds ago | age=AGEs;180;600;0'],
  ['freshness', '-u URL/ -A mynet', '0 EDGE_FRESHNESS OK last round AGE seconds ago | age=AGEs;180;600;0'],
];

describe('each check', () => {
  test.concurrent.each(ROWS)('%s %s', async (name, args, expected) => {
    expect(plain(await run(name, args))).toBe(expected);
  });
});

const row = (secondary: string, zone: string, lag: number | null, error: string | null = null): object => ({
  secondary,
  zone,
  network: zone.startsWith('o') ? 'other' : NETWORK,
  serial: lag === null ? null : 7,
  our_serial: 9,
  lag_seconds: lag,
  checked_at: NOW,
  error,
});
/** What `/api/v1/secondaries` answers in the rows below. */
const SECONDARIES: Readonly<Record<string, readonly object[]>> = {
  well: [row('192.0.2.1:53', 'a.test', 0), row('192.0.2.2:53', 'a.test', 0)],
  behind: [row('192.0.2.1:53', 'a.test', 12.34), row('192.0.2.2:53', 'a.test', 3), row('192.0.2.2:53', 'o.test', 99)],
  silent: [row('192.0.2.1:53', 'a.test', 0), row('192.0.2.2:53', 'a.test', null, 'no | answer')],
  ahead: [row('192.0.2.1:53', 'a.test', 0), { ...row('192.0.2.2:53', 'a.test', 0.1), state: 'ahead' }],
  new: [{ ...row('192.0.2.1:53', 'a.test', null), checked_at: null }],
  none: [],
};
const SECONDARY_ROWS: readonly (readonly [string, string])[] = [
  ['well', '0 EDGE_SECONDARIES OK 2 watched, longest lag 0.0 seconds | lag=0.0s;10;60;0 silent=0;;0;0'],
  [
    'behind',
    '2 EDGE_SECONDARIES CRIT 3 watched, longest lag 99.0 seconds (o.test at 192.0.2.2:53) | lag=99.0s;10;60;0 silent=0;;0;0',
  ],
  [
    '-A mynet behind',
    '1 EDGE_SECONDARIES WARN 2 watched, longest lag 12.3 seconds (a.test at 192.0.2.1:53) | lag=12.3s;10;60;0 silent=0;;0;0',
  ],
  [
    '-A mynet -w 13 behind',
    '0 EDGE_SECONDARIES OK 2 watched, longest lag 12.3 seconds (a.test at 192.0.2.1:53) | lag=12.3s;13;60;0 silent=0;;0;0',
  ],
  [
    '-A mynet --critical=12 behind',
    '2 EDGE_SECONDARIES CRIT 2 watched, longest lag 12.3 seconds (a.test at 192.0.2.1:53) | lag=12.3s;10;12;0 silent=0;;0;0',
  ],
  [
    '-S 192.0.2.2:53 --dnet mynet behind',
    '0 EDGE_SECONDARIES OK 1 watched, longest lag 3.0 seconds (a.test at 192.0.2.2:53) | lag=3.0s;10;60;0 silent=0;;0;0',
  ],
  [
    'silent',
    '2 EDGE_SECONDARIES CRIT 2 watched, longest lag 0.0 seconds, 1 without an answer, such as a.test at 192.0.2.2:53: no   answer | lag=0.0s;10;60;0 silent=1;;0;0',
  ],
  [
    '-S 192.0.2.1:53 silent',
    '0 EDGE_SECONDARIES OK 1 watched, longest lag 0.0 seconds | lag=0.0s;10;60;0 silent=0;;0;0',
  ],
  [
    'ahead',
    '2 EDGE_SECONDARIES CRIT 2 watched, longest lag 0.1 seconds (a.test at 192.0.2.2:53), 1 ahead of Edgewise, such as a.test at 192.0.2.2:53: let it fetch the zone anew there | lag=0.1s;10;60;0 silent=0;;0;0',
  ],
  [
    '-S 192.0.2.1:53 ahead',
    '0 EDGE_SECONDARIES OK 1 watched, longest lag 0.0 seconds | lag=0.0s;10;60;0 silent=0;;0;0',
  ],
  ['new', '0 EDGE_SECONDARIES OK 1 watched, longest lag 0.0 seconds | lag=0.0s;10;60;0 silent=0;;0;0'],
  ['none', '3 EDGE_SECONDARIES UNKNOWN no such secondary is watched'],
  ['-S 192.0.2.9:53 well', '3 EDGE_SECONDARIES UNKNOWN no such secondary is watched'],
];

describe('the secondaries', () => {
  test.concurrent.each(SECONDARY_ROWS)('asked for: %s', async (line, expected) => {
    const [, options, name] = /^(.*?)(\w+)$/.exec(line) ?? [];
    expect(await run('secondaries', `${options} -u URL/${name}/`)).toBe(expected);
    expect(await run('secondaries', `${options} @${name}.json`)).toBe(expected);
  });

  test.concurrent.each([
    ['', /-u URL or one FILE is needed/],
    ['@a.json @b.json', /-u URL or one FILE is needed/],
    ['-u URL @a.json', /-u URL or one FILE is needed/],
    ['@missing.json', /cannot read \S+: ENOENT$/],
    ['@broken.state', /is no JSON$/],
    ['@quiet.state', /tells nothing of secondaries$/],
    ['-u URL/text2', /answers 404$/],
    ['-u http://127.0.0.1:1', /cannot ask \S+: /],
    ['-u URL -w x', /"x" is no range/],
    ['-u URL -t 0', /"0" is no number of seconds/],
    ['-u URL --colour', /unknown option --colour/],
    ['-c', /-c needs a value/],
  ])('what is missing, unreadable or wrong is UNKNOWN: %s', async (args, expected) => {
    const output = await run('secondaries', args);
    expect(output).toMatch(/^3 EDGE_SECONDARIES UNKNOWN \S[^\n]*$/);
    expect(output).toMatch(expected);
  });

  test('an answer saved too long ago is UNKNOWN, since nobody knows what is now', async () => {
    await site.write('old.json', JSON.stringify({ secondaries: SECONDARIES['well'] }));
    await utimes(site.path('old.json'), NOW - 400, NOW - 400);
    expect(await run('secondaries', '@old.json')).toMatch(/^3 EDGE_SECONDARIES UNKNOWN \S+ was written \d+ s ago$/);
    expect(await run('secondaries', '-M 900 @old.json')).toMatch(/^0 /);
  });
});

const NAMES = ['rotation', 'integrity', 'live', 'freshness', 'latency'];
const FILE_NAMES = NAMES.slice(0, 4);
const TROUBLE: readonly (readonly [string, string])[] = [
  ...FILE_NAMES.flatMap((name) => [
    [name, '@missing.state'] as const,
    [name, '@broken.state'] as const,
    [name, ''] as const,
    [name, '@quiet.state @busy.state'] as const,
    [name, '-w 5:1 @quiet.state'] as const,
    [name, '-u URL @quiet.state'] as const,
  ]),
  ...NAMES.flatMap((name) => [
    [name, '-u URL -A other'] as const,
    [name, '-u URL/empty -A mynet'] as const,
    [name, '-u URL/text -A mynet'] as const,
    [name, '-u URL/silent -A mynet -t 0.2'] as const,
    [name, '-u http://127.0.0.1:1 -A mynet'] as const,
    [name, '-u URL'] as const,
    [name, '--colour'] as const,
    [name, '-w'] as const,
    [name, '-w x -u URL -A mynet'] as const,
    [name, '-u URL -A mynet -t 0'] as const,
  ]),
  ['latency', ''],
  ['latency', '-A mynet -c @missing.yaml'],
  ['latency', '-A other -c @edgemanage.yaml'],
  ['latency', '-A mynet -c @object'],
];

describe('what is missing, unreadable or wrong is UNKNOWN', () => {
  test.concurrent.each(TROUBLE)('%s %s', async (name, args) => {
    const output = await run(name, args);
    expect(output).toMatch(/^3 [A-Z_]+ UNKNOWN \S[^\n]*$/);
    expect(output).not.toMatch(/\.js:|at async| {4}at /); // a sentence, not a stack
  });

  test.concurrent.each([
    ['latency', '-u URL/endless -A mynet'],
    ['secondaries', '-u URL/endless'],
  ])('%s %s: a body without end is left in time and memory', async (name, args) => {
    expect(await run(name, `${args} -t 600`)).toMatch(/^3 [A-Z_]+ UNKNOWN cannot ask \S+: over 64 MiB$/);
  });

  test('a round that lies ahead of the clock', async () => {
    await site.write('ahead.state', JSON.stringify({ last_run: NOW + 4000 }));
    expect(await run('freshness', '@ahead.state')).toMatch(
      /^3 EDGE_FRESHNESS UNKNOWN the last round lies \d+ seconds ahead of this clock$/,
    );
    await site.write('now.state', JSON.stringify({ last_run: Date.now() / 1000 + 30 }));
    expect(await run('freshness', '@now.state')).toMatch(/^0 EDGE_FRESHNESS OK last round 0\.0 seconds ago /);
  });

  test('an edge whose record is missing', async () => {
    await site.write('edges/more', 'a\nnew\n');
    expect(await run('latency', '-A more -c @edgemanage.yaml')).toMatch(
      /^3 .*UNKNOWN cannot read .*new\.edgestore: ENOENT$/,
    );
  });
});

describe('each file', () => {
  test.concurrent.each(NAMES)('%s tells what it is', async (name) => {
    expect(await run(name, '--help')).toContain(`check_edgewise_${name} `);
    expect(await run(name, '--version')).toMatch(new RegExp(`^3 check_edgewise_${name} \\d`));
  });

  test('runs as a module, too, where it lies in the project', async () => {
    const output = await new Promise<string>((resolve) => {
      execFile(join(SOURCE, 'check_edgewise_live'), [site.path('quiet.state')], (_, stdout) => resolve(stdout));
    });
    expect(output).toContain('EDGE_LIVE OK');
  });

  test('shares its common part with the others to the letter', async () => {
    const files = NAMES.map((name) => `check_edgewise_${name}`);
    // That one asks about secondaries, not about one network; beside a running server: test/secondaries/watch.test.ts.
    expect((await readdir(SOURCE)).sort()).toEqual([...files, 'check_edgewise_secondaries'].sort());
    const parts = await Promise.all(
      files.map(
        async (file) => (await readFile(join(SOURCE, file), 'utf8')).split('// ---- the same in every check')[1],
      ),
    );
    expect(new Set(parts).size).toBe(1);
  });
});
