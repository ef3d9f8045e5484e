import { expect, test } from 'vitest';
import type { ProbeRound, RoundResult } from '../../../src/health/checks/prober.ts';
import type { Sample } from '../../../src/health/checks/sample.ts';
import { UplinkProbes } from '../../../src/health/pools/uplink-probes.ts';
import { BASE, parse } from '../../config/config-fixture.ts';
import { sample } from '../../support/round-input.ts';

const FILES = { objects: new Map(), authorities: new Map() };

function configOf(reference: string) {
  const { config, faults } = parse(`${BASE}safety: {net: {reference: ${reference}}}\n`);
  if (config === null) throw new Error(JSON.stringify(faults));
  return config;
}

const TWO = configOf('[{address: 127.0.0.1, kind: tcp, port: 1, name: a}, {address: 127.0.0.2, kind: tcp, port: 2}]');

/** A prober whose answers are ours: true passes, false fails, null is unknown, an error is thrown. */
class Lab {
  clock = 100;
  answers: Record<string, boolean | null | Error> = { '127.0.0.1': true, '127.0.0.2': true };
  readonly asked: ProbeRound[] = [];
  readonly cancelled: string[] = [];
  readonly probes = new UplinkProbes(
    'net',
    {
      round: async (request): Promise<RoundResult> => {
        this.asked.push(request);
        await Promise.resolve();
        const [{ name }] = request.targets;
        const answer = this.answers[name];
        if (answer instanceof Error) throw answer;
        const samples = new Map<string, Sample>();
        if (answer !== null) samples.set(name, sample(name, answer ? 0.1 : 10));
        const unknown = answer === null ? [{ edge: name, why: 'no permission' }] : [];
        return { samples, unknown, startedAt: 0, seconds: 0, cancelled: [], overdue: [], loopDelayMs: 0 };
      },
      cancel: (network) => this.cancelled.push(network),
    },
    () => this.clock,
  );
  readonly facts = async () => (await this.probes.facts(TWO, FILES)).references?.map(({ passes }) => passes);
}

test('each is asked with its own check at its own address, in a round of its own', async () => {
  const lab = new Lab();
  expect(await lab.facts()).toEqual([true, true]);
  expect(lab.asked.map(({ targets, plan }) => [targets[0].name, plan.checks[0]])).toMatchObject([
    ['127.0.0.1', { kind: 'tcp', port: 1 }],
    ['127.0.0.2', { kind: 'tcp', port: 2 }],
  ]);
  expect(new Set(lab.asked.map(({ network }) => network)).size).toBe(2);
  lab.probes.cancel();
  expect(lab.cancelled).toEqual(lab.asked.map(({ network }) => network));
});

test('what is our own trouble is not known', async () => {
  const lab = new Lab();
  lab.answers = { '127.0.0.1': null, '127.0.0.2': new Error('the prober thread fell silent') };
  const { references } = await lab.probes.facts(TWO, FILES);
  expect(references).toEqual([
    { name: 'a', passes: null, detail: 'no permission' },
    { name: 'tcp 127.0.0.2 port 2', passes: null, detail: 'the prober thread fell silent' },
  ]);
});

test('one that failed at the start of a turn has failed at its end', async () => {
  const lab = new Lab();
  const turn = lab.probes.begin();
  lab.answers['127.0.0.1'] = false;
  await lab.probes.ask(TWO, FILES);
  lab.answers['127.0.0.1'] = true;
  lab.clock += 10;
  expect(await lab.facts()).toEqual([false, true]);
  turn.end();
  lab.clock += 50;
  const next = lab.probes.begin();
  expect(await lab.facts()).toEqual([true, true]);
  next.end();
});

test('a turn that still runs keeps what was found in it, although the next one begins', async () => {
  const lab = new Lab();
  const turn = lab.probes.begin();
  lab.answers['127.0.0.1'] = false;
  await lab.probes.ask(TWO, FILES);
  lab.answers['127.0.0.1'] = true;
  lab.clock += 60;
  const next = lab.probes.begin();
  expect(await lab.facts()).toEqual([false, true]);
  turn.end();
  next.end();
  lab.clock += 60;
  lab.probes.begin();
  expect(await lab.facts()).toEqual([true, true]);
});

test('whoever asks meanwhile gets the same answer', async () => {
  const lab = new Lab();
  await Promise.all([lab.probes.ask(TWO, FILES), lab.probes.ask(TWO, FILES), lab.facts()]);
  expect(lab.asked).toHaveLength(2);
});

test('without references nothing is asked, and nothing said', async () => {
  const lab = new Lab();
  expect(await lab.probes.facts(configOf('[]'), FILES)).toEqual({});
  expect(lab.asked).toEqual([]);
});

test('a reload takes references away and brings others', async () => {
  const lab = new Lab();
  lab.probes.begin();
  lab.answers['127.0.0.1'] = false;
  expect(await lab.facts()).toEqual([false, true]);
  const { references } = await lab.probes.facts(configOf('[{address: 127.0.0.2, kind: tcp, port: 2}]'), FILES);
  expect(references?.map(({ name, passes }) => [name, passes])).toEqual([['tcp 127.0.0.2 port 2', true]]);
});
