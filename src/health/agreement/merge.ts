/**
 * What the vantage points together say: everybody's views become one round's facts, so that deciding, explaining and
 * replaying need to know of no views. Pure; ages come from the reader's monotonic clock, and no two machines' clocks are
 * ever compared.
 */
import type { Sample } from '../checks/sample.ts';
import { answeredBefore } from '../choose/candidates.ts';
import { fetchOf } from '../choose/families.ts';
import type { RoundFacts, RoundViews } from '../choose/round.ts';
import { agreement } from '../judge/agreement.ts';
import { type Addresses, type CanaryFacts, type EdgeFacts, FAMILIES, type Family } from '../judge/edge.ts';
import type { Figures } from '../judge/history.ts';
import { type EdgeQuorum, majorityOf, outcomeOf, type QuorumSize, type Say, votesNeeded } from '../judge/quorum.ts';
import { type EdgeView, FRESH_INTERVALS, type OwnView, type ReceivedView, type VantageView } from './view.ts';

/** How votes are counted. `interval`: seconds from one view of a vantage to its next. */
export type MergeRule = {
  /** Our own name, and those of all that have a vote, ours among them. */
  readonly self: string;
  readonly members: readonly string[];
  readonly interval: number;
} & (
  | { readonly kind: 'quorum'; readonly size: QuorumSize }
  /** So many others must see it as we do. */
  | { readonly kind: 'peers'; readonly agreeing: number }
);

/** When a sample of another vantage first came here, by our clock: by vantage and target. */
export type Receipts = ReadonlyMap<string, { readonly boot: string; readonly samples: number; readonly at: number }>;

export type Merged = {
  readonly facts: RoundFacts & { readonly views: RoundViews };
  /** For the next time. */
  readonly receipts: Receipts;
  /** The turn of each vantage whose view counts, our own included. */
  readonly basis: ReadonlyMap<string, number>;
};

/** Whether so many views count that something may be decided. */
export function mayDecide({ counting, needed }: RoundViews): boolean {
  return counting >= needed;
}

/** `own`: made of `facts`, which are by our own samples alone. */
export function mergeViews(
  facts: RoundFacts,
  own: OwnView,
  received: readonly ReceivedView[],
  rule: MergeRule,
  receipts: Receipts = new Map(),
): Merged {
  const { counting, excluded } = countingViews(own.view, received, rule);
  const needed = rule.kind === 'quorum' ? majorityOf(rule.members.length) : 1;
  const why = new Map(excluded.map((one) => [one.vantage, one.why]));
  const answered = answeredBefore(facts);
  const nextReceipts = new Map<string, { boot: string; samples: number; at: number }>();

  const merge = <Edge extends EdgeFacts>(edge: Edge, part: 'edges' | 'canaries'): Edge => {
    const opinions = rule.members.map((vantage): Opinion => {
      const from = counting.get(vantage);
      if (from === undefined) return { vantage, view: null, at: 0, why: why.get(vantage) ?? NOTHING_HEARD };
      const view = from[part].get(edge.name);
      if (view === undefined) return { vantage, view: null, at: 0, why: 'does not know it' };
      if (vantage === rule.self) return { vantage, view, at: view.facts.sample?.at ?? 0, why: '' };
      const key = `${vantage} ${edge.name}`;
      const known = receipts.get(key);
      const isKnown = known !== undefined && known.boot === from.boot && known.samples === view.samples;
      const receipt = isKnown ? known : { boot: from.boot, samples: view.samples, at: from.at };
      nextReceipts.set(key, receipt);
      return { vantage, view, at: receipt.at, why: '' };
    });
    const was = facts.memory.agreed?.get(edge.name) ?? null;
    return mergeEdge(edge, opinions, rule, { was, answered: answered.get(edge.name) ?? null });
  };

  return {
    facts: {
      ...facts,
      memory: { ...facts.memory, judged: own.judged },
      edges: facts.edges.map((edge) => merge(edge, 'edges')),
      canaries: facts.canaries.map((canary): CanaryFacts => merge(canary, 'canaries')),
      views: { counting: counting.size, needed, excluded },
    },
    receipts: nextReceipts,
    basis: new Map([...counting].map(([vantage, { turn }]) => [vantage, turn])),
  };
}

const NOTHING_HEARD = 'nothing was heard of it';

type Counting = {
  readonly boot: string;
  readonly turn: number;
  readonly at: number;
  readonly edges: ReadonlyMap<string, EdgeView>;
  readonly canaries: ReadonlyMap<string, EdgeView>;
};

