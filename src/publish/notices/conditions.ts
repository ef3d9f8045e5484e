/** Standing conditions: what is observed of them in one place, compared with what a target knows. Pure. */
import { keyOf, type NoticeEvent } from './event.ts';

/** Events whose conditions are observed together. Of a network: those that its decisions have. */
export type Scope = string;

/**
 * All conditions of a scope that stand at this moment, one an event; what is not among them has ended. `endings`: how one
 * ended, by key, where there is more to say than that.
 */
export type Observation = {
  readonly scope: Scope;
  readonly standing: readonly NoticeEvent[];
  readonly endings?: ReadonlyMap<string, string>;
};

const OF_DECISIONS: ReadonlySet<string> = new Set([
  'edge_down',
  'hold',
  'below_min_up',
  'no_live_edge',
  'uplink_in_doubt',
]);

/** The scope of a network's decisions. */
export function decisionScope(network: string): Scope {
  return `decision ${network}`;
}

export function scopeOf({ name, labels }: Pick<NoticeEvent, 'name' | 'labels'>): Scope {
  return OF_DECISIONS.has(name) ? decisionScope(labels.network ?? '') : name;
}

export type Difference = {
  readonly began: readonly (readonly [key: string, event: NoticeEvent])[];
  readonly ended: readonly (readonly [key: string, summary: string])[];
};

/** What an observation changes for somebody who takes the conditions `known` (by key) to stand. */
export function difference(
  { scope, standing, endings }: Observation,
  known: ReadonlyMap<string, NoticeEvent>,
): Difference {
  const now = new Map(standing.map((event) => [keyOf(event), event]));
  return {
    began: [...now].filter(([key]) => !known.has(key)),
    ended: [...known]
      .filter(([key, event]) => scopeOf(event) === scope && !now.has(key))
      .map(([key, event]) => [key, endings?.get(key) ?? endedText(event)]),
  };
}

function endedText({ summary }: NoticeEvent): string {
  return `no longer so: ${summary}`;
}
