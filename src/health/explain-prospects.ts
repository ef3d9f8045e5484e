import { decideFacts } from './decide.ts';
import { type Boundary, boundaryOf, type Change, type NextRound, nextRound, suppose } from './explain-suppose.ts';
import { judge, passes } from './judge.ts';
import { byName, count, list, moment, seconds } from './reason.ts';
import type { CanaryFacts, Decision, EdgeFacts, RoundFacts } from './types.ts';

/**
 * One thing that would change whether an edge is live (or a canary used), found by deciding supposed next rounds. `live`:
 * what it would be then. `edges`: others that take part, as the text says.
 */
export type Prospect = {
  readonly kind: 'list' | 'mode' | 'hold' | 'address' | 'fetch' | 'others' | 'stays';
  readonly live: boolean;
  /** Fetch time in seconds at which it turns; null where no fetch time decides. */
  readonly seconds: number | null;
  readonly edges: readonly string[];
  readonly text: string;
};

/** What would have to happen for `edge` to become live, or to stop being so. `interval`: seconds to the next round. */
export function prospectsOf(
  facts: RoundFacts,
  decision: Decision,
  edge: string,
  interval: number,
): readonly Prospect[] {
  const own = facts.edges.find(({ name }) => name === edge);
  if (own === undefined) return [prospect('list', true, null, [], 'considered again once the edge list names it')];
  const canaryOf = facts.canaries.find(({ name }) => name === edge);
  if (canaryOf !== undefined) {
    const text = `considered as an edge once it is no longer the canary of ${canaryOf.zone}`;
    return [prospect('list', true, null, [], text)];
  }
  const next = nextRound(facts, decision, interval);
  const isLive = decision.live.some((member) => member.edge === edge);
  return isLive ? leaving(facts, decision, own, next) : joining(facts, decision, own, next);
}

function prospect(
  kind: Prospect['kind'],
  live: boolean,
  at: number | null,
  edges: readonly string[],
  text: string,
): Prospect {
  return { kind, live, seconds: at, edges, text };
}

function supposed(name: string, change: Change): ReadonlyMap<string, Change> {
  return new Map([[name, change]]);
}

const NOTHING: ReadonlyMap<string, Change> = new Map();

function without(names: ReadonlySet<string>, others: Iterable<string>): string[] {
  const gone = new Set(others);
  return [...names].filter((name) => !gone.has(name)).sort(byName);
}

/** Ways out of the live set. */
function leaving(facts: RoundFacts, decision: Decision, own: EdgeFacts, next: NextRound): readonly Prospect[] {
  const { name } = own;
  const now = decision.live.map(({ edge }) => edge);
  const found: Prospect[] = [];
  if (next.heldUntil !== null && !next.live(NOTHING).has(name)) {
    const text = `leaves when the hold ends at ${moment(next.heldUntil)}, if nothing changes before`;
    return [prospect('hold', false, null, without(next.live(NOTHING), now), text), unavailable(name, now, next)];
  }

  const boundary = boundaryOf((fetch) => next.live(supposed(name, { fetch })).has(name), facts.rules);
  const after = afterHold(next);
  switch (boundary.kind) {
    case 'always':
      found.push(prospect('stays', true, null, [], stayingText(own)));
      break;
    case 'below': {
      const joins = without(next.live(supposed(name, { fetch: boundary.x })), next.live(NOTHING));
      const then =
        joins.length === 0 ? 'it leaves' : `${list(joins)} ${joins.length === 1 ? 'takes' : 'take'} its place`;
      const fails = boundary.x >= facts.rules.timeout;
      const text = fails
        ? `stays live until a fetch fails; then ${then}${after}`
        : `stays live while its next fetch takes under ${seconds(boundary.x)}; from there ${then}${after}`;
      found.push(prospect('fetch', false, boundary.x, joins, text));
      break;
    }
    case 'never': {
      const text = `leaves in the next round however fast it is, if nothing else changes${after}`;
      found.push(prospect('stays', false, null, [], text));
      break;
    }
  }

  const rivals = displacing(facts, decision, own, next);
  if (rivals !== null) found.push(rivals);
  return [...found, unavailable(name, now, next)];
}

function stayingText({ mode }: EdgeFacts): string {
  if (mode === 'blindforce') return 'stays live whatever its fetches do, because it is blindforced';
  return 'stays live even if its next fetch fails: no other edge would be fit to take its place';
}

