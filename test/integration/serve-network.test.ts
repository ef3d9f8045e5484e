import { spawn } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { NetworkJson } from '../../src/server/control/api/json.ts';
import { EdgewiseServer, edgewise, eventually } from '../support/edgewise.ts';
import { ended, Installation, NETWORK, OBJECT, PATIENCE, program } from '../support/installation.ts';
import type { MockBehaviour } from '../support/mock-edge-script.ts';
import { MockFleet } from '../support/mock-fleet.ts';
import { freePort } from '../support/ports.ts';

/**
 * `edgewise serve` on a network of 20 edges and 20 canaries through many rounds: after each step DNS, the zone file, the
 * state file, the live list and the API must tell the same. What `edge_manage` does with such a network is in
 * edge-manage.test.ts. Edges are well, slow, wrong, silent and dead; one is an IPv6 address, one a name of /etc/hosts,
 * one a name that nobody has. Who is next in line is told by their past, not by this machine's speed.
 */

const edgeName = (number: number): string => `127.81.0.${number}`;
const canaryName = (number: number): string => `127.81.1.${number}`;
const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i + 1);
const CANARIES = numbers(20).map(canaryName);
const SIX = '::1';
const NAMED = 'localhost';
const NAMELESS = 'nowhere.invalid';
const EDGES = [...numbers(17).map(edgeName), SIX, NAMED, NAMELESS];
const FIRST = [edgeName(1), edgeName(2), edgeName(3), SIX, NAMED];
/** The next to come in, in this order. */
const NEXT = [4, 5, 6, 7].map(edgeName);

let site: Installation;
let server: EdgewiseServer;
let fleet: MockFleet;
let config: string;
const addresses = new Map<string, readonly string[]>();

/** Seconds an edge took in the past. */
function speed(name: string): number {
  const place = NEXT.indexOf(name);
  return FIRST.includes(name) ? 0.2 : place === -1 ? 3.2 : 0.7 * (place + 1);
}

beforeAll(async () => {
  const names = [...EDGES, ...CANARIES].filter((name) => name !== NAMELESS);
  fleet = await MockFleet.start(
    names.map((name) => (name === NAMED ? '127.0.0.1' : name)),
    OBJECT,
  );
  for (const name of names) addresses.set(name, [name]);
  // Some systems give it ::1 as well, which is an edge of its own here: an address is answered once.
  addresses.set(
    NAMED,
    (await lookup(NAMED, { all: true })).map(({ address }) => address),
  );
});

afterAll(() => fleet?.close());

async function install(): Promise<void> {
  site = await Installation.make({
    edges: EDGES,
    port: fleet.port,
    canaries: Object.fromEntries(CANARIES.map((address, i) => [`canary${i + 1}.test`, address])),
    zones: { 'plain.test': 'mail IN A 192.0.2.25\n', 'canary1.test': '', 'canary2.test': '' },
    speeds: Object.fromEntries(EDGES.map((name) => [name, speed(name)])),
    keys: {
      testing: true,
      timeout: PATIENCE.timeout,
      edge_count: 5,
      run_frequency: 1,
      dnschange_maxfreq: 1000,
      logpath: null,
      server: { listen: [`127.0.0.1:${await freePort()}`] },
      http: { listen: `127.0.0.1:${await freePort()}` },
    },
  });
  config = await site.read('edgemanage.yaml');
}

/** On an installation of its own, with every edge well: the first five are live. */
async function serve(): Promise<void> {
  await fleet.behave([...fleetNames()], { kind: 'ok' });
  for (let tries = 1; ; tries++) {
    await install();
    server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
    const isFirst = await becomesLive(FIRST, 20).catch((error: unknown) => {
      // A machine that stalled for seconds in the very first fetches has made others the best, and they stay.
      if (tries === 3) throw error;
      return false;
    });
    if (isFirst) break;
    await leave();
  }
  await live(FIRST);
}

async function leave(): Promise<void> {
  await server?.stop('SIGKILL');
  await site?.remove();
}

function fleetNames(): readonly string[] {
  return ['127.0.0.1', ...EDGES.filter((name) => name !== NAMED && name !== NAMELESS), ...CANARIES];
}

