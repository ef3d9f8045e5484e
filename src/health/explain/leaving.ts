import type { Decision } from '../choose/decision.ts';
import type { RoundFacts } from '../choose/round.ts';
import { decidingUplink } from '../choose/safety-uplink.ts';
import type { EdgeFacts } from '../judge/edge.ts';
import { byName, list, moment, seconds } from '../judge/reason.ts';
import { afterHold, NOTHING, type Prospect, prospect, supposed, without } from './prospect.ts';
import { boundaryOf, type NextRound } from './suppose.ts';

/** Ways out of the live set. */
export function leaving(facts: RoundFacts, decision: Decision, own: EdgeFacts, next: NextRound): readonly Prospect[] {
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
      found.push(
        prospect('stays', true, null, [], stayingText(facts, own, next.results(name, facts.rules.timeout), decision)),
      );
      break;
    case 'below': {
      const joins = without(next.live(supposed(name, { fetch: boundary.x })), next.live(NOTHING));
      const then =
        joins.length === 0 ? 'it leaves' : `${list(joins)} ${joins.length === 1 ? 'takes' : 'take'} its place`;
      const fails = boundary.x >= facts.rules.timeout;
      const results = next.results(name, boundary.x);
      const until = results === 1 ? 'a fetch fails' : `${results} more fetches in a row fail`;
      const text = fails
        ? `stays live until ${until}; then ${then}${after}`
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

function stayingText(facts: RoundFacts, { mode }: EdgeFacts, results: number, { safety }: Decision): string {
  const isKept = decidingUplink(facts)?.inDoubt === true || safety.minUp?.below === 'keep';
  if (isKept) return 'stays live even if its next fetch fails: the set is kept as it is';
  if (mode === 'blindforce') return 'stays live whatever its fetches do, because it is blindforced';
  const fails = results === 1 ? 'its next fetch fails' : `its next ${results} fetches fail`;
  return `stays live even if ${fails}: no other edge would be fit to take its place`;
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
  const most = Math.max(...rivals.map((name) => next.results(name, fetch)));
  const often = most === 1 ? '' : `, ${most} times in a row`;
  const who = rivals.length === 1 ? rivals[0] : `one of ${list(rivals)}`;
  return prospect(
    'others',
    false,
    fetch,
    rivals,
    `leaves when ${who}${others} is fetched in ${seconds(fetch)}${often}`,
  );
}