function unavailable(name: string, now: readonly string[], next: NextRound): Prospect {
  const joins = without(next.live(supposed(name, { mode: 'unavailable' })), now);
  const then = joins.length === 0 ? '' : `; then ${list(joins)} ${joins.length === 1 ? 'takes' : 'take'} its place`;
  return prospect('mode', false, null, joins, `leaves when an operator makes it unavailable${then}`);
}

/** Rivals that are looked at: of thousands, the one with the best average is the first that could displace anybody. */
const RIVALS_MAX = 20;

/** Edges outside that would push this one out by one fast fetch: those that fail or lag now. */
function displacing(facts: RoundFacts, decision: Decision, own: EdgeFacts, next: NextRound): Prospect | null {
  const live = new Set(decision.live.map(({ edge }) => edge));
  const fetch = facts.rules.goodenough / 2;
  const outside = facts.edges
    .filter(({ name, mode }) => !live.has(name) && mode !== 'unavailable')
    .sort((a, b) => (a.figures.average ?? Infinity) - (b.figures.average ?? Infinity) || byName(a.name, b.name));
  const rivals = outside
    .slice(0, RIVALS_MAX)
    .filter(({ name }) => !next.live(supposed(name, { fetch })).has(own.name))
    .map(({ name }) => name)
    .sort(byName);
  if (rivals.length === 0) return null;
  const others = outside.length > RIVALS_MAX ? ' (or perhaps others, of worse average)' : '';
  const who = rivals.length === 1 ? rivals[0] : `one of ${list(rivals)}`;
  return prospect('others', false, fetch, rivals, `leaves when ${who}${others} is fetched in ${seconds(fetch)}`);
}

/** Ways into the live set. */
function joining(facts: RoundFacts, decision: Decision, own: EdgeFacts, next: NextRound): readonly Prospect[] {
  const { name } = own;
  const found: Prospect[] = [];
  if (own.mode === 'unavailable') {
    const made = next.live(supposed(name, { mode: 'available' })).has(name);
    const text = made
      ? 'will be live once an operator makes it available, if its next fetch is like its last'
      : 'would have to be made available by an operator, and that alone would not do';
    found.push(prospect('mode', true, null, [], text));
    if (made) return found;
  } else if (next.live(NOTHING).has(name)) {
    const text =
      next.heldUntil === null
        ? 'will be live in the next round, if nothing changes before'
        : `will be live when the hold ends at ${moment(next.heldUntil)}, if nothing changes before`;
    return [prospect('hold', true, null, [], text)];
  }

  const mode = own.mode === 'unavailable' ? ('available' as const) : undefined;
  const change = (fetch: number | null): Change => ({
    ...(fetch === null ? {} : { fetch }),
    ...(mode === undefined ? {} : { mode }),
  });
  const after = mode === undefined ? afterHold(next) : '';
  if (mode === undefined && own.v4 === null && own.v6 === null) {
    found.push(prospect('address', true, null, [], 'must resolve to an address first'));
  }
  const boundary = boundaryOf((fetch) => next.live(supposed(name, change(fetch))).has(name), facts.rules);
  const byFetch = joiningFetch(facts, own, boundary, after);
  if (byFetch !== null) found.push(byFetch);
  found.push(...joiningByOthers(facts, decision, own, next, change));
  return mode === undefined ? [...found, ...forcing(own, next)] : found;
}

function joiningFetch({ rules }: RoundFacts, own: EdgeFacts, boundary: Boundary, after: string): Prospect | null {
  if (boundary.kind !== 'below') return null;
  const last = own.figures.last === null ? '' : ` (its last took ${seconds(own.figures.last)})`;
  const text =
    boundary.x >= rules.timeout
      ? `will be live when its next fetch succeeds within ${seconds(rules.timeout)}${last}${after}`
      : `will be live when its next fetch takes under ${seconds(boundary.x)}${last} and the others stay as they are${after}`;
  return prospect('fetch', true, boundary.x, [], text);
}

