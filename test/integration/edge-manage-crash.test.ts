import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Locks } from '../../src/system/lock.ts';
import { Installation, NETWORK, OBJECT, type StateJson } from '../support/installation.ts';
import { MockFleet } from '../support/mock-fleet.ts';

/**
 * `edge_manage` killed with SIGKILL at random moments, while the live set changes from run to run: in turn at a moment of
 * time and at a file operation, of which most of a run's time has none. After each kill every file is whole, serials went up only, what a zone file says was decided before it was written, and nothing recorded by
 * the last completed run is lost. `EDGEWISE_CRASHES=100 npx vitest run test/integration/edge-manage-crash.test.ts` for more.
 */
const CRASHES = Number(process.env['EDGEWISE_CRASHES'] ?? 20);
const COMPLETE_EVERY = 5;

const KILLER = new URL('../support/kill-at-operation.mjs', import.meta.url).href;

const EDGES = Array.from({ length: 8 }, (_, i) => `127.77.3.${i + 1}`);
const CANARY = '127.77.3.100';
const ZONES = ['plain.test', 'canary.test', 'other.test'];

let site: Installation;
let fleet: MockFleet;

beforeAll(async () => {
  fleet = await MockFleet.start([...EDGES, CANARY], OBJECT);
  site = await Installation.make({
    edges: EDGES,
    port: fleet.port,
    canaries: { 'canary.test': CANARY },
    zones: Object.fromEntries(ZONES.map((zone) => [zone, 'mail IN A 192.0.2.1\n'])),
    keys: { dnschange_maxfreq: 100_000 },
  });
});

afterAll(async () => {
  await fleet?.close();
  await site?.remove();
});

type ZoneFile = { readonly serial: number; readonly apex: readonly string[] };

/** A zone file that is read to its last record, which the include file gives; null: not written yet. */
async function zoneFile(zone: string): Promise<ZoneFile | null> {
  const text = await site.read(`named/${zone}.zone`).catch(() => null);
  if (text === null) return null;
  expect(text).toMatch(new RegExp(`^mail\\.${zone}\\..*192\\.0\\.2\\.1\\n$`, 'm'));
  const apex = [...text.matchAll(/^(\S+)\t\d+\tIN\tA\t(\S+)$/gm)].filter((row) => row[1] === `${zone}.`);
  const serial = Number(/\bSOA\b\s+\S+\s+\S+\s+(\d+)/.exec(text)?.[1]);
  expect(serial).toBeGreaterThan(0);
  return { serial, apex: apex.map((row) => row[2]).sort() };
}

/** What a completed run left: a lower bound of what must be found after every kill from then on. */
type Known = {
  readonly samples: ReadonlyMap<string, readonly string[]>;
  readonly rotations: readonly number[];
  readonly serials: ReadonlyMap<string, number>;
};

async function known(state: StateJson): Promise<Known> {
  const samples = new Map<string, readonly string[]>();
  for (const edge of [...EDGES, CANARY]) samples.set(edge, Object.keys((await site.store(edge)).fetch_times));
  const serials = new Map<string, number>();
  for (const zone of ZONES) serials.set(zone, (await zoneFile(zone))?.serial ?? 0);
  return { samples, rotations: state.rotation_list, serials };
}

async function expectConsistent(before: Known): Promise<void> {
  const state = await site.state(); // parses, so it is whole
  expect(state.rotation_list.slice(0, before.rotations.length)).toEqual(before.rotations);
  for (const [edge, stamps] of before.samples) {
    const now = new Set(Object.keys((await site.store(edge)).fetch_times));
    expect(stamps.filter((stamp) => !now.has(stamp))).toEqual([]);
  }
  for (const zone of ZONES) {
    const file = await zoneFile(zone);
    expect(file?.serial).toBeGreaterThanOrEqual(before.serials.get(zone) ?? 0);
    if (zone === 'canary.test') continue; // one of its addresses is the canary's
    // Never ahead of the durable state, and what it says is what was decided under that serial.
    expect(file?.serial).toBeLessThanOrEqual(state.edgewise.serial);
    if (file?.serial === state.edgewise.serial) expect(file.apex).toEqual(state.last_live);
  }
  const leftovers = [...(await site.list('.')), ...(await site.list('health'))].filter((name) =>
    name.includes('.bad-'),
  );
  expect(leftovers).toEqual([]);
}

/** Another third of the edges fails each time, so that every run has something to write. */
async function shuffle(turn: number): Promise<void> {
  for (const [i, edge] of EDGES.entries()) {
    await fleet.behave(edge, i % 3 === turn % 3 ? { kind: 'refuse' } : { kind: 'ok' });
  }
}

/** A whole run, and how many file operations it took. */
async function complete(): Promise<{ readonly before: Known; readonly operations: number }> {
  const counted = site.path('operations');
  const { status, stderr } = await site.run('edge_manage', ['--force'], underKiller({ EDGEWISE_COUNT_IN: counted }));
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const state = await site.state();
  for (const zone of ZONES.filter((name) => name !== 'canary.test')) {
    expect((await zoneFile(zone))?.apex).toEqual(state.last_live);
  }
  expect((await zoneFile('canary.test'))?.apex).toContain(CANARY);
  const hidden = [...(await site.list('.')), ...(await site.list('health'))].filter((name) => name.endsWith('.tmp'));
  expect(hidden).toEqual([]); // what killed runs left half-written is swept
  return { before: await known(state), operations: Number(await site.read('operations')) };
}

function underKiller(order: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import ${KILLER}`, ...order };
}

/** Started and killed: at a file operation of `operations`, or at a moment of `usualMs`. */
async function killedRun(how: 'operation' | 'moment', operations: number, usualMs: number): Promise<void> {
  const at = String(1 + Math.floor(operations * Math.random()));
  const child = site.start(
    'edge_manage',
    ['--force'],
    how === 'operation' ? underKiller({ EDGEWISE_KILL_AT: at }) : {},
  );
  const exit = once(child, 'exit');
  // A run spends its first part starting up: the kills are spread over the rest, where it fetches and writes.
  const timer =
    how === 'moment' ? setTimeout(() => child.kill('SIGKILL'), usualMs * (0.3 + 0.7 * Math.random())) : undefined;
  await exit;
  clearTimeout(timer);
}

test(`${CRASHES} kills at random moments`, { timeout: 120_000 + CRASHES * 10_000 }, async () => {
  const started = Date.now();
  let { before, operations } = await complete();
  const usualMs = Date.now() - started;
  expect(operations).toBeGreaterThan(EDGES.length);
  for (let crash = 1; crash <= CRASHES; crash++) {
    await shuffle(crash);
    await killedRun(crash % 2 === 0 ? 'moment' : 'operation', operations, usualMs);
    await expectConsistent(before);
    const locks = Locks.open(site.path('edgemanage.lock'));
    expect(locks.isLocked('network', NETWORK)).toBe(false);
    locks.close();
    if (crash % COMPLETE_EVERY === 0) ({ before, operations } = await complete());
  }
});
