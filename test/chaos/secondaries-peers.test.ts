import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/edgewise.ts';
import { Peer, type PeerKind } from '../support/peers.ts';
import { freePort } from '../support/ports.ts';
import { Vantages, ZONE } from './vantages.ts';

/**
 * BIND, NSD and Knot have two of three vantages as primaries, which stop in the middle of flips: killed, or ended. No
 * secondary ever falls back, or has another zone than the primaries under the same serial: it may go on with the one what
 * it began with the other.
 */

const KINDS: readonly PeerKind[] = ['bind', 'nsd', 'knot'];
let all: Vantages;
const secondaries: Peer[] = [];

beforeAll(async () => {
  const ports = [await freePort(), await freePort(), await freePort()];
  const notify = ports.map((port) => ({ to: `127.0.0.1:${port}` }));
  all = await Vantages.start({ block: 96, keys: { transfer: { allow: [{ from: '127.0.0.1' }], notify, watch: 1 } } });
  const primary = all.all.slice(0, 2).map(({ dnsPort }) => ({ address: '127.0.0.1', port: dnsPort }));
  for (const [i, kind] of KINDS.entries()) {
    secondaries.push(await Peer.start(kind, { port: ports[i], zones: [{ origin: ZONE, primary }], awaitZones: false }));
    all.lookAt(kind, ports[i]);
  }
});

afterAll(async () => {
  for (const secondary of secondaries) await secondary.stop();
  await all?.stop();
});

/** Everybody answers what should be answered now, under one serial. */
async function followed(): Promise<void> {
  const running = all.all.filter(({ server, isPaused }) => server !== null && !isPaused);
  const serial = await all.agreed(all.live, running);
  for (const kind of KINDS) await all.answers(kind, all.live, serial);
}

test.each([
  { how: 'killed', primary: 0 },
  { how: 'killed', primary: 1 },
  { how: 'ended', primary: 1 },
] as const)('primary $primary is $how in the middle of flips', async ({ how, primary }) => {
  const one = all.all[primary];
  await all.ready();
  await followed();
  // The change that is under way when it stops is one that some secondaries began to take from it.
  const before = await all.agreed(all.live);
  all.flip();
  await eventually(
    async () => all.log.some((entry) => entry.kind === 'set' && entry.serial > before),
    (isStored) => isStored,
  );
  all.mark('broken', `${one.name} ${how}`);
  if (how === 'killed') await one.kill();
  else await one.end();
  await followed();
  await all.ready(all.others(one));
  all.flip();
  await followed();
  await one.begin();
  await all.agreed(all.live);
  all.mark('healed', one.name);
  await all.ready();
  all.flip();
  await followed();
  await all.caughtUp();
  expect(all.violations()).toEqual([]);
});
