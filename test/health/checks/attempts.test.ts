import { createSecureContext } from 'node:tls';
import { afterAll, expect, test, vi } from 'vitest';
import { probeAddress } from '../../../src/health/checks/attempts.ts';
import type { ProbePlan } from '../../../src/health/checks/protocol.ts';
import type { CheckTest } from '../../../src/health/checks/registry.ts';
import { MockEdge } from '../../support/mock-edge.ts';
import type { MockBehaviour } from '../../support/mock-edge-script.ts';

const edges: MockEdge[] = [];
afterAll(() => Promise.all(edges.map((edge) => edge.close())));

const TOOLS = {
  userAgent: 'Edgewise/test',
  trust: () => createSecureContext(),
  stalls: { late: () => 0, total: () => 0 },
  signal: new AbortController().signal,
  pause: async () => {},
};

async function check(name: string, behaviour: MockBehaviour, timeout = 20): Promise<CheckTest> {
  const edge = await MockEdge.start({ address: '127.0.0.1', port: 0, body: 'object', behaviour });
  edges.push(edge);
  const where = {
    host: 'demo.test',
    port: edge.port,
    proto: 'http',
    uri: '/',
    body: null,
    status: null,
    verify: true,
  } as const;
  return { kind: 'http', name, timeout, ...where, headers: [], ca: null, hostIsEdge: false, maxBytes: 1000 };
}

const probe = async (plan: Pick<ProbePlan, 'checks' | 'combine'>) => {
  const target = { edge: '127.0.0.1', address: '127.0.0.1', resolve: null };
  return (await probeAddress(target, { timeout: 20, retry: 2, workers: 1, ...plan }, TOOLS)).fetch;
};

test('all must pass: the failing one decides, every one has its own figures', async () => {
  const checks = [await check('web', { kind: 'ok' }), await check('api', { kind: 'status', status: 503 })];
  const fetch = await probe({ checks, combine: 'all' });
  expect(fetch).toMatchObject({ check: 'api', seconds: 20, fail: { reason: 'status', detail: 'status 503' } });
  expect(fetch.checks).toMatchObject([
    { name: 'web', kind: 'http', fail: null, attempts: 1 },
    { name: 'api', kind: 'http', fail: { reason: 'status' }, seconds: 20 },
  ]);
  expect(fetch.checks[0].seconds).toBeLessThan(20);
});

test('one is enough', async () => {
  const checks = [await check('web', { kind: 'refuse' }), await check('api', { kind: 'ok' })];
  const fetch = await probe({ checks, combine: 'any' });
  expect(fetch).toMatchObject({ check: 'api', fail: null, attempts: 1 });
  expect(fetch.seconds).toBe(fetch.checks[1].seconds);
  expect(fetch.checks[0]).toMatchObject({ name: 'web', fail: { reason: 'refused' }, attempts: 2 });
});

test('a check has its own timeout, and a failure counts with the network’s', async () => {
  const checks = [await check('slow', { kind: 'silent' }, 0.2), await check('web', { kind: 'ok' })];
  const fetch = await probe({ checks, combine: 'all' });
  expect(fetch).toMatchObject({
    check: 'slow',
    seconds: 20,
    fail: { reason: 'timeout', detail: expect.stringMatching(/^0\.200 s passed/) },
  });
});

test('a check that never ends says nothing of the edge, and does not hold up its turn', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const checks = [await check('web', { kind: 'refuse' }), await check('api', { kind: 'ok' })];
    const target = { edge: '127.0.0.1', address: '127.0.0.1', resolve: null };
    let pauses: () => void = () => undefined;
    const paused = new Promise<void>((resolve) => {
      pauses = resolve;
    });
    const pause = (): Promise<void> => {
      pauses();
      return new Promise(() => undefined);
    };
    const plan = { checks, combine: 'all', timeout: 20, retry: 2, workers: 1 } as const;
    const probed = probeAddress(target, plan, { ...TOOLS, pause });
    await paused;
    vi.advanceTimersByTime(25_000);
    const { fetch } = await probed;
    expect(fetch).toMatchObject({
      check: 'web',
      fail: { unknown: true, detail: expect.stringContaining('has not ended') },
    });
  } finally {
    vi.useRealTimers();
  }
});