/** In the order of the members; a vantage that reports twice counts once, by its newest view. */
function countingViews(
  own: VantageView,
  received: readonly ReceivedView[],
  { self, members, interval }: MergeRule,
): { readonly counting: ReadonlyMap<string, Counting>; readonly excluded: RoundViews['excluded'] } {
  const counting = new Map<string, Counting>([[self, indexed(own, 0)]]);
  const excluded: { vantage: string; why: string }[] = [];
  const newest = new Map<string, ReceivedView>();
  for (const one of received) {
    const { vantage } = one.view;
    if (!members.includes(vantage) && vantage !== self) {
      excluded.push({ vantage, why: 'it is no member' });
      continue;
    }
    const other = newest.get(vantage);
    if (vantage !== self && !(other !== undefined && other.age <= one.age)) newest.set(vantage, one);
  }
  for (const vantage of members) {
    if (vantage === self) continue;
    const one = newest.get(vantage);
    const why = one === undefined ? NOTHING_HEARD : doubtOf(one, own, interval);
    if (one === undefined || why !== null) excluded.push({ vantage, why: why ?? NOTHING_HEARD });
    else counting.set(vantage, indexed(one.view, one.at));
  }
  return { counting, excluded };
}

/** Why a view does not count; null: it does. */
function doubtOf({ view, age }: ReceivedView, own: VantageView, interval: number): string | null {
  if (view.network !== own.network) return 'its view is of another network';
  if (!(age >= 0 && age <= interval * FRESH_INTERVALS)) return `its last view is ${Math.round(age)} s old`;
  return view.config === own.config ? null : 'its configuration is another one';
}

function indexed({ boot, turn, edges, canaries }: VantageView, at: number): Counting {
  return { boot, turn, at, edges: byName(edges), canaries: byName(canaries) };
}

function byName(views: readonly EdgeView[]): ReadonlyMap<string, EdgeView> {
  return new Map(views.map((view) => [view.name, view]));
}

/** `at`: of its sample, by our clock. `view` null: none that counts, because of `why`. */
type Opinion = {
  readonly vantage: string;
  readonly view: EdgeView | null;
  readonly at: number;
  readonly why: string;
};

/** What was believed of an edge, and where it is answered; null: nothing, or nowhere. */
type Before = { readonly was: boolean | null; readonly answered: Addresses | null };

function mergeEdge<Edge extends EdgeFacts>(
  edge: Edge,
  opinions: readonly Opinion[],
  rule: MergeRule,
  { was, answered }: Before,
): Edge {
  const says = opinions.map(({ vantage, view, why }): Say => {
    return { vantage, up: view?.up ?? null, detail: view?.detail ?? why };
  });
  const { up, needed } = outcomeFor(says, rule, was);
  const representative = representativeOf(opinions, up, { rule, needed, answered });
  const merged = factsOf(edge, opinions, representative, { up, rule, needed, answered });
  const works = (family: Family): boolean => {
    if (up === false || (up === null && was === false)) return false;
    if (up === null) return (answered?.[family] ?? null) !== null;
    if (merged[family] === null) return false;
    if (isPrimary(merged.sample, family)) return true;
    const votes = opinions.map(({ view }) => ({
      up: view?.up == null || view.facts[family] === null ? null : view.works[family],
    }));
    return (
      outcomeFor(votes, rule, answered === null ? null : answered[family] !== null).up ??
      (answered?.[family] ?? null) !== null
    );
  };
  const quorum: EdgeQuorum = {
    up,
    says,
    needed,
    works: { v4: works('v4'), v6: works('v6') },
    from: representative === null || representative.vantage === rule.self ? null : representative.vantage,
  };
  return { ...edge, ...merged, quorum };
}

/** `was`: what was believed until now; null: nothing yet. */
function outcomeFor(
  votes: readonly { readonly up: boolean | null; readonly vantage?: string }[],
  rule: MergeRule,
  was: boolean | null,
): Pick<EdgeQuorum, 'up' | 'needed'> {
  if (rule.kind === 'quorum') {
    const needed = votesNeeded(rule.size, rule.members.length);
    return { up: outcomeOf(votes, needed), needed };
  }
  const all = rule.agreeing + 1;
  const peers = rule.members.filter((name) => name !== rule.self);
  const at = rule.members.indexOf(rule.self);
  const own = votes[at]?.up ?? null;
  const views = votes.flatMap(({ up }, i) => (i === at ? [] : [{ peer: rule.members[i], up, age: 0 }]));
  // Nothing was believed yet: that an edge works is taken from our own view, as there is nothing to be taken back.
  const isBelieved =
    own !== null &&
    (own === was || (was === null && own) || agreement(own, views, { peers, needed: rule.agreeing, maxAge: 0 }).agreed);
  return { up: isBelieved ? own : was, needed: { down: all, up: all } };
}

type Outcome = { readonly rule: MergeRule; readonly needed: EdgeQuorum['needed'] };

/**
 * Whose sample stands for all: our own where it says the same, else one that does, of those that pass the one in the
 * middle. Where names are resolved otherwise here and there, an edge moves when enough of them see it elsewhere, or
 * nobody sees it any more where it is answered.
 */
