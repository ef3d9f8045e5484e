import { rm } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { EdgewiseServer, eventually } from '../support/edgewise.ts';
import { Installation, NETWORK } from '../support/installation.ts';
import { MockFleet } from '../support/mock-fleet.ts';
import { freePort } from '../support/ports.ts';

/** A network with too few edges borrows the set of another one, as long as that is better than ours. */

const [DEAD, OURS, SPARE, OTHER_SPARE] = ['127.96.2.1', '127.96.2.2', '127.96.2.3', '127.96.2.4'];

let fleet: MockFleet;
let site: Installation;
let server: EdgewiseServer;

beforeAll(async () => {
  fleet = await MockFleet.start([DEAD, OURS, SPARE, OTHER_SPARE], 'anything');
  await fleet.behave(DEAD, { kind: 'refuse' });
});
afterAll(() => fleet.close());

beforeEach(async () => {
  const checks = [{ kind: 'tcp', port: fleet.port, send: 'GET / HTTP/1.0\r\n\r\n', expect: 'HTTP/1.1 200' }];
  site = await Installation.make({
    edges: [DEAD, OURS],
    port: fleet.port,
    zones: { 'good.test': '' },
    keys: {
      run_frequency: 3,
      dnschange_maxfreq: 1000,
      checks: { [NETWORK]: checks, spare: checks },
      safety: { [NETWORK]: { min_up: 2, below: { fallback: 'spare' } }, spare: { fill: 'none' } },
      logpath: null,
      server: { listen: [`127.0.0.1:${await freePort()}`], startup_timeout: 60 },
      http: { listen: `127.0.0.1:${await freePort()}` },
    },
  });
  await site.write('edges/spare', `${SPARE}\n${OTHER_SPARE}\n`);
  server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
});
afterEach(async () => {
  await server.stop('SIGKILL');
  await site.remove();
});

const answers = async (): Promise<string> => [...(await server.dig('good.test', 'A'))].sort().join(' ');
const answered = (wanted: string): Promise<string> => eventually(answers, (seen) => seen === wanted);

test('it is followed, left while none of it passes, taken again, and gone with a reload', async () => {
  await answered(`${SPARE} ${OTHER_SPARE}`);
  await fleet.behave(SPARE, { kind: 'refuse' });
  await answered(OTHER_SPARE);
  await fleet.behave(OTHER_SPARE, { kind: 'refuse' });
  await answered(OURS);
  const shown = async (): Promise<string> => (await server.get(`/api/v1/networks/${NETWORK}`)).text;
  await expect.poll(shown).toContain('spare does not answer instead, because no live edge of spare passes');
  await fleet.behave([SPARE, OTHER_SPARE], { kind: 'ok' });
  await answered(`${SPARE} ${OTHER_SPARE}`);

  const { safety: _, checks, ...config } = parse(await site.read('edgemanage.yaml'));
  await rm(site.path('edges/spare'));
  await site.replace('edgemanage.yaml', stringify({ ...config, checks: { [NETWORK]: checks[NETWORK] } }));
  server.child.kill('SIGHUP');
  await server.prints(/network spare is no longer served/);
  await answered(OURS);
});
