import { z } from 'zod';
import { epochSeconds, type Json, seconds, serial } from './fields.ts';

export const secondarySchema = z
  .object({
    secondary: z.string().describe('Address and port, as configured.'),
    zone: z.string(),
    network: z.string().nullable().describe('Null: a static zone.'),
    serial: serial.nullable().describe('What it answered last; null: it never did.'),
    our_serial: serial,
    state: z
      .enum(['current', 'behind', 'ahead', 'unknown'])
      .describe(
        '`ahead`: its serial comes after ours, and it takes no version from here; `unknown`: it never answered.',
      ),
    lag_seconds: seconds
      .nullable()
      .describe(
        'How long it has not had our serial, being behind or ahead, seconds; 0: it has it; null: it never answered.',
      ),
    checked_at: epochSeconds.nullable().describe('Epoch seconds; null: not yet.'),
    error: z.string().nullable().describe('Null: none.'),
  })
  .meta({ id: 'Secondary', description: "A zone's serial at a secondary." });

export type SecondaryJson = Json<typeof secondarySchema>;

export const secondaryListSchema = z
  .object({ secondaries: z.array(secondarySchema).describe('A row per secondary and zone.') })
  .meta({ id: 'SecondaryList' });
