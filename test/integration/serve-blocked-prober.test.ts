import { afterEach, beforeEach, expect, test } from 'vitest';
import { EdgewiseServer, eventually } from '../support/edgewise.ts';
import { Installation } from '../support/installation.ts';
import { MockFleet } from '../support/mock-fleet.ts';
import { freePort } from '../support/ports.ts';

/** The prober's thread is really blocked: a module that is loaded into it spins for ever once a file is there. */

const EDGES = ['127.96.3.1', '127.96.3.2', '127.96.3.3'];
const [DEAD, ...ALIVE] = EDGES;

let fleet: MockFleet;
let site: Installation;
let server: EdgewiseServer;

beforeEach(async () => {
  fleet = await MockFleet.start(EDGES, 'anything');
  site = await Installation.make({
    edges: EDGES,
    port: fleet.port,
    zones: { 'good.test': '' },
    keys: {
      run_frequency: 600, // the next turn is no help
      checks: { mynet: [{ kind: 'tcp', port: fleet.port, send: 'GET / HTTP/1.0\r\n\r\n', expect: 'HTTP/1.1 200' }] },
      safety: { mynet: { fill: 'none' } },
      logpath: null,
      server: { listen: [`127.0.0.1:${await freePort()}`], startup_timeout: 60 },
      http: { listen: `127.0.0.1:${await freePort()}` },
    },
  });
  const spin = `
    import { existsSync, rmSync } from 'node:fs';
    import { workerData } from 'node:worker_threads';
    const file = ${JSON.stringify(site.path('spin'))};
    if (workerData?.beats !== undefined) setInterval(() => {
      if (!existsSync(file)) return;
      rmSync(file);
      for (;;);
    }, 50);`;
  const preload = `data:text/javascript,${encodeURIComponent(spin)}`;
  server = EdgewiseServer.spawn(site.path('edgemanage.yaml'), [], {}, ['--import', preload]);
  await server.ready();
});
afterEach(async () => {
  await server.stop('SIGKILL');
  await fleet.close();
  await site.remove();
});

test('it is replaced within seconds, the edges are asked anew at once, and it is an alarm', async () => {
  const answers = async (): Promise<string> => [...(await server.dig('good.test', 'A'))].sort().join(' ');
  await eventually(answers, (seen) => seen === EDGES.join(' '));
  await fleet.behave(DEAD, { kind: 'refuse' });
  await site.write('spin', '');
  await server.prints(/the prober thread was blocked for 1\d s and is replaced/);
  await eventually(answers, (seen) => seen === ALIVE.join(' '), 30);
  expect((await server.get('/healthz')).text).toMatch(/prober: \d+ s ago: the prober thread was blocked/);
  const { text } = await server.get('/metrics');
  expect(text).toContain('edgewise_prober_troubles_total 1');
  expect(text).toContain('edgewise_prober_up 1');
});
