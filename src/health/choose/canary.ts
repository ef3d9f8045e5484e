import type { CanaryFacts } from '../judge/edge.ts';
import { passes } from '../judge/judge.ts';
import { byName } from '../judge/reason.ts';
import type { Verdict } from '../judge/verdict.ts';
import { drawVictim, type Victim } from './canary-victim.ts';
import type { CanaryDecision } from './decision.ts';
import { familyOf } from './families.ts';
import { holdAt, holdText, recentChanges } from './limit.ts';
import type { ActiveCanary, Memory } from './memory.ts';
import type { RoundFacts } from './round.ts';
import { decidingUplink, doubtText } from './safety-uplink.ts';

export type CanaryOutcome = {
  readonly canaries: readonly CanaryDecision[];
  readonly active: readonly ActiveCanary[];
  readonly rotations: Memory['canaryRotations'];
};

/**
 * Decides zone by zone whether its canary serves (section 8): every passing judgement is accepted, one live edge gives
 * way, in that zone only. `live` is this round's set; where it is empty nothing is published, so nothing changes
 * either. Sorted by zone; a zone whose canary is no longer configured has its last entry here.
 */
export function decideCanaries(
  facts: RoundFacts,
  verdicts: ReadonlyMap<string, Verdict>,
  live: readonly Victim[],
): CanaryOutcome {
  const before = new Map(facts.memory.activeCanaries.map((active) => [active.zone, active]));
  const rotations = new Map<string, readonly number[]>();
  for (const [zone, times] of facts.memory.canaryRotations) {
    const recent = recentChanges(times, facts.now);
    if (recent.length > 0) rotations.set(zone, recent);
  }
  const configured = new Map(facts.canaries.map((canary) => [canary.zone, canary]));
  const zones = [...new Set([...configured.keys(), ...before.keys()])].sort(byName);

  const canaries = zones.map((zone) => {
    const was = before.get(zone) ?? null;
    const canary = configured.get(zone);
    const decision =
      canary === undefined
        ? unconfigured(zone, was)
        : decideZone({
            facts,
            canary,
            verdict: verdicts.get(canary.name),
            was,
            live,
            times: rotations.get(zone) ?? [],
          });
    if ((decision.active?.address ?? null) !== (was?.address ?? null)) {
      rotations.set(zone, [...(rotations.get(zone) ?? []), facts.now]);
    }
    return decision;
  });
  return { canaries, active: canaries.flatMap(({ active }) => (active === null ? [] : [active])), rotations };
}

function unconfigured(zone: string, was: ActiveCanary | null): CanaryDecision {
  const address = was?.address ?? '';
  return { zone, address, active: null, changed: true, held: false, why: `${address} is no longer configured` };
}

type ZoneRound = {
  readonly facts: RoundFacts;
  readonly canary: CanaryFacts;
  readonly verdict: Verdict | undefined;
  readonly was: ActiveCanary | null;
  readonly live: readonly Victim[];
  /** When this zone's canary changed in the last 600 s. */
  readonly times: readonly number[];
};

function decideZone(round: ZoneRound): CanaryDecision {
  const { facts, canary, verdict, was, live, times } = round;
  const { zone, name: address } = canary;
  // A canary that the operator replaced can no longer be kept.
  const kept = was !== null && was.address === address ? was : null;
  if (live.length === 0) {
    return { zone, address, active: kept, changed: was !== kept, held: false, why: 'no live set is published' };
  }

  const victim = drawVictim(zone, live, was?.victim ?? null, familyOf(address));
  const inUse: ActiveCanary = { zone, address, victim };
  // With our own line in doubt the zone is answered as before, but for what an operator changes.
  const uplink = decidingUplink(facts);
  const isDoubtful = uplink?.inDoubt === true && canary.mode !== 'unavailable';
  const isUnknown = isDoubtful || (canary.quorum?.up === null && canary.mode !== 'unavailable');
  const judgement = verdict?.judgement ?? null;
  const mayJoin = was !== null || canary.mode !== 'available' || facts.memory.lastLive.length === 0;
  const isHeldOut = isDoubtful && passes(judgement) && !mayJoin;
  const usable = (passes(judgement) && !isHeldOut) || (isUnknown && judgement === null && kept !== null);
  const why = verdict?.why ?? 'never fetched';
  const judged = isHeldOut ? `it passes (${why}), but ${doubtText(uplink)}: the set is kept` : why;
  const used = `stands in for ${victim}`;
  const changed = (active: ActiveCanary | null) => active?.address !== was?.address || active?.victim !== was?.victim;

  const hold =
    usable === (kept !== null) || isExempt(round, usable, victim)
      ? null
      : holdAt(times, facts.rules.maxfreq, facts.now);
  if (hold !== null) {
    const active = kept === null ? null : inUse;
    const state = active === null ? 'held out although it passes' : `${used}, held in although it does not pass`;
    return {
      zone,
      address,
      active,
      changed: changed(active),
      held: true,
      why: `${state} (${judged}): ${holdText(hold)}`,
    };
  }
  if (!usable) return { zone, address, active: null, changed: changed(null), held: false, why: `not used: ${judged}` };
  return { zone, address, active: inUse, changed: changed(inUse), held: false, why: `${used}: ${judged}` };
}

/**
 * Changes to which the zone's limit does not apply: an operator's, and one that gives a zone without any passing
 * address a passing one.
 */
function isExempt({ facts, canary, was, live }: ZoneRound, usable: boolean, victim: string | null): boolean {
  if (facts.operatorChange || canary.mode === 'unavailable') return true;
  if (was !== null && was.address !== canary.name) return true;
  const othersPass = live.some(({ edge, passing }) => passing && edge !== victim);
  const victimPasses = live.some(({ edge, passing }) => passing && edge === victim);
  // With the canary in use the zone publishes the others and the canary; without it the others and the victim.
  return usable ? !othersPass && !victimPasses : !othersPass && victimPasses;
}
