/** One edge as JSON: `GET /api/v1/networks/NET/edges/EDGE` (the schemas say what each key means). */
import { explain } from '../../../health/explain/explain.ts';
import type { NetworkView } from '../views/views.ts';
import { edgeVersion } from './edge-version.ts';
import { edgeRows } from './network.ts';
import { sampleJson } from './sample.ts';
import type { EdgeDetailJson, EdgeModeJson } from './schemas/edge-detail.ts';

/** Of the changes of an edge's mode that are shown. */
const MODE_CHANGES_MAX = 100;

/** Listed, or part of the last decision: those that left the list are answered until the next. */
function hasEdge({ edges, decision }: NetworkView, edge: string): boolean {
  return edges.includes(edge) || (decision?.reasons.has(edge) ?? false);
}

/** Null: the network has no such edge. */
export async function edgeDetail(network: NetworkView, edge: string, now: number): Promise<EdgeDetailJson | null> {
  if (!hasEdge(network, edge)) return null;
  // The file may be beyond reach; what is known of the edge is not.
  const modeChanges = await network.past.modeChanges(edge, MODE_CHANGES_MAX).catch(() => null);
  const rounds = network.recentFacts.map((facts) => ({ facts }));
  const explained = explain(rounds, { only: edge, interval: network.round.runFrequency });
  const own = explained?.edges.find((each) => each.edge === edge) ?? null;
  return {
    ...edgeRows(network)(edge),
    network: network.name,
    now,
    samples: (own?.samples ?? []).map(sampleJson),
    mode_changes: modeChanges?.map(({ edge: _, ...change }) => change) ?? null,
    explanation:
      explained === null || own === null
        ? null
        : { at: explained.at, scope: explained.scope, live: own.live, why: own.why, prospects: own.prospects ?? [] },
  };
}

/** Null: the network has no such edge. */
export function edgeMode(network: NetworkView, edge: string): EdgeModeJson | null {
  if (!hasEdge(network, edge)) return null;
  const member = network.members.get(edge);
  return {
    edge,
    mode: member?.mode ?? 'available',
    comment: member?.comment ?? '',
    mode_since: member?.modeSince ?? null,
    mode_until: member?.modeUntil ?? null,
    mode_version: edgeVersion(member),
  };
}
