import { type AnyOperation, json, operation } from '../../http/operation.ts';
import type { SecondaryView } from '../../views/views.ts';
import { type SecondaryJson, secondaryListSchema } from '../schemas/secondary.ts';

export const SECONDARIES: readonly AnyOperation[] = [
  operation({
    method: 'GET',
    path: '/api/v1/secondaries',
    summary: 'Serials of the secondaries',
    tag: 'zones',
    access: 'read',
    answers: { 200: { description: 'A row per secondary and zone', schema: secondaryListSchema } },
    handle: ({ view }) => json(200, { secondaries: view.secondaries().map(secondaryRow) }),
  }),
];

export function secondaryRow(row: SecondaryView): SecondaryJson {
  return {
    secondary: row.secondary,
    zone: row.zone,
    network: row.network,
    serial: row.serial,
    our_serial: row.ourSerial,
    state: row.state,
    lag_seconds: row.lagSeconds,
    checked_at: row.checkedAt,
    error: row.error,
  };
}
