import { once } from 'node:events';
import { readFileSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EdgewiseServer, eventually } from '../support/edgewise.ts';
import { Installation, NETWORK, OBJECT, PATIENCE } from '../support/installation.ts';
import { MockFleet } from '../support/mock-fleet.ts';
import { freePort } from '../support/ports.ts';

/**
 * `edge_manage` and `edgewise serve` in turn on one state directory: whoever writes a zone file next, its serial is later
 * than all before. Kills at any moment, and processes at the same time, are part of it.
 */

const EDGES = ['127.84.0.1', '127.84.0.2', '127.84.0.3'];
const GOLDEN = join(import.meta.dirname, '..', 'golden', 'v0.1', 'health', `${NETWORK}.state`);
let site: Installation;
let fleet: MockFleet;
let server: EdgewiseServer | null = null;
let mtime = 1_700_000_000;

beforeEach(async () => {
  fleet = await MockFleet.start(EDGES, OBJECT);
  site = await Installation.make({
    edges: EDGES,
    port: fleet.port,
    zones: { 'a.test': '', 'b.test': '' },
    keys: {
      testing: true,
      timeout: PATIENCE.timeout,
      edge_count: 2,
      run_frequency: 60,
      dnschange_maxfreq: 1000,
      server: { listen: [`127.0.0.1:${await freePort()}`] },
      http: { listen: `127.0.0.1:${await freePort()}` },
      logpath: null,
    },
  });
});

afterEach(async () => {
  await server?.stop('SIGKILL');
  server = null;
  await site?.remove();
  await fleet?.close();
});

function serial(zone: string): number {
  const found = /SOA\s+\S+\s+\S+\s+(\d+)/.exec(readFileSync(site.path('named', `${zone}.zone`), 'utf8'))?.[1];
  return Number(found);
}

/** Each time another content, with another time. */
async function edit(zone: string, network: string = NETWORK): Promise<void> {
  mtime += 10;
  const file = `zones/${network}/${zone}.zone`;
  await site.write(file, `t TXT "${mtime}"\n`);
  utimesSync(site.path(file), mtime, mtime);
}

async function run(): Promise<void> {
  const { status, stderr } = await site.run('edge_manage', ['--force']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
}

async function serve(): Promise<EdgewiseServer> {
  server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
  return server;
}

async function soa(zone: string): Promise<number> {
  return Number((await server?.dig(zone, 'SOA'))?.[0]?.split(' ')[2]);
}

test('in turn, with kills between: every change has a later serial, and what did not change keeps its own', async () => {
  await run();
  let [a, b] = [serial('a.test'), serial('b.test')];
  for (const kill of ['SIGTERM', 'SIGKILL'] as const) {
    await edit('a.test');
    await serve();
    const served = await soa('a.test');
    expect(served).toBeGreaterThan(a);
    expect(await soa('b.test')).toBe(b);
    await eventually(
      async () => serial('a.test'),
      (found) => found === served,
    );
    await server?.stop(kill);
    a = served;

    rmSync(site.path('named', 'a.test.zone')); // what is made anew is the same version
    await run();
    expect([serial('a.test') >= a, serial('b.test')]).toEqual([true, b]);
    a = serial('a.test');
    await edit('b.test');
    await run();
    expect(serial('b.test')).toBeGreaterThan(b);
    expect(serial('a.test')).toBe(a);
    b = serial('b.test');
  }
  await serve();
  expect([await soa('a.test'), await soa('b.test')]).toEqual([a, b]);
});

test('a run of another network beside a server: each keeps what the other wrote', async () => {
  await site.write('edges/other', `${EDGES.join('\n')}\n`);
  await edit('o.test', 'other');
  const yaml = site.path('edgemanage.yaml');
  const other = async (): Promise<void> => {
    const child = site.startBare('edge_manage', ['-A', 'other', '-c', yaml, '--force']);
    expect((await once(child, 'exit'))[0]).toBe(0);
  };
  server = await EdgewiseServer.start(yaml, ['-A', NETWORK]);
  await other();
  const first = serial('o.test');
  await edit('a.test');
  const before = await soa('a.test');
  server.child.kill('SIGHUP');
  await eventually(
    () => soa('a.test'),
    (found) => found > before,
  );
  const a = await soa('a.test');
  rmSync(site.path('named', 'o.test.zone'));
  await other();
  expect(serial('o.test')).toBe(first); // the server has not written over it
  await edit('o.test', 'other');
  await other();
  expect(serial('o.test')).toBeGreaterThan(first);
  await server.stop('SIGKILL');
  await serve();
  expect([await soa('a.test'), await soa('o.test')]).toEqual([a, serial('o.test')]);
});

describe('what earlier versions wrote', () => {
  test('a state file of a single run of 0.1 that gave a zone a serial of its own', async () => {
    const state = JSON.parse(readFileSync(GOLDEN, 'utf8')) as { edgewise: Record<string, unknown> };
    const given = Math.floor(Date.now() / 1000) + 40_000; // by a clock that was ahead
    const live = EDGES.slice(0, 2).map((edge) => ({ edge, v4: edge, v6: null, why: 'x' }));
    const edgewise = {
      ...state.edgewise,
      live,
      zone_serials: { 'a.test': given },
      serial: given - 10,
      canary_serials: {},
    };
    const old = { ...state, last_live: EDGES.slice(0, 2), zone_mtimes: {}, active_canaries: {}, edgewise };
    await site.write(`${NETWORK}.state`, JSON.stringify(old));
    await run();
    expect(serial('a.test')).toBeGreaterThanOrEqual(given);
    expect(serial('b.test')).toBeGreaterThanOrEqual(given - 10);
    const [a, b] = [serial('a.test'), serial('b.test')];
    await edit('b.test');
    await serve();
    expect(await soa('a.test')).toBeGreaterThanOrEqual(a);
    expect(await soa('b.test')).toBeGreaterThan(b);
  });
});

test.each([
  ['missing', () => rmSync(site.path('edgewise-zones.json')), null],
  [
    'half written',
    () => site.write('edgewise-zones.json', '{"version":1,'),
    /ERROR .*cannot read the zones' serials: .*kept as .*\.bad-/,
  ],
  [
    'not to be written',
    () => {
      rmSync(site.path('edgewise-zones.json'));
      symlinkSync('/proc/none/x.json', site.path('edgewise-zones.json'));
    },
    /ERROR .*cannot remember the zones' serials in .*edgewise-zones\.json.*written all the same/,
  ],
])('a file of serials that is %s: later serials, and a sentence', async (_, spoil, sentence) => {
  await serve();
  await edit('a.test');
  const before = await soa('a.test');
  server?.child.kill('SIGHUP');
  await eventually(
    () => soa('a.test'),
    (found) => found > before,
  );
  const served = await soa('a.test');
  await server?.stop('SIGKILL');
  await spoil();
  await edit('a.test');
  const { status, stderr } = await site.run('edge_manage', ['--force']);
  expect(status).toBe(0);
  if (sentence === null) expect(stderr).toBe('');
  else expect(stderr).toMatch(sentence);
  expect(serial('a.test')).toBeGreaterThan(served);
});
