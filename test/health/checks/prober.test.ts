import type { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { Prober, type ProberOptions } from '../../../src/health/checks/prober.ts';
import type { Sample } from '../../../src/health/checks/sample.ts';
import { MockEdge } from '../../support/mock-edge.ts';
import { makeCertificates } from '../../support/mock-edge-certificates.ts';
import type { MockBehaviour } from '../../support/mock-edge-script.ts';
import { type HttpProbe, httpPlan } from '../../support/probe-plan.ts';

const BODY = 'the object';
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

let shared: Prober;
beforeAll(async () => {
  shared = await Prober.start({ userAgent: 'Edgewise/test' });
});
afterAll(() => shared.stop());

/** Edges 127.0.8.1, … on one port, in the order given. */
async function mocks(...behaviours: readonly MockBehaviour[]): Promise<readonly MockEdge[]> {
  const edges: MockEdge[] = [];
  for (const [i, behaviour] of behaviours.entries()) {
    const port = edges[0]?.port ?? 0;
    const edge = await MockEdge.start({ address: `127.0.8.${i + 1}`, port, body: BODY, behaviour });
    cleanups.push(() => edge.close());
    edges.push(edge);
  }
  return edges;
}

/** A prober of the test's own, and the threads it starts. */
async function start(
  options: Partial<ProberOptions> = {},
): Promise<{ readonly prober: Prober; readonly threads: Worker[] }> {
  const threads: Worker[] = [];
  const note = (worker: Worker): void => {
    threads.push(worker);
  };
  process.on('worker', note);
  const prober = await Prober.start({ userAgent: 'Edgewise/test', ...options });
  cleanups.push(async () => {
    process.off('worker', note);
    await prober.stop();
  });
  return { prober, threads };
}

function request(edges: readonly MockEdge[], test: Partial<HttpProbe> = {}) {
  return {
    network: 'net',
    plan: httpPlan({ port: edges[0]?.port ?? 0, uri: '/object.txt', timeout: 3, maxBytes: 100_000, ...test }),
    targets: edges.map(({ address }) => ({ name: address, canary: false })),
    spread: 0.05,
    canaryKiller: 0,
  };
}

test('a round: a sample for every edge, each told as it comes, and nothing left open', async () => {
  const edges = await mocks(
    { kind: 'ok' },
    { kind: 'refuse' },
    { kind: 'status', status: 500 },
    { kind: 'silent' },
    { kind: 'stall-body' },
    { kind: 'endless' },
    { kind: 'raw', text: 'garbage\r\n' },
    { kind: 'reset', when: 'body' },
    { kind: 'redirect-loop' },
    { kind: 'ok', delayMs: 50 },
  );
  const told: Sample[] = [];
  const result = await shared.round(request(edges), (sample) => told.push(sample));
  expect(Array.from(result.samples, ([edge, sample]) => [edge, sample.fail?.reason ?? 'ok']).sort()).toEqual([
    ['127.0.8.1', 'ok'],
    ['127.0.8.10', 'ok'],
    ['127.0.8.2', 'refused'],
    ['127.0.8.3', 'status'],
    ['127.0.8.4', 'timeout'],
    ['127.0.8.5', 'timeout'],
    ['127.0.8.6', 'too-large'],
    ['127.0.8.7', 'protocol'],
    ['127.0.8.8', 'reset'],
    ['127.0.8.9', 'redirects'],
  ]);
  expect(new Set(told)).toEqual(new Set(result.samples.values()));
  expect(result.samples.get('127.0.8.10')?.seconds).toBeGreaterThanOrEqual(0.049);
  expect(result.cancelled).toEqual([]);
  await Promise.all(edges.map((edge) => edge.idle()));
  expect(edges[0]?.requests[0]?.head).toContain('User-Agent: Edgewise/test\r\n');
});

test('names are looked up by the system', async () => {
  const edge = await MockEdge.start({ address: '127.0.0.1', port: 0, body: BODY });
  cleanups.push(() => edge.close());
  const targets = ['localhost', 'no-such-name.invalid'].map((name) => ({ name, canary: false }));
  const { samples } = await shared.round({ ...request([edge]), targets });
  expect(samples.get('localhost')).toMatchObject({ fail: null, primary: { address: '127.0.0.1' } });
  expect(samples.get('no-such-name.invalid')).toMatchObject({ fail: { reason: 'resolve' }, primary: null });
});

test('a round is cut short: rejected at once, its connections closed, other networks and the next round untouched', async () => {
  const edges = await mocks({ kind: 'silent' }, { kind: 'stall-body' }, { kind: 'stall-header' });
  const [hanging, good] = [request(edges, { timeout: 600 }), await mocks({ kind: 'ok' })];
  const asked = Promise.all(edges.map((edge) => edge.asked()));
  const round = shared.round(hanging);
  const other = shared.round({ ...request(good), network: 'other' });
  await asked;
  shared.cancel('net');
  shared.cancel('nobody');
  await expect(round).rejects.toThrow('the probing round of net was cut short');
  await Promise.all(edges.map((edge) => edge.idle()));
  expect((await other).samples.size).toBe(1);
  expect((await shared.round(request(good))).samples.size).toBe(1);
});

test('certificates are believed from the authorities that the test names', async () => {
  const { ca, good } = makeCertificates('demo.test');
  const edge = await MockEdge.start({ address: '127.0.8.1', port: 0, body: BODY, tls: good });
  cleanups.push(() => edge.close());
  const asked = (more: Partial<HttpProbe>) => shared.round(request([edge], { proto: 'https', ...more }));
  expect((await asked({ ca })).samples.get(edge.address)?.fail).toBeNull();
  expect((await asked({ ca: null })).samples.get(edge.address)?.fail).toMatchObject({ reason: 'tls' });
  expect((await asked({ ca: null, verify: false })).samples.get(edge.address)?.fail).toBeNull();
});

test('rounds of two networks run side by side, two of one do not', async () => {
  const edges = await mocks({ kind: 'ok', delayMs: 100 });
  const first = shared.round(request(edges));
  await expect(shared.round(request(edges))).rejects.toThrow('a probing round of net is still running');
  const other = shared.round({ ...request(edges), network: 'other' });
  const results = await Promise.all([first, other]);
  expect(results.map(({ samples }) => samples.size)).toEqual([1, 1]);
  expect((await shared.round(request(edges))).samples.size).toBe(1);
});

test('canaries that are cancelled have no sample', async () => {
  const edges = await mocks({ kind: 'refuse' }, { kind: 'refuse' }, { kind: 'ok' });
  const targets = edges.map(({ address }) => ({ name: address, canary: true }));
  const result = await shared.round({ ...request(edges, { workers: 1 }), targets, canaryKiller: 2 });
  expect([...result.samples.keys()]).toEqual(['127.0.8.1', '127.0.8.2']);
  expect(result.cancelled).toEqual(['127.0.8.3']);
});

describe('the thread', () => {
  test('dies: its rounds are rejected, another takes its place', async () => {
    const edges = await mocks({ kind: 'silent' }, { kind: 'ok' });
    const trouble: string[] = [];
    const { prober, threads } = await start({ onTrouble: (message) => trouble.push(message) });
    const round = prober.round(request(edges, { timeout: 60 }));
    const other = prober.round({ ...request(edges, { timeout: 60 }), network: 'other' });
    const rejected = Promise.all([
      expect(round).rejects.toThrow('the prober thread died: exit code 1'),
      expect(other).rejects.toThrow('the prober thread died: exit code 1'),
    ]);
    expect(prober.alive).toBe(true);
    await threads[0]?.terminate();
    await rejected;
    expect(trouble).toEqual(['the prober thread died: exit code 1']);
    await Promise.all(edges.map((edge) => edge.idle()));
    const { samples } = await prober.round(request(edges));
    expect(prober.alive).toBe(true);
    expect(samples.size).toBe(2);
    expect(threads).toHaveLength(2);
  });

  test('reports a problem: the round is finished, then another takes its place', async () => {
    const edges = await mocks({ kind: 'ok', delayMs: 100 });
    const trouble: string[] = [];
    const { prober, threads } = await start({ onTrouble: (message) => trouble.push(message) });
    const round = prober.round(request(edges));
    threads[0]?.emit('message', { kind: 'problem', message: 'a bug' });
    expect((await round).samples.size).toBe(1);
    expect(threads).toHaveLength(2);
    expect(trouble).toEqual(['the prober met a problem and will be replaced after the round: a bug']);
    expect((await prober.round(request(edges))).samples.size).toBe(1);
    expect(threads).toHaveLength(2);
  });

  test('falls silent: its rounds are rejected, another takes its place', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    cleanups.push(async () => {
      vi.useRealTimers();
    });
    const edges = await mocks({ kind: 'ok' });
    const { prober, threads } = await start();
    threads[0]?.removeAllListeners('message');
    const round = prober.round(request(edges));
    const rejected = expect(round).rejects.toThrow('the prober thread fell silent during a round of net');
    vi.advanceTimersByTime(60_000);
    await rejected;
    expect((await prober.round(request(edges))).samples.size).toBe(1);
    expect(threads).toHaveLength(2);
  });
});

