import { z } from 'zod';
import { count, epochSeconds, type Json } from './fields.ts';
import { healthSchema } from './health.ts';
import { networkSummarySchema } from './network.ts';

export const statusSchema = healthSchema
  .extend({
    started_at: epochSeconds,
    networks: z.array(networkSummarySchema).describe('Sorted by name.'),
    zones: z.object({ ok: count, stale: count, broken: count }).describe('How many there are in each state.'),
    tls_certificate_ends: epochSeconds
      .nullable()
      .describe('When the first of the certificates for DNS over TLS and HTTP ends, epoch seconds; null: no TLS.'),
    dns: z
      .object({
        queries: count,
        answers: z
          .record(z.string(), count)
          .describe('By response code, as in `NXDOMAIN`; those that were never sent are missing.'),
        dropped: count.describe('Messages that no query is in, which get no reply.'),
        rate_limited: count.describe('Answers that the rate limit withheld or sent truncated.'),
      })
      .describe('Since the start; two answers give the rates.'),
  })
  .meta({ id: 'Status', description: 'This server in a few lines.' });

export type StatusJson = Json<typeof statusSchema>;
