import { z } from 'zod';
import { formatFault } from '../../../../system/fault.ts';
import { type AnyOperation, json, operation } from '../../http/operation.ts';
import { problem, problemSchema } from '../../http/problem.ts';
import type { ZoneView } from '../../views/views.ts';
import { ZONE_STATES, type ZoneJson, type ZoneListJson, zoneListSchema, zoneSchema } from '../schemas/zone.ts';

/** Of zones in an answer, where a limit is asked for. */
const ZONES_MAX = 1000;

const page = z.object({
  limit: z.coerce.number().int().min(1).max(ZONES_MAX).optional().describe('So many at most; left out: all of them.'),
  after: z.string().optional().describe('Those after this name, such as `next` of another answer.'),
  state: z.enum(ZONE_STATES).optional().describe('Only those in this state.'),
  network: z.string().optional().describe('Only those of this network.'),
});

export const ZONES: readonly AnyOperation[] = [
  operation({
    method: 'GET',
    path: '/api/v1/zones',
    summary: 'The zones, their serials and faults',
    tag: 'zones',
    access: 'read',
    query: page,
    answers: { 200: { description: 'Sorted by name', schema: zoneListSchema } },
    handle: ({ view }, { query }) => json(200, zoneList(view.zones(), query)),
  }),
  operation({
    method: 'GET',
    path: '/api/v1/zones/{zone}',
    summary: 'One zone',
    tag: 'zones',
    access: 'read',
    params: z.object({ zone: z.string() }),
    answers: {
      200: { description: 'The zone', schema: zoneSchema },
      404: { description: 'There is none of this name', schema: problemSchema, type: 'application/problem+json' },
    },
    handle: ({ view }, { params: { zone } }) => {
      const name = zone.toLowerCase().replace(/(?!^)\.$/, '');
      const found = view.zones().find((each) => each.name.toLowerCase() === name);
      return found === undefined ? problem(404, `no zone ${JSON.stringify(zone)}`) : json(200, zoneRow(found));
    },
  }),
];

function zoneList(zones: readonly ZoneView[], { limit, after, state, network }: z.infer<typeof page>): ZoneListJson {
  const from = after === undefined ? 0 : startAfter(zones, after);
  const wanted = zones
    .slice(from)
    .filter((zone) => (state ?? zone.state) === zone.state && (network ?? zone.network) === zone.network);
  if (limit === undefined) return { zones: wanted.map(zoneRow), next: null };
  const shown = wanted.slice(0, limit);
  const next = wanted.length > limit ? shown[shown.length - 1].name : null;
  return { zones: shown.map(zoneRow), next };
}

/** Where the zone is gone that another answer ended with, those of later names follow. */
function startAfter(zones: readonly ZoneView[], after: string): number {
  const at = zones.findIndex(({ name }) => name === after);
  if (at !== -1) return at + 1;
  const later = zones.findIndex(({ name }) => name > after);
  return later === -1 ? zones.length : later;
}

export function zoneRow({
  name,
  network,
  state,
  serial,
  records,
  file,
  loadedAt,
  signaturesEnd,
  faults,
}: ZoneView): ZoneJson {
  return {
    zone: name,
    network,
    state,
    serial: state === 'broken' ? null : serial,
    records,
    file,
    loaded_at: loadedAt === 0 ? null : loadedAt,
    signatures_end: signaturesEnd,
    faults: faults.map(formatFault),
  };
}
