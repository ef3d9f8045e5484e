import { createSecureContext } from 'node:tls';
import { probeAddress } from '../../src/health/checks/attempts.ts';
import type { HttpTest } from '../../src/health/checks/http-fail.ts';
import type { ProbePlan } from '../../src/health/checks/protocol.ts';
import type { CheckTest } from '../../src/health/checks/registry.ts';
import type { Fetch } from '../../src/health/checks/sample.ts';

/** One address asked by a plan, without pauses between tries and without stalls; `ca` null: nobody is trusted. */
export async function probeBy(plan: ProbePlan, address = '127.0.0.1', signal?: AbortSignal): Promise<Fetch> {
  const tools = {
    userAgent: 'Edgewise/test',
    trust: (ca: string | null) => createSecureContext(ca === null ? {} : { ca }),
    stalls: { late: () => 0, total: () => 0 },
    signal: signal ?? new AbortController().signal,
    pause: async () => {},
  };
  return (await probeAddress({ edge: address, address, resolve: null }, plan, tools)).fetch;
}

/** One check alone, once. */
export function planOf(check: CheckTest): ProbePlan {
  return { checks: [check], combine: 'all', timeout: 10, retry: 1, workers: 1 };
}

/** An http check that takes any answer of `demo.test` at this port. */
export function httpTestAt(port: number, more: Partial<HttpTest> = {}): HttpTest {
  return {
    kind: 'http',
    name: 'http',
    timeout: 5,
    host: 'demo.test',
    port,
    proto: 'http',
    uri: '/health',
    verify: true,
    ca: null,
    status: null,
    body: null,
    headers: [],
    hostIsEdge: false,
    maxBytes: 100_000,
    ...more,
  };
}
