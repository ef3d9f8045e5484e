/** What a network's decision means for people. Pure. */
import type { Decision } from '../../health/choose/decision.ts';
import { doubtText } from '../../health/choose/safety-uplink.ts';
import { FAMILIES } from '../../health/judge/edge.ts';
import { count, list, moment } from '../../health/judge/reason.ts';
import { decisionScope, type Observation } from './conditions.ts';
import { keyOf, type NoticeEvent } from './event.ts';

/** Edges that a sentence names. */
const NAMED_MAX = 10;

/** The conditions of a network as one decision has them. */
export function decisionObservation(network: string, decision: Decision): Observation {
  const edges = decision.verdicts.map(({ edge, judgement, why }) => {
    const event = edgeDown(network, edge, why);
    return { event, key: keyOf(event), edge, judgement, why };
  });
  const passing = edges.filter(({ judgement }) => judgement !== null && judgement !== 'fail');
  return {
    scope: decisionScope(network),
    standing: [
      ...edges.filter(({ judgement }) => judgement === 'fail').map(({ event }) => event),
      ...ofTheSet(network, decision),
    ],
    // Not asked, or not believed: what was known of them stays.
    unknown: new Set([
      ...edges.filter(({ judgement }) => judgement === null).map(({ key }) => key),
      ...(decision.safety.uplink?.inDoubt === true ? [keyOf({ name: 'no_live_edge', labels: { network } })] : []),
    ]),
    endings: new Map(passing.map(({ key, edge, why }) => [key, `${edge} of ${network} passes again: ${why}`])),
  };
}

/** A change of what is answered; null: there is none. */
export function liveSetEvent(network: string, { outcome, live }: Decision): NoticeEvent | null {
  if (outcome.kind !== 'changed') return null;
  const changes = [
    outcome.added.length === 0 ? '' : `${few(outcome.added)} came`,
    outcome.removed.length === 0 ? '' : `${few(outcome.removed)} left`,
    outcome.moved.length === 0 ? '' : `${few(outcome.moved)} moved to other addresses`,
  ].filter((text) => text !== '');
  const now = live.length === 0 ? 'nothing is live now' : `live now: ${few(live.map(({ edge }) => edge))}`;
  return {
    name: 'live_set_changed',
    severity: 'info',
    labels: { network },
    summary: `the live set of ${network} changed: ${changes.join(', ')}; ${now}`,
  };
}

function edgeDown(network: string, edge: string, why: string): NoticeEvent {
  return {
    name: 'edge_down',
    severity: 'warning',
    labels: { network, edge },
    summary: `${edge} of ${network} is down: ${why}`,
  };
}

function ofTheSet(network: string, decision: Decision): readonly NoticeEvent[] {
  const { hold, heldFailing, outcome, live, families } = decision;
  const { uplink, minUp } = decision.safety;
  const labels = { network };
  const events: NoticeEvent[] = [];
  if (hold !== null) {
    const failing = heldFailing.length === 0 ? '' : `; it keeps what fails live: ${few(heldFailing)}`;
    const summary = `the rotation limit of ${network} holds changes back until ${moment(hold.until)} (${hold.recent} of ${count(hold.limit, 'change')} in ten minutes)${failing}`;
    events.push({ name: 'hold', severity: heldFailing.length === 0 ? 'info' : 'warning', labels, summary });
  }
  if (minUp !== null && minUp.below !== null) {
    const summary = `${minUp.up} of ${count(minUp.needed, 'edge')} that ${network} needs pass (min_up)`;
    events.push({ name: 'below_min_up', severity: 'critical', labels, summary });
  }
  if (uplink?.inDoubt === true) {
    events.push({ name: 'uplink_in_doubt', severity: 'critical', labels, summary: `${network}: ${doubtText(uplink)}` });
  } else if (live.length === 0 || outcome.kind === 'empty') {
    const summary = `no edge of ${network} is fit to be live; what was live last is answered`;
    events.push({ name: 'no_live_edge', severity: 'critical', labels, summary });
  } else if (FAMILIES.every((family) => families[family] !== 'passing')) {
    const summary = `every live edge of ${network} fails; the last set is answered`;
    events.push({ name: 'no_live_edge', severity: 'critical', labels, summary });
  }
  return events;
}

function few(names: readonly string[]): string {
  if (names.length <= NAMED_MAX) return list(names);
  return `${names.slice(0, NAMED_MAX).join(', ')} and ${names.length - NAMED_MAX} more`;
}
