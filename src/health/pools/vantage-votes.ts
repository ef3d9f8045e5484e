/** What several vantages' views come to in a network's rounds, and by which rule. Pure. */
import type { VantageConfig } from '../../config/section-vantage.ts';
import type { Config } from '../../config/types.ts';
import { type Merged, type MergeRule, mayDecide } from '../agreement/merge.ts';
import { FRESH_INTERVALS, type ReceivedView } from '../agreement/view.ts';
import type { EdgeFacts } from '../judge/edge.ts';
import { majorityOf, type Say } from '../judge/quorum.ts';
import type { NetworkState } from '../state/network-state.ts';

/** All that have a vote, ourselves among them. */
export function membersOf(settings: VantageConfig): readonly string[] {
  return settings.engine === 'etcd' ? settings.members : [settings.name, ...settings.peers.map(({ name }) => name)];
}

/** How their votes are counted. */
export function ruleOf(settings: VantageConfig, { runFrequency: interval }: Config): MergeRule {
  const rule = { self: settings.name, members: membersOf(settings), interval };
  return settings.engine === 'etcd'
    ? { ...rule, kind: 'quorum', size: settings.quorum }
    : { ...rule, kind: 'peers', agreeing: settings.minPeersAgree };
}

/** What of merged views decides whether an edge may be answered. */
export function quorumsOf({ facts }: Merged): unknown {
  const of = ({ quorum }: EdgeFacts): unknown => [quorum?.up, quorum?.works];
  return [mayDecide(facts.views), facts.edges.map(of), facts.canaries.map(of)];
}

/** Who says what of the edges that join or leave. */
export function saysOf(
  { facts }: Merged,
  before: NetworkState,
  after: NetworkState,
): ReadonlyMap<string, readonly Say[]> {
  const names = (state: NetworkState): ReadonlySet<string> => new Set(state.live.map(({ edge }) => edge));
  const [old, now] = [names(before), names(after)];
  return new Map(
    facts.edges.flatMap(({ name, quorum }) =>
      quorum !== undefined && old.has(name) !== now.has(name) ? [[name, quorum.says] as const] : [],
    ),
  );
}

/**
 * A majority is configured alike, and not as we are (`own`, a `configHash`), so that one of them should decide. `interval`:
 * seconds between two views.
 */
export function othersCould(
  received: readonly ReceivedView[],
  {
    own,
    members,
    interval,
  }: { readonly own: string | undefined; readonly members: readonly string[]; readonly interval: number },
): boolean {
  const alike = new Map<string, number>();
  for (const { view, age } of received) {
    const { vantage, config } = view;
    if (config === own || age > interval * FRESH_INTERVALS || !members.includes(vantage)) continue;
    alike.set(config, (alike.get(config) ?? 0) + 1);
  }
  return [...alike.values()].some((count) => count >= majorityOf(members.length));
}
