import { z } from 'zod';
import { type Json, seconds } from './fields.ts';

export const livezSchema = z
  .object({
    status: z.literal('ok'),
    version: z.string().optional().describe('For whoever may read.'),
  })
  .meta({ id: 'Livez', description: 'The process works.' });

export const readyzSchema = z
  .object({
    status: z.enum(['ok', 'not ready']),
    ready: z.boolean().describe('Whether DNS queries are answered.'),
  })
  .meta({ id: 'Readyz', description: 'Whether DNS queries are answered.' });

export const healthSchema = z
  .object({
    status: z.enum(['ok', 'failing']).describe('`failing` when there are reasons; its HTTP status is 503.'),
    ready: z.boolean().describe('Whether DNS queries are answered.'),
    reasons: z.array(z.string()).describe('A sentence for each thing that does not work.'),
    warnings: z
      .array(z.string())
      .describe('What should be looked at although everything is answered; it does not make the status `failing`.'),
    version: z.string(),
    uptime_seconds: seconds,
  })
  .meta({ id: 'Health', description: 'Whether all is well, and every reason why not.' });

export const healthBriefSchema = healthSchema
  .pick({ status: true, ready: true })
  .meta({ id: 'HealthBrief', description: 'Whether all is well, for whoever may not read more (`http.read`).' });

export type HealthJson = Json<typeof healthSchema>;
