import { Resolver } from 'node:dns/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EdgewiseServer } from '../support/edgewise.ts';
import { Installation, OBJECT, program } from '../support/installation.ts';
import { MockFleet } from '../support/mock-fleet.ts';
import { freePort } from '../support/ports.ts';

/**
 * kill -9 of a server whose edges keep dying and coming back: at random moments, and every other time at the moment when
 * a new serial is first seen, since what was answered once must be on disk. After each restart, before any new round
 * can have ended: the served set is the one in the state file, the serial never fell, and every sample that was on disk
 * is still there. `EDGEWISE_CRASHES=100 npx vitest run test/integration/serve-crash.test.ts` is the long run.
 */
const CRASHES = Number(process.env['EDGEWISE_CRASHES'] ?? 8);
const EDGES = ['127.80.0.1', '127.80.0.2', '127.80.0.3', '127.80.0.4', '127.80.0.5', '127.80.0.6'];
const ZONE = 'one.test';

let site: Installation;
let fleet: MockFleet;

beforeAll(async () => {
  fleet = await MockFleet.start(EDGES, OBJECT);
  site = await Installation.make({
    edges: EDGES,
    port: fleet.port,
    zones: { [ZONE]: 'mail IN A 192.0.2.25\n' },
    keys: {
      run_frequency: 1,
      dnschange_maxfreq: 100_000,
      logpath: null,
      server: { listen: [`127.0.0.1:${await freePort()}`], udp_workers: 1 },
      http: false,
    },
  });
});

afterAll(async () => {
  await fleet?.close();
  await site?.remove();
});

/** What the disk holds: all of it must be readable at any moment. */
async function onDisk(): Promise<{ readonly live: readonly string[]; readonly samples: ReadonlySet<string> }> {
  const samples = new Set<string>();
  for (const file of await site.list('health')) {
    if (!file.endsWith('.edgestore')) continue;
    const edge = file.slice(0, -'.edgestore'.length);
    for (const time of Object.keys((await site.store(edge)).fetch_times)) samples.add(`${edge} ${time}`);
  }
  return { live: (await site.state()).last_live, samples };
}

test(
  `${CRASHES} crashes lose nothing`,
  async () => {
    let highest = 0;
    let kept: ReadonlySet<string> = new Set();
    for (let crash = 0; crash < CRASHES; crash++) {
      const saved = crash === 0 ? null : await onDisk();
      for (const sample of kept) expect(saved?.samples.has(sample), `sample ${sample} after crash ${crash}`).toBe(true);
      if (crash > 0) {
        const { stdout: checked } = await program('named-checkzone', [ZONE, site.path('named', `${ZONE}.zone`)]);
        expect(checked).toContain('OK');
      }
      // Silent edges: no round can end before we have looked.
      await fleet.behave(EDGES, { kind: crash === 0 ? 'ok' : 'silent' });
      const server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
      try {
        const served = await server.dig(ZONE, 'A');
        const serial = Number((await server.dig(ZONE, 'SOA'))[0].split(' ')[2]);
        if (saved !== null) expect(served).toEqual(saved.live);
        expect(serial).toBeGreaterThanOrEqual(highest);
        highest = serial;

        // Hangs up on the fetches that wait, so that there are rounds.
        await fleet.behave(EDGES, { kind: 'refuse' });
        const atFlip = crash % 2 === 1;
        for (const edge of EDGES) {
          // One live edge stays dead and the others work: the set will change.
          const dead = atFlip ? edge === served[0] : Math.random() < 0.3;
          await fleet.behave(edge, { kind: dead ? 'refuse' : 'ok' });
        }
        const resolver = new Resolver({ timeout: 5000, tries: 3 });
        resolver.setServers([`127.0.0.1:${server.dnsPort}`]);
        const end = performance.now() + (atFlip ? 60_000 : 200 + Math.random() * 2000);
        do {
          highest = Math.max(highest, (await resolver.resolveSoa(ZONE)).serial);
          if (atFlip && highest > serial) break;
          kept = (await onDisk()).samples;
        } while (performance.now() < end);
        if (atFlip) expect(highest).toBeGreaterThan(serial);
      } finally {
        await server.stop('SIGKILL');
      }
    }
    expect(highest).toBeGreaterThan(0);
  },
  30_000 + CRASHES * 100_000, // starts take long on a machine with other work
);