describe('a turn that never ends', () => {
  test('is found while others of its network report', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    cleanups.push(async () => {
      vi.useRealTimers();
    });
    const edges = await mocks({ kind: 'ok' });
    const trouble: string[] = [];
    const { prober, threads } = await start({ onTrouble: (message) => trouble.push(message) });
    const turn = { ...request(edges), settle: 1 };
    const receive = threads[0]?.listeners('message') ?? [];
    threads[0]?.removeAllListeners('message');
    const hanging = prober.round(turn);
    const rejected = expect(hanging).rejects.toThrow('the prober did not end a round of net');
    await new Promise((resolve) => threads[0]?.on('message', ({ kind }) => kind === 'done' && resolve(null)));
    threads[0]?.removeAllListeners('message');
    for (const one of receive) threads[0]?.on('message', (message) => one(message));
    let ended = false;
    void rejected.then(() => {
      ended = true;
    });
    for (let i = 0; i < 100 && !ended; i++) {
      expect((await prober.round(turn)).samples.size).toBe(1);
      vi.advanceTimersByTime(20_000);
    }
    await rejected;
    expect(trouble).toEqual(['the prober did not end a round of net']);
    expect((await prober.round(turn)).samples.size).toBe(1);
    expect(threads).toHaveLength(2);
  });
});

describe('stop', () => {
  test('ends a round and its connections at once', async () => {
    const edges = await mocks({ kind: 'silent' });
    const { prober } = await start();
    const round = prober.round(request(edges, { timeout: 60 }));
    const rejected = expect(round).rejects.toThrow('the prober was stopped');
    await vi.waitUntil(() => edges[0]?.open === 1);
    await prober.stop();
    await rejected;
    await edges[0]?.idle();
    await expect(prober.round(request(edges))).rejects.toThrow('the prober is stopped');
    await prober.stop();
  });
});
