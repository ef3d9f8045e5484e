import type { TargetStatus } from '../../../../publish/providers/target-status.ts';
import { type AnyOperation, json, operation } from '../../http/operation.ts';
import { type PublishJson, publishListSchema } from '../schemas/publish.ts';

export const PUBLISH: readonly AnyOperation[] = [
  operation({
    method: 'GET',
    path: '/api/v1/publish',
    summary: "Sets that are kept at other people's DNS",
    tag: 'publish',
    access: 'read',
    answers: { 200: { description: 'A row a target', schema: publishListSchema } },
    handle: ({ view }) => json(200, { publish: view.providers().map(publishRow) }),
  }),
];

export function publishRow({ name, kind, network, names, state, since, held, ...row }: TargetStatus): PublishJson {
  return {
    target: name,
    provider: kind,
    network,
    names,
    state,
    since,
    last_right: row.lastRight,
    problem: row.problem?.text ?? null,
    corrections: row.corrections,
    failures: row.failures,
    foreign_changes: row.foreignChanges,
    sets: held.map((set) => ({ name: set.name, type: set.type, ttl: set.ttl, addresses: set.addresses })),
  };
}