/** Live edges whose slowing or failing would make room; several at once when one is not enough. */
function joiningByOthers(
  { rules }: RoundFacts,
  decision: Decision,
  own: EdgeFacts,
  next: NextRound,
  change: (fetch: number | null) => Change,
): readonly Prospect[] {
  // An edge that fails must pass first; suppose a fetch as good as the rules ask for.
  const fetch = passesAgain(own, rules) ? null : rules.goodenough / 2;
  const proviso = fetch === null ? '' : ` and its own takes ${seconds(fetch)}`;
  const self = change(fetch);
  if (next.live(supposed(own.name, self)).has(own.name)) return [];

  const groups = new Map<number, string[]>();
  for (const { edge } of decision.live) {
    const room = boundaryOf(
      (x) =>
        !next
          .live(
            new Map([
              [edge, { fetch: x }],
              [own.name, self],
            ]),
          )
          .has(own.name),
      rules,
    );
    if (room.kind === 'below') groups.set(room.x, [...(groups.get(room.x) ?? []), edge]);
  }
  if (groups.size > 0) {
    return [...groups].map(([x, edges]) => {
      const who = edges.length === 1 ? edges[0] : `one of ${list(edges)}`;
      const what = x >= rules.timeout ? 'fails' : `takes ${seconds(x)} or more`;
      return prospect('others', true, x, edges, `will be live when the next fetch of ${who} ${what}${proviso}`);
    });
  }

  const failed = new Map<string, Change>([[own.name, self]]);
  for (const { edge } of decision.live) {
    failed.set(edge, { fetch: rules.timeout });
    if (!next.live(failed).has(own.name)) continue;
    const text = `will be live when ${count(failed.size - 1, 'live edge')} fail at once${proviso}: better ones come first`;
    return [
      prospect(
        'others',
        true,
        rules.timeout,
        decision.live.map((member) => member.edge),
        text,
      ),
    ];
  }
  return [];
}

/** Whether the edge passes if its last fetch is repeated, its mode aside. */
function passesAgain(own: EdgeFacts, rules: RoundFacts['rules']): boolean {
  return passes(judge({ ...own, mode: 'available' }, rules).judgement);
}

function forcing(own: EdgeFacts, next: NextRound): readonly Prospect[] {
  for (const mode of ['force', 'blindforce'] as const) {
    if (own.mode === mode || !next.live(supposed(own.name, { mode })).has(own.name)) continue;
    return [prospect('mode', true, null, [], `will be live at once when an operator sets its mode to ${mode}`)];
  }
  return [];
}

function afterHold({ heldUntil }: NextRound): string {
  return heldUntil === null ? '' : `, not before the rotation limit allows it at ${moment(heldUntil)}`;
}

/** What would make a zone's canary serve, or stop. */
export function canaryProspectsOf(
  facts: RoundFacts,
  decision: Decision,
  canary: CanaryFacts,
  interval: number,
): readonly Prospect[] {
  const used = decision.memory.activeCanaries.some(({ zone }) => zone === canary.zone);
  const after = (change: Change): boolean => {
    const now = facts.now + interval;
    const canaries = facts.canaries.map((one) =>
      one.name === canary.name ? suppose(one, change, now, facts.rules.timeout) : one,
    );
    const operatorChange = change.mode !== undefined;
    const next = decideFacts({ ...facts, now, canaries, operatorChange, memory: decision.memory });
    return next.memory.activeCanaries.some(({ zone }) => zone === canary.zone);
  };

  if (canary.mode === 'unavailable') {
    const text = after({ mode: 'available' })
      ? 'will be used once an operator makes it available, if its next fetch is like its last'
      : 'would have to be made available by an operator, and that alone would not do';
    return [prospect('mode', true, null, [], text)];
  }
  const { timeout } = facts.rules;
  const boundary = boundaryOf((fetch) => after({ fetch }), facts.rules);
  switch (boundary.kind) {
    case 'always':
      return [
        prospect('stays', true, null, [], 'stays in use even if its next fetch fails: the rotation limit holds it'),
      ];
    case 'never':
      return [prospect('stays', false, null, [], 'stays unused in the next round even if it is fetched at once')];
    case 'below': {
      const within =
        boundary.x >= timeout ? `succeeds within ${seconds(timeout)}` : `takes under ${seconds(boundary.x)}`;
      const text = used ? `stays in use while its next fetch ${within}` : `will be used when its next fetch ${within}`;
      return [prospect('fetch', !used, boundary.x, [], text)];
    }
  }
}
