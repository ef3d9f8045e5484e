import { stat } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Installation, NETWORK, OBJECT, PATIENCE, program } from '../support/installation.ts';
import { MockFleet } from '../support/mock-fleet.ts';

/** `edge_manage` on a network of 20 edges and 20 canaries through several rounds: files, output, exit statuses. */

const edgeName = (number: number): string => `127.77.0.${number}`;
const canaryName = (number: number): string => `127.77.1.${number}`;
const NUMBERS = Array.from({ length: 20 }, (_, i) => i + 1);
const TOUCHED = (file: string): string => `touch ${file}`;

let site: Installation;
let fleet: MockFleet;

/** Seconds in the past. The order is 1–4, then 5, 6, 7, then the rest. */
function speed(number: number): number {
  return number <= 4 ? 0.2 : Math.min(3.2, 0.7 * (number - 3));
}

beforeAll(async () => {
  fleet = await MockFleet.start([...NUMBERS.map(edgeName), ...NUMBERS.map(canaryName)], OBJECT);
  const canaries = Object.fromEntries(NUMBERS.map((number) => [`canary${number}.test`, canaryName(number)]));
  site = await Installation.make({
    edges: NUMBERS.map(edgeName),
    port: fleet.port,
    canaries,
    speeds: Object.fromEntries(NUMBERS.map((number) => [edgeName(number), speed(number)])),
    zones: {
      'plain.test': 'mail IN A 192.0.2.25\n@ IN MX 10 mail\n',
      'canary1.test': '',
      'canary2.test': 'ftp IN CNAME www\n',
    },
    keys: { testing: true, timeout: PATIENCE.timeout },
  });
  await site.write(
    'edgemanage.yaml',
    (await site.read('edgemanage.yaml')).replace(
      'commands: null',
      `commands:\n  run_before: ['${TOUCHED(site.path('before'))}']\n  run_after: ['${TOUCHED(site.path('after'))}']\n  run_after_changes: ['${TOUCHED(site.path('changes'))}', '/nonexistent/hook']`,
    ),
  );
});

afterAll(async () => {
  await fleet?.close();
  await site?.remove();
});

const behave: MockFleet['behave'] = (names, behaviour) => fleet.behave(names, behaviour);

/** Apex A addresses and serial of a written zone file, as named-checkzone reads it. */
async function zone(name: string): Promise<{
  readonly serial: number;
  readonly apex: readonly string[];
  readonly www: readonly string[];
}> {
  const { stdout: text } = await program('named-checkzone', ['-D', name, site.path('named', `${name}.zone`)]);
  const addresses = (owner: string): readonly string[] =>
    [...text.matchAll(/^(\S+)\s+\d+\s+IN\s+A\s+(\S+)$/gm)].filter((row) => row[1] === owner).map((row) => row[2]);
  const serial = Number(/IN\s+SOA\s+\S+\s+\S+\s+(\d+)/.exec(text)?.[1]);
  return { serial, apex: addresses(`${name}.`), www: addresses(`www.${name}.`) };
}

/** What tells a file that was written from one that was left alone. */
async function identity(
  file: string,
): Promise<{ readonly ino: bigint; readonly mtimeNs: bigint; readonly size: bigint }> {
  const { ino, mtimeNs, size } = await stat(site.path(file), { bigint: true });
  return { ino, mtimeNs, size };
}

const edges = (...numbers: readonly number[]): readonly string[] => numbers.map(edgeName);

test('the first round publishes the four fastest edges, and canaries in their own zones only', async () => {
  const { status, stdout, stderr } = await site.run('edge_manage');
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });

  const state = await site.state();
  expect(state.last_live).toEqual(edges(1, 2, 3, 4));
  expect(state.rotation_list).toHaveLength(1);
  expect(Object.keys(state.active_canaries)).toHaveLength(20);
  expect(Object.keys(state.zone_mtimes).sort()).toEqual(['canary1.test', 'canary2.test', 'plain.test']);
  expect(await site.read(`${NETWORK}.live`)).toBe(`${edges(1, 2, 3, 4).join('\n')}\n`);
  expect(await site.list('health')).toHaveLength(40);
  for (const name of [...NUMBERS.map(edgeName), ...NUMBERS.map(canaryName)])
    expect((await site.store(name)).health).toBe('pass_threshold');
  expect((await site.store(edgeName(1))).state).toBe('in');
  expect((await site.store(edgeName(9))).state).toBe('out');
  expect((await site.store(canaryName(1))).state).toBe('out');

  expect((await zone('plain.test')).apex).toEqual(edges(1, 2, 3, 4));
  expect((await zone('plain.test')).www).toEqual(edges(1, 2, 3, 4));
  for (const number of [1, 2]) {
    const { apex } = await zone(`canary${number}.test`);
    expect(apex).toHaveLength(4);
    expect(apex).toContain(canaryName(number));
  }
  for (const hook of ['before', 'after', 'changes']) await stat(site.path(hook));
  expect(await site.read('edgemanage.log')).toMatch(/ERROR run_after_changes: "\/nonexistent\/hook": .*ENOENT/);
});

test('another run within 30 seconds is refused with status 1', async () => {
  const before = await site.read(`${NETWORK}.state`);
  const { status, stderr } = await site.run('edge_manage');
  expect(status).toBe(1);
  expect(stderr).toContain('--force');
  expect(await site.read(`${NETWORK}.state`)).toBe(before);
});