async function behave(names: string | readonly string[], behaviour: MockBehaviour): Promise<void> {
  await fleet.behave(
    [names].flat().map((name) => (name === NAMED ? '127.0.0.1' : name)),
    behaviour,
  );
}

async function api(): Promise<NetworkJson> {
  return JSON.parse((await server.get(`/api/v1/networks/${NETWORK}`)).text) as NetworkJson;
}

async function metric(name: string): Promise<number> {
  const { text } = await server.get('/metrics');
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`edgewise_${name}`))
      ?.split(' ')
      .at(-1),
  );
}

async function edge(name: string): Promise<NetworkJson['edges'][number] | undefined> {
  return (await api()).edges.find((row) => row.edge === name);
}

/** A zone file's apex addresses and serial, as named-checkzone reads it. */
async function zone(name: string): Promise<{ readonly serial: number; readonly apex: readonly string[] }> {
  const { stdout: text } = await program('named-checkzone', ['-D', name, site.path('named', `${name}.zone`)]);
  const rows = [...text.matchAll(/^(\S+)\s+\d+\s+IN\s+A{1,4}\s+(\S+)$/gm)].filter((row) => row[1] === `${name}.`);
  return { serial: Number(/SOA\s+\S+\s+\S+\s+(\d+)/.exec(text)?.[1]), apex: rows.map((row) => row[2]).sort() };
}

async function answers(name: string): Promise<readonly string[]> {
  return [...(await server.dig(name, 'A')), ...(await server.dig(name, 'AAAA'))].sort();
}

async function serialOf(name: string): Promise<number> {
  return Number((await server.dig(name, 'SOA'))[0].split(' ')[2]);
}

async function becomesLive(wanted: readonly string[], seconds = 50): Promise<true> {
  await eventually(
    async () => (await api()).live.map((member) => member.edge),
    (seen) => seen.join() === [...wanted].sort().join(),
    seconds,
  );
  return true;
}

/** Waits until these edges are live, then until everything that tells of it agrees. */
async function live(wanted: readonly string[]): Promise<void> {
  const names = [...wanted].sort();
  const published = [...new Set(wanted.flatMap((name) => addresses.get(name) ?? []))].sort();
  await becomesLive(wanted);
  await eventually(
    async () => {
      const { serial, apex } = await zone('plain.test');
      return {
        dns: await answers('plain.test'),
        www: await answers('www.plain.test'),
        file: apex,
        state: (await site.state()).last_live,
        list: (await site.read(`${NETWORK}.live`)).trim().split('\n'),
        serialLag: (await serialOf('plain.test')) - serial,
      };
    },
    (seen) =>
      JSON.stringify(seen) ===
      JSON.stringify({ dns: published, www: published, file: published, state: names, list: names, serialLag: 0 }),
  );
}

/** Until two more rounds have ended: the second began after the call. */
async function twoRounds(): Promise<void> {
  for (let i = 0; i < 2; i++) {
    const { last_run: last } = (await api()).round;
    await eventually(
      async () => (await api()).round.last_run,
      (now) => now !== last,
    );
  }
}

async function reload(changes: Readonly<Record<string, number>>): Promise<void> {
  let text = config;
  for (const [key, value] of Object.entries(changes))
    text = text.replace(new RegExp(`^${key}: .*$`, 'm'), `${key}: ${value}`);
  await site.replace('edgemanage.yaml', text);
  const since = server.output.length;
  server.child.kill('SIGHUP');
  await server.prints(/"reloaded"/, since);
}

async function setMode(name: string, mode: string, ...more: readonly string[]): Promise<void> {
  const comment = mode === 'available' ? [] : ['-C', 'by the test'];
  const { status, stdout } = await site.run('edge_conf', ['--no-syslog', '-m', mode, ...comment, ...more, name]);
  expect({ status, stdout }).toEqual({ status: 0, stdout: `Set mode for ${name} to ${mode}\n` });
}

async function untouched(): Promise<readonly bigint[]> {
  const files = ['named/plain.test.zone', 'named/canary1.test.zone', `${NETWORK}.live`];
  return Promise.all(files.map(async (file) => (await stat(site.path(file), { bigint: true })).mtimeNs));
}

