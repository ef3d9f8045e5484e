import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { decodeRecord, type RoundRecord } from '../../src/health/state/history-log-record.ts';
import { EdgewiseServer, eventually } from '../support/edgewise.ts';
import { Installation, NETWORK } from '../support/installation.ts';
import { MockFleet } from '../support/mock-fleet.ts';
import { countingKeys, listenKeys } from '../support/serve-keys.ts';

/** Results in a row, counted by a server: against the clock nothing is measured, its own log says what it counted. */

const EDGES = ['127.95.1.1', '127.95.1.2', '127.95.1.3'];
const [EDGE] = EDGES;
const FALL = 5;

let fleet: MockFleet;
let site: Installation;
let server: EdgewiseServer | null = null;

beforeAll(async () => {
  fleet = await MockFleet.start(EDGES, 'anything');
});
afterAll(() => fleet.close());

beforeEach(async () => {
  site = await Installation.make({
    edges: EDGES,
    port: fleet.port,
    zones: { 'good.test': '' },
    keys: {
      ...countingKeys(fleet.port, { rise: 2, fall: FALL }),
      ...(await listenKeys()),
    },
  });
});
afterEach(async () => {
  await server?.stop('SIGKILL');
  server = null;
  await site.remove();
});

async function start(): Promise<void> {
  server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
}

const answers = (): Promise<readonly string[]> => server?.dig('good.test', 'A') ?? Promise.resolve([]);

async function rounds(): Promise<readonly RoundRecord[]> {
  const text = await site.read(`${NETWORK}.rounds.jsonl`);
  return text.split('\n').flatMap((line) => decodeRecord(line) ?? []);
}

/** Results of the edge that were decided upon, each once, oldest first. */
function results(records: readonly RoundRecord[]): ReadonlyMap<number, boolean> {
  return new Map(
    records.flatMap(({ facts }) => {
      const sample = facts.edges.find(({ name }) => name === EDGE)?.sample ?? null;
      return sample === null ? [] : [[sample.at, sample.fail === null] as const];
    }),
  );
}

/** Where the edge came into the live set last, or left it. */
function changeTo(live: boolean, records: readonly RoundRecord[]): number {
  const isIn = records.map(({ decided }) => decided.live.includes(EDGE));
  return isIn.findLastIndex((is, i) => i > 0 && is === live && isIn[i - 1] !== live);
}

async function counted(): Promise<number> {
  const { edgewise } = (await site.state()) as unknown as { edgewise: { judged: Record<string, { count: number }> } };
  return edgewise.judged[EDGE].count;
}

test('an edge leaves with the last failure that is needed, over kill -9, and is back with the second pass', async () => {
  await start();
  await eventually(answers, (seen) => seen.length === EDGES.length, 30);
  await fleet.behave(EDGE, { kind: 'refuse' });
  const before = await eventually(counted, (count) => count >= 1, 30);
  expect(before).toBeLessThan(FALL);
  await server?.stop('SIGKILL');
  expect(await counted()).toBeGreaterThanOrEqual(before);

  await start();
  await eventually(answers, (seen) => !seen.includes(EDGE), 60);
  // What was counted before the kill may be missing in the log, which is written behind the answer.
  const left = await eventually(rounds, (all) => all.at(-1)?.decided.live.includes(EDGE) === false, 30);
  const leaving = changeTo(false, left);
  const judged = left[leaving].facts.memory.judged.get(EDGE);
  expect(judged).toMatchObject({ up: true, count: FALL - 1 });

  await fleet.behave(EDGE, { kind: 'ok' });
  await eventually(answers, (seen) => seen.includes(EDGE), 60);
  const back = await eventually(rounds, (all) => all.at(-1)?.decided.live.includes(EDGE) === true, 30);
  const passes = [...results(back.slice(leaving)).values()].slice(-2);
  expect(passes).toEqual([true, true]);
  const returning = changeTo(true, back);
  expect(back[returning].facts.memory.judged.get(EDGE)).toMatchObject({ up: false, count: 1 });
});