function representativeOf(
  opinions: readonly Opinion[],
  up: boolean | null,
  { rule, needed, answered }: Outcome & { readonly answered: Addresses | null },
): Opinion | null {
  if (up === null) return null;
  const alike = opinions.filter(({ view }) => view?.up === up);
  const same = up && rule.kind === 'quorum' ? atAgreedAddress(alike, needed.up, answered) : alike;
  const own = same.find(({ vantage }) => vantage === rule.self);
  if (own !== undefined || same.length === 0) return own ?? null;
  const byLatency = [...same].sort((a, b) => lastOf(a) - lastOf(b));
  return up ? byLatency[Math.floor((byLatency.length - 1) / 2)] : same[0];
}

function atAgreedAddress(seeing: readonly Opinion[], needed: number, answered: Addresses | null): readonly Opinion[] {
  const groups = new Map<string | null, Opinion[]>();
  for (const opinion of seeing) {
    const address = primaryOf(opinion);
    groups.set(address, [...(groups.get(address) ?? []), opinion]);
  }
  const kept = [answered?.v4, answered?.v6]
    .map((address) => groups.get(address ?? ''))
    .find((one) => one !== undefined);
  const largest = [...groups.values()].reduce<readonly Opinion[]>((a, b) => (b.length > a.length ? b : a), []);
  if (kept !== undefined && (kept.length >= needed || largest.length < needed)) return kept;
  return largest.length >= needed ? largest : seeing;
}

function primaryOf({ view }: Opinion): string | null {
  return view === null ? null : (view.facts.sample?.primary?.address ?? view.facts.v4 ?? view.facts.v6);
}

function lastOf({ view }: Opinion): number {
  return view?.facts.figures.last ?? Infinity;
}

/** The facts of the representative, with figures in the middle of all that see the edge. */
function factsOf(
  edge: EdgeFacts,
  opinions: readonly Opinion[],
  representative: Opinion | null,
  { up, rule, needed, answered }: Outcome & { readonly up: boolean | null; readonly answered: Addresses | null },
): EdgeView['facts'] {
  const { sample, figures, v4, v6, verificationFailed } = edge;
  const own = { sample, figures, v4, v6, verificationFailed };
  // Undecided, it stays where it is answered.
  if (up === null && answered !== null) return { ...own, v4: answered.v4 ?? v4, v6: answered.v6 ?? v6 };
  if (representative === null || representative.view === null) return own;
  const theirs = representative.view.facts;
  const chosen =
    representative.vantage === rule.self
      ? own
      : { ...theirs, sample: sampleAt(edge, theirs.sample, representative.at) };
  if (up !== true) return chosen;
  const seeing = opinions.flatMap(({ view }) => (view?.up === true ? [view.facts.figures] : []));
  const complete = rule.kind === 'quorum' ? withFamilies(chosen, opinions, needed.up) : chosen;
  return { ...complete, figures: medianFigures(seeing, chosen.figures) };
}

/** An address that the representative lacks and enough others have: its own look-up may have failed. */
function withFamilies(facts: EdgeView['facts'], opinions: readonly Opinion[], needed: number): EdgeView['facts'] {
  let complete = facts;
  for (const family of FAMILIES) {
    if (facts[family] !== null) continue;
    const others = opinions.flatMap(({ view }) =>
      view?.up === true && view.facts[family] !== null ? [view.facts] : [],
    );
    if (others.length === 0 || others.length < needed) continue;
    const fetch = fetchOf(others[0], family);
    const { sample } = complete;
    complete = {
      ...complete,
      [family]: others[0][family],
      sample: sample === null || fetch === null ? sample : { ...sample, others: [...sample.others, fetch] },
    };
  }
  return complete;
}

function sampleAt({ name }: EdgeFacts, sample: Sample | null, at: number): Sample | null {
  return sample === null ? null : { ...sample, edge: name, at };
}

function isPrimary(sample: Sample | null, family: Family): boolean {
  const fetch = fetchOf({ sample }, family);
  return fetch !== null && fetch === sample?.primary;
}

function medianFigures(all: readonly Figures[], { windowCount, count }: Figures): Figures {
  const middle = (of: (figures: Figures) => number | null): number | null =>
    median(all.map(of).filter((value) => value !== null));
  return {
    last: middle(({ last }) => last),
    windowAverage: middle(({ windowAverage }) => windowAverage),
    windowCount,
    average: middle(({ average }) => average),
    count,
  };
}

/** Of an even number, the mean of the two in the middle; null: there are none. */
export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  const [low, high] = [sorted.at(Math.ceil(half) - 1), sorted.at(Math.floor(half))];
  if (sorted.length === 0 || low === undefined || high === undefined) return null;
  return low === high ? low : Math.round(((low + high) / 2) * 1e9) / 1e9;
}
