import type { Decision } from '../choose/decision.ts';
import type { RoundFacts } from '../choose/round.ts';
import type { EdgeFacts } from '../judge/edge.ts';
import { judge, passes } from '../judge/judge.ts';
import { count, list, moment, seconds } from '../judge/reason.ts';
import { afterHold, NOTHING, nextFetches, type Prospect, prospect, supposed } from './prospect.ts';
import { type Boundary, boundaryOf, type Change, type NextRound } from './suppose.ts';

/** Ways into the live set. */
export function joining(facts: RoundFacts, decision: Decision, own: EdgeFacts, next: NextRound): readonly Prospect[] {
  const { name } = own;
  const found: Prospect[] = [];
  if (own.mode === 'unavailable') {
    const made = next.live(supposed(name, { mode: 'available' })).has(name);
    found.push(prospect('mode', true, null, [], availableText(own, made)));
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
  const results = next.results(name, boundary.kind === 'below' ? boundary.x / 2 : 0);
  const byFetch = joiningFetch(facts, own, boundary, { results, after });
  if (byFetch !== null) found.push(byFetch);
  found.push(...joiningByOthers(facts, decision, own, next, change));
  return mode === undefined ? [...found, ...forcing(own, next)] : found;
}

/** `enough`: being available would make it live. */
function availableText({ modeUntil }: EdgeFacts, enough: boolean): string {
  if (enough) {
    const when = modeUntil === null ? 'once' : `at ${moment(modeUntil)} when its mode ends, or once`;
    return `will be live ${when} an operator makes it available, if its next fetch is like its last`;
  }
  const how =
    modeUntil === null
      ? 'would have to be made available by an operator'
      : `is available again at ${moment(modeUntil)}`;
  return `${how}, and that alone would not do`;
}

function joiningFetch(
  { rules }: RoundFacts,
  own: EdgeFacts,
  boundary: Boundary,
  { results, after }: { readonly results: number; readonly after: string },
): Prospect | null {
  if (boundary.kind !== 'below') return null;
  const last = own.figures.last === null ? '' : ` (its last took ${seconds(own.figures.last)})`;
  const text =
    boundary.x >= rules.timeout
      ? `will be live when ${nextFetches(results, 'its')} succeeds within ${seconds(rules.timeout)}${last}${after}`
      : `will be live when ${nextFetches(results, 'its')} takes under ${seconds(boundary.x)}${last} and the others stay as they are${after}`;
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
  const fetch = passesAgain(own, decision, rules) ? null : rules.goodenough / 2;
  const times = fetch === null ? 1 : next.results(own.name, fetch);
  const proviso =
    fetch === null ? '' : ` and ${times === 1 ? 'its own takes' : `each of its own ${times} takes`} ${seconds(fetch)}`;
  const self = change(fetch);
  if (next.live(supposed(own.name, self)).has(own.name)) return [];

  const groups = new Map<string, { x: number; results: number; edges: string[] }>();
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
    if (room.kind !== 'below') continue;
    const results = next.results(edge, room.x);
    const key = `${room.x} ${results}`;
    groups.set(key, { x: room.x, results, edges: [...(groups.get(key)?.edges ?? []), edge] });
  }
  if (groups.size > 0) {
    return [...groups.values()].map(({ x, results, edges }) => {
      const who = edges.length === 1 ? edges[0] : `one of ${list(edges)}`;
      const fetches = results === 1 ? 'the next fetch' : `each of the next ${results} fetches`;
      const what = x >= rules.timeout ? 'fails' : `takes ${seconds(x)} or more`;
      return prospect('others', true, x, edges, `will be live when ${fetches} of ${who} ${what}${proviso}`);
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
function passesAgain(own: EdgeFacts, { memory }: Decision, rules: RoundFacts['rules']): boolean {
  const { verdict } = judge({ ...own, mode: 'available' }, rules, memory.judged.get(own.name) ?? null);
  return passes(verdict.judgement);
}

function forcing(own: EdgeFacts, next: NextRound): readonly Prospect[] {
  for (const mode of ['force', 'blindforce'] as const) {
    if (own.mode === mode || !next.live(supposed(own.name, { mode })).has(own.name)) continue;
    return [prospect('mode', true, null, [], `will be live at once when an operator sets its mode to ${mode}`)];
  }
  return [];
}
