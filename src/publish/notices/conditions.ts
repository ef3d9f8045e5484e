/** Standing conditions: what is observed of them in one place, compared with what a target knows. Pure. */
import { isAtLeast, keyOf, type NoticeEvent } from './event.ts';

/** Events whose conditions are observed together. Of a network: those that its decisions have. */
export type Scope = string;

/**
 * All conditions of a scope that stand at this moment, one an event; what is not among them has ended. `unknown`: keys of
 * those of which nothing is known at this moment, so that they stay as they were. `endings`: how one ended, by key, where
 * there is more to say than that.
 */
export type Observation = {
  readonly scope: Scope;
  readonly standing: readonly NoticeEvent[];
  readonly unknown?: ReadonlySet<string>;
  readonly endings?: ReadonlyMap<string, string>;
};

const OF_DECISIONS: ReadonlySet<string> = new Set([
  'edge_down',
  'hold',
  'below_min_up',
  'no_live_edge',
  'uplink_in_doubt',
]);

const DECISION = 'decision ';

/** The scope of a network's decisions. */
export function decisionScope(network: string): Scope {
  return `${DECISION}${network}`;
}

/** The network whose decisions a scope is about; null: it is about something else. */
export function networkOf(scope: Scope): string | null {
  return scope.startsWith(DECISION) ? scope.slice(DECISION.length) : null;
}

export function scopeOf({ name, labels }: Pick<NoticeEvent, 'name' | 'labels'>): Scope {
  return OF_DECISIONS.has(name) ? decisionScope(labels.network ?? '') : name;
}

export type Difference = {
  /** Those that are worse than what is known of them included. */
  readonly began: readonly (readonly [key: string, event: NoticeEvent])[];
  readonly ended: readonly (readonly [key: string, summary: string])[];
};

/** What an observation changes for somebody who takes the conditions `known` (by key) to stand. */
export function difference(
  { scope, standing, unknown, endings }: Observation,
  known: ReadonlyMap<string, NoticeEvent>,
): Difference {
  const now = new Map(standing.map((event) => [keyOf(event), event]));
  return {
    began: [...now].filter(([key, event]) => {
      const before = known.get(key);
      return before === undefined || !isAtLeast(before.severity, event.severity);
    }),
    ended: [...known]
      .filter(([key, event]) => scopeOf(event) === scope && !now.has(key) && unknown?.has(key) !== true)
      .map(([key, event]) => [key, endings?.get(key) ?? endedText(event)]),
  };
}

function endedText({ name, labels, summary }: NoticeEvent): string {
  if (name === 'zone_broken') return `zone ${labels.zone} loads again, or is no longer served`;
  return `no longer so: ${summary}`;
}
