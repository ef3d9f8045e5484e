import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { NetworkJson } from '../../src/server/control/api/json.ts';
import { EdgewiseServer, eventually } from '../support/edgewise.ts';
import { Installation, NETWORK } from '../support/installation.ts';
import { MockFleet } from '../support/mock-fleet.ts';
import { freePort } from '../support/ports.ts';

/** Reloads of a server whose next turn is ten minutes away: what they change counts at once, or not in this test. */

const EDGES = ['127.96.1.1', '127.96.1.2', '127.96.1.3', '127.96.1.4'];
/** The first ones are asked again soon, the third in five minutes. */
const [A, B, C, DEAD] = EDGES;
const CHECK = { kind: 'tcp', send: 'GET / HTTP/1.0\r\n\r\n', expect: 'HTTP/1.1 200' };

let fleet: MockFleet;
let site: Installation;
let server: EdgewiseServer;

beforeAll(async () => {
  fleet = await MockFleet.start(EDGES, 'anything');
  await fleet.behave(DEAD, { kind: 'refuse' });
});
afterAll(() => fleet.close());

beforeEach(async () => {
  await fleet.behave(C, { kind: 'ok' });
  site = await Installation.make({
    edges: EDGES,
    port: fleet.port,
    zones: { 'good.test': '' },
    keys: {
      run_frequency: 600,
      edge_count: 3,
      dnschange_maxfreq: 1000,
      checks: { [NETWORK]: [{ ...CHECK, port: fleet.port }] },
      logpath: null,
      server: { listen: [`127.0.0.1:${await freePort()}`], startup_timeout: 60 },
      http: { listen: `127.0.0.1:${await freePort()}` },
    },
  });
  server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
  await eventually(answers, (seen) => seen.length === 3);
});
afterEach(async () => {
  await server.stop('SIGKILL');
  await site.remove();
});

const answers = async (): Promise<readonly string[]> => [...(await server.dig('good.test', 'A'))].sort();

async function network(): Promise<NetworkJson> {
  return JSON.parse((await server.get(`/api/v1/networks/${NETWORK}`)).text);
}

async function reload(keys: Readonly<Record<string, unknown>>): Promise<void> {
  const config = { ...parse(await site.read('edgemanage.yaml')), ...keys };
  await site.replace('edgemanage.yaml', stringify(config));
  server.child.kill('SIGHUP');
}

async function list(edges: readonly string[]): Promise<void> {
  await site.replace(`edges/${NETWORK}`, `${edges.join('\n')}\n`);
  server.child.kill('SIGHUP');
}

test('safety and number of edges: the emergency is answered at once, and so is its end', async () => {
  await reload({ safety: { [NETWORK]: { min_up: 4, below: 'all' } } });
  await eventually(answers, (seen) => seen.join() === EDGES.join());
  await reload({ safety: {} });
  await eventually(answers, (seen) => seen.join() === [A, B, C].join());
  await reload({ edge_count: 2 });
  await eventually(answers, (seen) => seen.length === 2);
});

test('another judge: what it says of the known results is seen at once', async () => {
  const { at: before } = await network();
  await reload({ judges: { [NETWORK]: { rise_fall: { rise: 2, fall: 3 } } } });
  await eventually(network, (seen) => seen.at !== before);
  await fleet.behave(C, { kind: 'refuse' });
  await reload({ workers: 7 });
  const why = async (): Promise<string> => (await network()).edges.find(({ edge }) => edge === C)?.why ?? '';
  await eventually(why, (seen) => seen.includes('1 of 3 failures in a row'), 20);
  expect(await answers()).toHaveLength(3);
  await reload({ judges: {}, safety: { [NETWORK]: { fill: 'none' } } });
  await eventually(answers, (seen) => seen.join() === [A, B].join());
});

test('lists: an edge that is no longer listed leaves at once, and a new one is asked at once', async () => {
  await list([A, B, DEAD]);
  await eventually(answers, (seen) => seen.join() === [A, B].join());
  await list([C, DEAD]);
  await eventually(answers, (seen) => seen.join() === C);
});

test('checks: the edges are asked anew at once, and it is decided by what they answer now', async () => {
  await reload({ checks: { [NETWORK]: [{ ...CHECK, port: fleet.port, expect: 'another text' }] } });
  const failing = ({ edges }: NetworkJson): number => edges.filter(({ judgement }) => judgement === 'fail').length;
  await eventually(network, (seen) => failing(seen) === EDGES.length);
  expect(await answers()).toHaveLength(3);
  await reload({ checks: { [NETWORK]: [{ ...CHECK, port: fleet.port }] } });
  await eventually(network, (seen) => failing(seen) === 1);
});
