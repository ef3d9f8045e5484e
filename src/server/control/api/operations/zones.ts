import { formatFault } from '../../../../system/fault.ts';
import { type AnyOperation, json, operation } from '../../http/operation.ts';
import type { ZoneView } from '../../views/views.ts';
import { type ZoneJson, zoneListSchema } from '../schemas/zone.ts';

export const ZONES: readonly AnyOperation[] = [
  operation({
    method: 'GET',
    path: '/api/v1/zones',
    summary: 'The zones, their serials and faults',
    tag: 'zones',
    access: 'read',
    answers: { 200: { description: 'Sorted by name', schema: zoneListSchema } },
    handle: ({ view }) => json(200, { zones: view.zones().map(zoneRow) }),
  }),
];

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