/** Until so many canaries stand in. */
async function canariesUsed(count: number): Promise<void> {
  await eventually(
    async () => (await api()).canaries.filter((canary) => canary.active).length,
    (active) => active === count,
  );
}

test('goes on where edge_manage ended, and edge_manage where it ended: the same set, serials not lower', async () => {
  await install();
  try {
    expect(await site.run('edge_manage')).toMatchObject({ status: 0, stdout: '' });
    const before = await zone('plain.test');
    server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
    await live(FIRST);
    expect(await serialOf('plain.test')).toBeGreaterThanOrEqual(before.serial);
    expect(await server.dig('plain.test', 'AAAA')).toEqual([SIX]);
    expect((await site.state()).rotation_list).toHaveLength(1);

    await twoRounds();
    await live(FIRST);
    const files = await untouched();
    expect(await server.stop()).toBe(0);
    expect((await site.run('edge_manage', ['--force'])).status).toBe(0);
    expect([...(await site.state()).last_live].sort()).toEqual([...FIRST].sort());
    expect(await untouched()).toEqual(files);
  } finally {
    await leave();
  }
});

describe('a network that is well', () => {
  beforeAll(serve);
  afterAll(leave);

  test('canaries stand in for one edge each, in their own zones', async () => {
    for (const number of [1, 2]) {
      const name = `canary${number}.test`;
      const row = await eventually(
        async () => (await api()).canaries.find((canary) => canary.zone === name),
        (canary) => canary?.active === true,
      );
      const rest = FIRST.filter((member) => member !== row?.victim).flatMap((member) => addresses.get(member) ?? []);
      const expected = [...new Set([...rest, canaryName(number)])].sort();
      await eventually(
        async () => ({ seen: await answers(name), file: await zone(name), serial: await serialOf(name) }),
        ({ seen, file, serial }) =>
          seen.join() === expected.join() && file.apex.join() === expected.join() && file.serial === serial,
      );
    }
    expect(Object.keys((await site.state()).active_canaries)).toHaveLength(20);
  });

  test('an edge whose name has no address is out, and why is said', async () => {
    const row = await eventually(
      () => edge(NAMELESS),
      (seen) => seen?.fail !== null,
    );
    expect(row).toMatchObject({ state: 'out', judgement: 'fail', fail: { reason: 'resolve' } });
    expect(row?.reason).toMatch(/^has no address to publish \(resolve: nowhere\.invalid: /);
  });

  test('quiet rounds change nothing but samples', async () => {
    const [files, serial] = [await untouched(), await serialOf('plain.test')];
    const samples = Object.keys((await site.store(edgeName(1))).fetch_times).length;
    await twoRounds();
    expect(await untouched()).toEqual(files);
    expect(await serialOf('plain.test')).toBe(serial);
    // Records are written behind the decisions.
    await eventually(
      async () => Object.keys((await site.store(edgeName(1))).fetch_times).length,
      (now) => now > samples,
    );
    // A busy machine's turn may be late once, which is a reason there.
    await eventually(
      () => server.get('/healthz'),
      ({ status }) => status === 200,
    );
  });

  test('edge_manage is refused meanwhile, and edge_query reads along', async () => {
    const refused = await site.run('edge_manage', ['--force']);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('an Edgewise server manages it');
    const { status, stdout } = await site.run('edge_query', ['-q', '-s', 'in']);
    expect({ status, edges: stdout.trim().split('\n').sort() }).toEqual({ status: 0, edges: [...FIRST].sort() });
  });

  test.each([
    { check: 'rotation', status: 0, file: [] },
    { check: 'integrity', status: 0, file: [] },
    { check: 'live', status: 0, file: ['-n', '5'] },
    { check: 'freshness', status: 0, file: [] },
    { check: 'latency', status: 0, file: ['-c'], limits: ['-w', '9', '-C', '9'] },
    { check: 'live', status: 2, file: ['-n', '5'], limits: ['-c', '6:'] },
    { check: 'freshness', status: 1, file: [], limits: ['-w', '100:'] },
  ])(
    'check_edgewise_$check says $status by the server and by the files',
    async ({ check, status, file, limits = [] }) => {
      const command = join(import.meta.dirname, '..', '..', 'nagios', `check_edgewise_${check}`);
      const state = site.path(`${NETWORK}.state`);
      const files = file[0] === '-c' ? ['-A', NETWORK, '-c', site.path('edgemanage.yaml')] : [...file, state];
      for (const args of [files, ['-u', server.http, '-A', NETWORK]]) {
        const { status: found, stdout } = await ended(spawn(command, [...limits, ...args]));
        expect({ found, stdout }).toEqual({ found: status, stdout: expect.stringMatching(/^EDGE_|^ACTIVE_EDGE_/) });
      }
    },
  );
});

describe('a network that changes', () => {
  beforeEach(serve);
  afterEach(leave);

  test('a wrong checksum and a silent edge are replaced by the next in line', async () => {
    const serial = await serialOf('plain.test');
    await behave(edgeName(2), { kind: 'tampered' });
    await behave(edgeName(3), { kind: 'silent' });
    await live([edgeName(1), edgeName(4), edgeName(5), SIX, NAMED]);
    expect(await serialOf('plain.test')).toBeGreaterThan(serial);
    expect((await edge(edgeName(2)))?.fail?.reason).toBe('checksum');
    expect((await edge(edgeName(3)))?.fail?.reason).toBe('timeout');
    expect((await site.state()).verification_failures).toEqual([edgeName(2)]);
    expect(await metric(`network_verification_failures{network="${NETWORK}"}`)).toBe(1);
  });

  test('an edge that turns slow gives way although it passes', async () => {
    await behave(edgeName(1), { kind: 'ok', delayMs: PATIENCE.slow * 1000 });
    await live([edgeName(2), edgeName(3), edgeName(4), SIX, NAMED]);
    // On a busy machine it may be slower than the time-out now and then.
    await expect.poll(async () => (await edge(edgeName(1)))?.judgement).toMatch(/^pass_(window|average)$/);
  });

  test('the IPv6 edge dies: nobody else answers AAAA, so its record stays, and /healthz says so', async () => {
    await behave([SIX, NAMED], { kind: 'refuse' }); // the name may have this address as well
    const others = [1, 2, 3, 4, 5].map(edgeName);
    await eventually(
      async () => (await api()).live.map((member) => member.edge),
      (seen) => [...others, SIX].every((name) => seen.includes(name)),
    );
    // The five may be live a round before the sixth has failed.
    await expect
      .poll(() => server.get('/healthz'))
      .toEqual({
        status: 503,
        text: expect.stringContaining('no live edge passes over IPv6; the last AAAA records are kept'),
      });
    expect(await server.dig('plain.test', 'AAAA')).toEqual(['::1']);
    await behave(SIX, { kind: 'ok' });
    await eventually(
      () => server.get('/healthz'),
      ({ status }) => status === 200,
    );
    expect(await server.dig('plain.test', 'AAAA')).toEqual(['::1']);
  });

  test('edge_conf is in force without a round; --for ends by itself', async () => {
    await reload({ run_frequency: 600 });
    // The round that was due or under way is over when the next is far away.
    const { round } = await eventually(api, ({ now, round: { next_due: due } }) => due !== null && due > now + 100);
    const outsider = edgeName(9);
    await setMode(outsider, 'force');
    const { live: forced } = await eventually(api, (seen) => seen.live.some((member) => member.edge === outsider));
    // Five, and one more where the only one with an IPv6 address is not among the five fastest.
    const beside = forced.length - 5;
    if (beside !== 0) expect((await edge(SIX))?.reason).toMatch(/IPv6|AAAA/);
    expect([0, 1]).toContain(beside);
    await live(forced.map((member) => member.edge));

    await setMode(edgeName(1), 'unavailable', '--for', '1h');
    const without = await eventually(
      async () => (await api()).live.map((member) => member.edge),
      (seen) => !seen.includes(edgeName(1)),
    );
    await live(without);
    // It may not have been live before.
    await eventually(
      async () => (await edge(edgeName(1)))?.reason ?? '',
      (reason) => reason.includes('unavailable (['),
    );
    await setMode(edgeName(1), 'unavailable', '--for', '2s');
    await eventually(
      () => site.store(edgeName(1)),
      ({ mode, mode_until, comment }) => mode === 'available' && mode_until === null && comment === '',
    );
    expect(await edge(edgeName(1))).toMatchObject({ mode: 'available', mode_until: null, comment: '' });

    expect((await api()).round.last_run).toBe(round.last_run);
  });

  test('six failing canaries condemn all, and their zones go back to the live set', async () => {
    await canariesUsed(20);
    const rotations = (await site.state()).rotation_list.length;
    const serial = await serialOf('canary1.test');
    await behave(CANARIES.slice(2, 8), { kind: 'refuse' });
    await canariesUsed(0);
    const members = await answers('plain.test');
    await eventually(
      () => answers('canary1.test'),
      (seen) => seen.join() === members.join(),
    );
    const { serial: written } = await eventually(
      () => zone('canary1.test'),
      ({ apex }) => apex.join() === members.join(),
    );
    expect(written).toBeGreaterThan(serial);
    expect((await site.state()).active_canaries).toEqual({});
    expect((await site.state()).rotation_list).toHaveLength(rotations);
    expect(await metric(`canary_active{network="${NETWORK}",zone="canary1.test"`)).toBe(0);
    expect((await api()).notes.join()).toMatch(/no canary is used: \d+ fail, canary_killer is 6/);
    await behave(CANARIES.slice(2, 8), { kind: 'ok' });
    await canariesUsed(20);
  });

  test('dnschange_maxfreq holds the set where everybody can see it; an operator is not held', async () => {
    await reload({ dnschange_maxfreq: 1 }); // the first set was one
    await twoRounds(); // a round under way ends by the settings it began with
    const since = server.output.length;
    const before = (await api()).live.map((member) => member.edge);
    // One that passes: an edge that fails three times in a row is replaced in spite of the limit.
    const [slow] = before;
    await behave(slow, { kind: 'ok', delayMs: PATIENCE.slow * 1000 });
    const held = await eventually(api, (seen) => seen.outcome === 'held');
    expect(held.hold).toMatchObject({ limit: 1 });
    expect(held.hold?.until).toBeGreaterThan(held.now);
    expect(held.hold?.wanted).not.toContain(slow);
    await live(before);
    expect(await metric(`network_held{network="${NETWORK}"}`)).toBe(1);
    await server.prints(/live set held as it is by the rotation limit/, since);
    // The record of rounds is written behind the answers.
    await expect
      .poll(() => edgewise(['explain', '-A', NETWORK, '-c', site.path('edgemanage.yaml'), slow]))
      .toMatchObject({ status: 0, stdout: expect.stringContaining('held in, would not be live') });
    const check = await edgewise(['replay', '-A', NETWORK, '-c', site.path('edgemanage.yaml')]);
    expect(check.stdout).toContain('live set differs in 0 of ');

    await setMode(slow, 'unavailable');
    await eventually(
      async () => (await api()).live.map((member) => member.edge),
      (seen) => !seen.includes(slow),
    );
    await behave(slow, { kind: 'ok' });
    await setMode(slow, 'available');
    await reload({});
    await eventually(
      () => metric(`network_held{network="${NETWORK}"}`),
      (value) => value === 0,
    );
  });

  test('when every edge fails the last set stays, and /healthz is red until one works', async () => {
    await behave(
      EDGES.filter((name) => name !== NAMELESS),
      { kind: 'refuse' },
    );
    await twoRounds(); // a round under way may have met some that still answered
    const before = (await api()).live.map((member) => member.edge);
    const serial = await serialOf('plain.test');
    // A busy machine may be late with a round, which is a reason, too.
    await expect
      .poll(async () => {
        const { status, text } = await server.get('/healthz');
        return { ...JSON.parse(text), status };
      })
      .toMatchObject({ status: 503, reasons: [`network ${NETWORK}: every live edge fails; the last set is kept`] });
    await twoRounds();
    await live(before);
    expect(await serialOf('plain.test')).toBe(serial);
    await behave(
      EDGES.filter((name) => name !== NAMELESS),
      { kind: 'ok' },
    );
    await eventually(
      () => server.get('/healthz'),
      ({ status }) => status === 200,
    );
  });
});
