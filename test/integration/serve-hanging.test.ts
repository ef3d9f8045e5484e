import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EdgewiseServer, eventually } from '../support/edgewise.ts';
import { Installation, NETWORK, OBJECT } from '../support/installation.ts';
import { MockFleet } from '../support/mock-fleet.ts';
import { freePort } from '../support/ports.ts';

/** Three hundred edges of which two hundred do not answer: nobody waits for those. */

const GOOD = Array.from({ length: 100 }, (_, i) => `127.94.1.${i + 1}`);
const BAD = Array.from({ length: 200 }, (_, i) => `127.94.2.${i + 1}`);

let fleet: MockFleet;
let site: Installation;
let server: EdgewiseServer | null = null;

beforeAll(async () => {
  fleet = await MockFleet.start([...GOOD, ...BAD], OBJECT);
});
afterAll(() => fleet.close());

beforeEach(async () => {
  await fleet.behave(GOOD, { kind: 'ok' });
  const mixed = BAD.flatMap((bad, i) => (i % 2 === 0 ? [bad, GOOD[i / 2]] : [bad]));
  site = await Installation.make({
    edges: mixed,
    port: fleet.port,
    zones: { 'good.test': '' },
    keys: {
      run_frequency: 5,
      workers: 10,
      dnschange_maxfreq: 1000,
      logpath: null,
      server: { listen: [`127.0.0.1:${await freePort()}`], startup_timeout: 60 },
      http: { listen: `127.0.0.1:${await freePort()}` },
    },
  });
});
afterEach(async () => {
  await server?.stop('SIGKILL');
  server = null;
  await site.remove();
});

async function start(): Promise<EdgewiseServer> {
  server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
  return server;
}

const answers = (): Promise<readonly string[]> => server?.dig('good.test', 'A') ?? Promise.resolve([]);
const timeouts = (): number => server?.output.match(/failed: timeout/g)?.length ?? 0;

test.each(['silent', 'refuse'] as const)(
  '200 are %s: the first answer and a dead live edge wait for none',
  async (kind) => {
    await fleet.behave(BAD, { kind });
    await start();
    const live = await answers();
    expect(live).toHaveLength(4);
    expect(live.every((address) => GOOD.includes(address))).toBe(true);
    if (kind === 'silent') expect(timeouts()).toBeLessThan(BAD.length);

    const [dead] = live;
    await fleet.behave(dead, { kind: 'refuse' });
    // Ten workers and ten seconds made this some three minutes.
    const left = await eventually(answers, (seen) => !seen.includes(dead), 30);
    expect(left).toHaveLength(4);
  },
);

describe('with 200 that hang', () => {
  beforeEach(() => fleet.behave(BAD, { kind: 'silent' }));

  test('four live edges that die together cost one rotation', async () => {
    await start();
    const live = await answers();
    const rotations = (await site.state()).rotation_list.length;
    await fleet.behave(live, { kind: 'refuse' });
    const left = await eventually(answers, (seen) => live.every((address) => !seen.includes(address)), 30);
    expect(left).toHaveLength(4);
    const state = await site.state();
    expect(state.rotation_list.length).toBe(rotations + 1);
    expect([...state.last_live].sort()).toEqual(left);
    const record = await site.read(`${NETWORK}.rounds.jsonl`);
    expect(record).toContain(left[0]);
  });

  test('and that are to be asked again before they have answered: it says so', async () => {
    await start();
    const metrics = await eventually(
      () => server?.get('/metrics') ?? Promise.reject(new Error('no server')),
      ({ text }) => /edgewise_network_round_overlong\{network="mynet"\} 1/.test(text),
    );
    expect(metrics.status).toBe(200);
    const { text } = (await server?.get('/healthz')) ?? { text: '' };
    expect(text).toMatch(/of \d+ edges had not answered when they were to be asked again; run_frequency is no longer/);
    expect(server?.output).toContain('had not answered when they were to be asked again');
  });
});
