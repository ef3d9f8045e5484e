import { z } from 'zod';
import { count, epochSeconds, type Json, seconds, serial } from './fields.ts';
import { saySchema } from './member.ts';

const decider = z.object({
  vantage: z.string().nullable().describe('Null: none is known.'),
  is_self: z.boolean(),
  token: z.string().nullable(),
  since: epochSeconds.nullable().describe("By this server's clock, epoch seconds; null: not known."),
});

const override = z.object({
  reason: z.string(),
  by: z.string(),
  at: epochSeconds,
  until: epochSeconds.nullable().describe('Epoch seconds; null: until it is ended.'),
});

const vantagePoint = z.object({
  vantage: z.string(),
  is_self: z.boolean(),
  reachable: z.boolean(),
  last_heard: seconds.nullable().describe('Seconds since it was last heard of; null: never.'),
  version: z.string().nullable(),
  clock_offset: z.number().nullable().describe('Its clock less ours, seconds; null: not known.'),
  problem: z.string().nullable().describe('What is wrong with the way to it, a sentence; null: nothing.'),
});

const networkOfVantages = z.object({
  network: z.string(),
  serial: serial.describe('Of the live set as it is answered here.'),
  decided: z
    .object({ serial, at: epochSeconds, by: z.string(), token: z.string() })
    .nullable()
    .describe('The newest set that was stored; null: none is known, or each vantage decides for itself.'),
  counting: count.describe('Views that count now, our own included.'),
  needed: count.describe('How many must count for anything to be decided.'),
  views: z.array(
    z.object({
      vantage: z.string(),
      age: z.number().nullable().describe('Seconds; null: none was ever received.'),
      turn: z.number().nullable(),
      same_config: z.boolean().nullable().describe('Whether what decides is configured as here; null: not known.'),
      counts: z.boolean(),
      serial: serial.nullable().describe('Of the live set as that vantage answers it; null: not known.'),
    }),
  ),
  suspects: z
    .array(z.object({ edge: z.string(), says: z.array(saySchema) }))
    .describe('Edges that some see down and the quorum does not.'),
});

export const vantageSchema = z
  .object({
    engine: z.enum(['peers', 'etcd']),
    vantage: z.string().describe("This server's own."),
    now: epochSeconds.describe("The server's clock at the answer, epoch seconds."),
    connected: z.boolean().nullable().describe('Whether etcd answers; null with peers.'),
    decider: decider.nullable().describe('Who decides for all; null with peers, where each decides for itself.'),
    override: override.nullable().describe("An operator's: this server decides alone. Null: there is none."),
    vantages: z.array(vantagePoint).describe('This one among them.'),
    networks: z.array(networkOfVantages),
    faults: z.array(z.string()).describe('What does not work, a sentence each.'),
  })
  .meta({ id: 'Vantage', description: 'Several vantage points: who decides, and which views count.' });

export type VantageJson = Json<typeof vantageSchema>;