test('a quiet round writes no zone file and starts no run_after_changes', async () => {
  const samples = Object.keys((await site.store(edgeName(1))).fetch_times).length;
  const files = ['named/plain.test.zone', 'named/canary1.test.zone', `${NETWORK}.live`, 'changes'];
  const before = await Promise.all(files.map(identity));
  const { edgewise } = await site.state();
  expect((await site.run('edge_manage', ['--force'])).status).toBe(0);
  expect(await Promise.all(files.map(identity))).toEqual(before);
  expect((await site.state()).edgewise.serial).toBe(edgewise.serial);
  expect((await site.state()).rotation_list).toHaveLength(1);
  expect(Object.keys((await site.store(edgeName(1))).fetch_times)).toHaveLength(samples + 1);
});

test('a wrong checksum and a silent edge are replaced, everywhere at once', async () => {
  const before = (await zone('plain.test')).serial;
  await behave(edgeName(2), { kind: 'tampered' });
  await behave(edgeName(3), { kind: 'silent' });
  expect((await site.run('edge_manage', ['--force'])).status).toBe(0);
  await behave(edgeName(3), { kind: 'refuse' }); // the other rounds need not wait for its timeout
  const state = await site.state();
  expect(state.last_live).toEqual(edges(1, 4, 5, 6));
  expect(state.verification_failures).toEqual(edges(2));
  expect(state.rotation_list).toHaveLength(2);
  expect((await site.store(edgeName(3))).health).toBe('fail');
  expect(Math.max(...Object.values((await site.store(edgeName(3))).fetch_times))).toBe(PATIENCE.timeout);
  expect((await zone('plain.test')).apex).toEqual(edges(1, 4, 5, 6));
  expect((await zone('plain.test')).serial).toBeGreaterThan(before);
  expect(await site.read(`${NETWORK}.live`)).toBe(`${edges(1, 4, 5, 6).join('\n')}\n`);
});

test('a dry run says what it would do and touches nothing', async () => {
  await behave(edgeName(1), { kind: 'status', status: 503 });
  const files = [`${NETWORK}.state`, 'edgemanage.log', `health/${edgeName(1)}.edgestore`, 'edgemanage.lock', 'before'];
  const before = await Promise.all(files.map(identity));
  const { status, stdout } = await site.run('edge_manage', ['-n']);
  await behave(edgeName(1), { kind: 'ok' });
  expect(status).toBe(0);
  expect(stdout).toContain(`in: ${edgeName(7)}; out: ${edgeName(1)}`);
  expect(stdout).toContain('Would write plain.test.zone');
  expect(await Promise.all(files.map(identity))).toEqual(before);
});

test('a slow but passing edge is no longer kept', async () => {
  await behave(edgeName(4), { kind: 'ok', delayMs: PATIENCE.slow * 1000 });
  expect((await site.run('edge_manage', ['--force'])).status).toBe(0);
  expect((await site.store(edgeName(4))).health).toMatch(/^pass_(window|average)$/);
  expect((await site.state()).last_live).toEqual(edges(1, 5, 6, 7));
  await behave(edgeName(4), { kind: 'refuse' }); // the other rounds need not wait for it
});

test('six failing canaries fail them all; their zones go back to the live set under a new serial', async () => {
  const before = (await zone('canary1.test')).serial;
  await behave(NUMBERS.slice(2, 8).map(canaryName), { kind: 'refuse' });
  expect((await site.run('edge_manage', ['--force'])).status).toBe(0);
  const state = await site.state();
  expect(state.active_canaries).toEqual({});
  expect(state.rotation_list).toHaveLength(3);
  expect((await zone('canary1.test')).apex).toEqual(edges(1, 5, 6, 7));
  expect((await zone('canary1.test')).serial).toBeGreaterThan(before);
});

test('an edited include file is written, a broken one keeps its old zone file and the run its status', async () => {
  const old = await site.read('named/canary2.test.zone');
  await site.write(`zones/${NETWORK}/plain.test.zone`, 'mail IN A 192.0.2.26\n');
  await site.write(`zones/${NETWORK}/canary2.test.zone`, 'www IN A not-an-address\n');
  expect((await site.run('edge_manage', ['--force'])).status).toBe(0);
  expect(await site.read('named/plain.test.zone')).toContain('192.0.2.26');
  expect(await site.read('named/canary2.test.zone')).toBe(old);
  expect(await site.read('edgemanage.log')).toContain(`${NETWORK}/canary2.test.zone:1:`);

  await site.write(`zones/${NETWORK}/canary2.test.zone`, 'ftp IN CNAME www\n');
  expect((await site.run('edge_manage', ['--force'])).status).toBe(0);
  expect((await zone('canary2.test')).apex).toEqual(edges(1, 5, 6, 7));
});

test('when every edge fails the last live set stays', async () => {
  await behave(NUMBERS.map(edgeName), { kind: 'refuse' });
  const { serial } = await zone('plain.test');
  expect((await site.run('edge_manage', ['--force'])).status).toBe(0);
  expect((await site.state()).last_live).toEqual(edges(1, 5, 6, 7));
  expect((await zone('plain.test')).serial).toBe(serial);
  expect((await site.store(edgeName(1))).state).toBe('in');
});

test('--force-update writes every zone file under a new serial', async () => {
  const { serial } = await zone('plain.test');
  expect((await site.run('edge_manage', ['--force', '--force-update'])).status).toBe(0);
  for (const name of ['plain.test', 'canary1.test', 'canary2.test'])
    expect((await zone(name)).serial).toBeGreaterThan(serial);
});
