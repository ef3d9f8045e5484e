import { z } from 'zod';
import { rcodeName } from '../../../../dns/rcode-name.ts';
import type { StatsSum } from '../../../stats.ts';
import { type AnyOperation, json, operation } from '../../http/operation.ts';
import { healthBody, healthReasons } from '../../views/healthz.ts';
import type { StatusView } from '../../views/views.ts';
import { networkSummary } from '../network.ts';
import { type StatusJson, statusSchema } from '../schemas/server.ts';

/** `exclude[]=zones`, as the exporters of Prometheus have it. */
const exclude = z
  .object({
    'exclude[]': z
      .union([z.string(), z.array(z.string())])
      .optional()
      .describe('`zones`: without what has a sample for each zone.'),
  })
  .transform((query) => ({ zones: ![query['exclude[]'] ?? []].flat().includes('zones') }));

/** The server as a whole. */
export const SERVER: readonly AnyOperation[] = [
  operation({
    method: 'GET',
    path: '/api/v1/status',
    summary: 'This server in a few lines',
    tag: 'server',
    access: 'read',
    answers: { 200: { description: 'The server', schema: statusSchema } },
    handle: ({ view }) => json(200, status(view)),
  }),
  operation({
    method: 'GET',
    path: '/metrics',
    summary: 'For Prometheus',
    tag: 'metrics',
    access: 'read',
    query: exclude,
    answers: { 200: { description: 'Exposition text', type: 'text/plain' } },
    handle: async ({ metrics }, { query }) => ({
      status: 200,
      type: metrics.contentType,
      body: await metrics.body(query),
    }),
  }),
];

export function status(view: StatusView): StatusJson {
  const { ok, stale, broken } = view.zoneStates();
  const reasons = healthReasons(view);
  return {
    ...healthBody(view, reasons),
    started_at: view.startedAt,
    networks: view.networks().map(networkSummary),
    zones: { ok, stale: stale.length, broken: broken.length },
    tls_certificate_ends: view.tlsNotAfter(),
    dns: dnsCounters(view.stats()),
  };
}

function dnsCounters({ queries, answers, events }: StatsSum): StatusJson['dns'] {
  const sums = new Map<string, number>();
  for (const { rcode, count } of answers) sums.set(rcodeName(rcode), count + (sums.get(rcodeName(rcode)) ?? 0));
  return {
    queries: queries.reduce((sum, { count }) => sum + count, 0),
    answers: Object.fromEntries(sums),
    dropped: events.dropped,
    rate_limited: events.rate_limited + events.rate_slipped,
  };
}
