import { z } from 'zod';
import { count, epochSeconds, type Json, serial } from './fields.ts';

export const ZONE_STATES = ['ok', 'stale', 'broken'] as const;

export const zoneSchema = z
  .object({
    zone: z.string().describe('As the operator named it, without a final dot.'),
    network: z.string().nullable().describe('Null: a static zone.'),
    state: z
      .enum(ZONE_STATES)
      .describe('`stale`: the last good version is served; `broken`: there is none, it answers SERVFAIL.'),
    serial: serial.nullable().describe('As the SOA says; null when broken.'),
    records: count,
    file: z.string(),
    loaded_at: epochSeconds.nullable().describe('Epoch seconds; null: no version was ever loaded.'),
    signatures_end: epochSeconds
      .nullable()
      .describe('Of a zone that was signed elsewhere: when its first signature ends, epoch seconds; else null.'),
    faults: z.array(z.string()).describe('Of the last attempt to load it, as text with file, line and column.'),
  })
  .meta({ id: 'Zone', description: 'A zone as it is served.' });

export type ZoneJson = Json<typeof zoneSchema>;

export const zoneListSchema = z
  .object({
    zones: z.array(zoneSchema).describe('Sorted by name.'),
    next: z.string().nullable().describe('Send it as `after` for those that follow; null: there are none.'),
  })
  .meta({ id: 'ZoneList' });

export type ZoneListJson = Json<typeof zoneListSchema>;
