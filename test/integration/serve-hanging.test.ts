import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { decodeRecord } from '../../src/health/state/history-log-record.ts';
import { EdgewiseServer, eventually } from '../support/edgewise.ts';
import { Installation, NETWORK, OBJECT, PATIENCE } from '../support/installation.ts';
import { MockFleet } from '../support/mock-fleet.ts';
import { listenKeys } from '../support/serve-keys.ts';

/** Three hundred edges of which two hundred do not answer: nobody waits for those. */

const GOOD = Array.from({ length: 100 }, (_, i) => `127.94.1.${i + 1}`);
const BAD = Array.from({ length: 200 }, (_, i) => `127.94.2.${i + 1}`);

const RUN_FREQUENCY = 5;

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
      run_frequency: RUN_FREQUENCY,
      workers: 10,
      dnschange_maxfreq: 1000,
      ...(await listenKeys()),
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
/** How many fetches had run into their time-out before the server was ready. */
const timeoutsBefore = (): number => server?.output.split('edgewise ready ')[0].match(/failed: timeout/g)?.length ?? 0;

/** The samples in an edge's record, oldest first: when (epoch seconds) and whether it passed. None before it is written. */
async function samplesOf(edge: string): Promise<readonly { readonly at: number; readonly passed: boolean }[]> {
  const times = await site.store(edge).then(
    ({ fetch_times }) => Object.entries(fetch_times),
    () => [],
  );
  return times
    .map(([at, seconds]) => ({ at: Number(at), passed: seconds < PATIENCE.timeout }))
    .sort((one, other) => one.at - other.at);
}

/** When the server decided that `dead` is not live any more, and when it had passed for the last time. */
async function deathOf(dead: string): Promise<{ readonly decidedAt: number; readonly passedAt: number }> {
  // Log and records are written behind the decision.
  const rounds = await eventually(
    async () => {
      const lines = (await site.read(`${NETWORK}.rounds.jsonl`)).split('\n');
      const all = lines.map(decodeRecord).filter((round) => round !== null);
      return all.slice(all.findIndex(({ decided }) => decided.live.includes(dead)));
    },
    (seen) => seen.some(({ decided }) => !decided.live.includes(dead)),
  );
  const samples = await eventually(
    () => samplesOf(dead),
    (seen) => seen.some(({ passed }) => !passed),
  );
  const decidedAt = rounds.find(({ decided }) => !decided.live.includes(dead))?.facts.now;
  const passedAt = samples[samples.findIndex(({ passed }) => !passed) - 1]?.at;
  if (decidedAt === undefined || passedAt === undefined) throw new Error(`${dead} never passed, or did not leave`);
  return { decidedAt, passedAt };
}

test.each(['silent', 'refuse'] as const)(
  '200 are %s: the first answer and a dead live edge wait for none',
  async (kind) => {
    await fleet.behave(BAD, { kind });
    await start();
    const live = await answers();
    expect(live).toHaveLength(4);
    expect(live.every((address) => GOOD.includes(address))).toBe(true);
    if (kind === 'silent') expect(timeoutsBefore()).toBeLessThan(BAD.length);

    const [dead] = live;
    await fleet.behave(dead, { kind: 'refuse' });
    // Ten workers and ten seconds made this some three minutes.
    const left = await eventually(answers, (seen) => !seen.includes(dead), 30);
    expect(left).toHaveLength(4);
    const { decidedAt, passedAt } = await deathOf(dead);
    // Within its interval and two seconds: by the server's own clock, and by the intervals that it kept, which a loaded
    // machine stretches.
    const others = await Promise.all(live.filter((one) => one !== dead).map(samplesOf));
    const intervals = others.flatMap((samples) => samples.slice(1).map(({ at }, i) => at - samples[i].at));
    expect(decidedAt - passedAt).toBeLessThan(Math.max(RUN_FREQUENCY, ...intervals) + 2);
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
