/** `/healthz`: whether this server does its work, and every reason why not. */

import { FAMILY_NAME, RECORD_TYPE } from '../../../health/choose/families.ts';
import { doubtText } from '../../../health/choose/safety-uplink.ts';
import { FAMILIES } from '../../../health/judge/edge.ts';
import { list, moment } from '../../../health/judge/reason.ts';
import type { HealthJson } from '../api/json.ts';
import { agreementReasons, agreementWarnings, clockWarnings } from './vantage-view.ts';
import type { NetworkView, StatusView } from './views.ts';

const ZONES_NAMED = 5; // a failure of ten thousand zones is one line too

/** How long a bug that was contained is a reason; its counter stays. */
const BUG_SHOWN_S = 3600;

/** How long a prober that was replaced, and works again, is a warning. */
const TROUBLE_SHOWN_S = 300;

/** One sentence a failing part, in the order an operator would look; none: healthy. */
export function healthReasons(view: StatusView): readonly string[] {
  const reasons: string[] = [];
  if (!view.ready()) reasons.push('not ready: DNS queries are not answered yet');
  if (!view.prober().alive) reasons.push('prober: its thread does not run');
  for (const network of view.networks()) reasons.push(...networkReasons(network, view.now()));
  const states = view.zoneStates();
  for (const state of ['broken', 'stale'] as const) {
    const names = states[state];
    if (names.length === 0) continue;
    const named = names.slice(0, ZONES_NAMED).join(', ');
    const more = names.length > ZONES_NAMED ? ` and ${names.length - ZONES_NAMED} more` : '';
    const effect = state === 'broken' ? 'do not load' : 'do not load; their last good version is served';
    reasons.push(`zones: ${named}${more} ${effect}`);
  }
  for (const { message } of view.partFaults()) reasons.push(message);
  for (const { part, message, count, at } of view.contained()) {
    const age = view.now() - at;
    if (age > BUG_SHOWN_S) continue;
    const times = count === 1 ? 'once' : `${count} times`;
    reasons.push(`${part}: a bug was contained ${times}, ${Math.round(Math.max(0, age))} s ago: ${message}`);
  }
  for (const { severity, at, message } of view.zoneFaults()) {
    if (severity === 'error') reasons.push(`zones: ${at === null ? '' : `${at.file}: `}${message}`);
  }
  return reasons;
}

function networkReasons(network: NetworkView, now: number): readonly string[] {
  const { name, round } = network;
  const reasons = liveReason(network).map((reason) => `network ${name}: ${reason}`);
  if (round.failure !== null) reasons.push(`network ${name}: no round could be made: ${round.failure}`);
  reasons.push(...agreementReasons(network));
  if (round.unsaved.length > 0) {
    const more = round.unsaved.length > 1 ? ` (and ${round.unsaved.length - 1} more)` : '';
    reasons.push(`network ${name}: served but not saved: ${round.unsaved[0]}${more}`);
  }
  if (round.overlong !== null) reasons.push(`network ${name}: ${round.overlong}`);
  if (round.unended !== null) reasons.push(`network ${name}: ${round.unended}`);
  if (round.silence !== null) reasons.push(`network ${name}: ${round.silence}`);
  if (round.unchecked !== null) reasons.push(`network ${name}: ${round.unchecked}`);
  if (round.overdue) {
    const last =
      round.lastRun === null ? 'none has ended yet' : `the last ended ${Math.round(now - round.lastRun)} s ago`;
    reasons.push(`network ${name}: probing round overdue, ${last} (every ${round.runFrequency} s)`);
  }
  return reasons;
}

/** Answers that lead to no working edge; nothing is known of the saved set before the first decision. */
function liveReason({ live, decision }: NetworkView): readonly string[] {
  if (live.length === 0) return ['no live edge'];
  if (decision === null) return [];
  if (decision.outcome.kind === 'empty') return ['no edge is fit to be live; the last set is kept'];
  const { uplink } = decision.safety;
  if (uplink?.inDoubt === true) return [`${doubtText(uplink)}; the set is kept`];
  const reasons: string[] = [];
  if (FAMILIES.every((family) => decision.families[family] !== 'passing')) {
    reasons.push('every live edge fails; the last set is kept');
  } else {
    for (const family of FAMILIES) {
      const [name, type] = [FAMILY_NAME[family], RECORD_TYPE[family]];
      const state = decision.families[family];
      if (state === 'failing') reasons.push(`no live edge passes over ${name}; the last ${type} records are kept`);
      if (state === 'unanswered')
        reasons.push(`no edge passes over ${name} and no answer is left to keep; ${type} is answered with SERVFAIL`);
    }
  }
  if (decision.heldFailing.length > 0) {
    const until = decision.hold === null ? '' : ` until ${moment(decision.hold.until)}`;
    reasons.push(`the rotation limit keeps what fails live${until}: ${list(decision.heldFailing)}`);
  }
  return reasons;
}

/**
 * What an operator should look at though the answers are as they should be: what parts of the server say, the notes of each
 * network's last decision, clocks of other vantage points, and a prober that was in trouble lately.
 */
export function healthWarnings(view: StatusView): readonly string[] {
  const { trouble } = view.prober();
  const age = trouble === null ? Number.POSITIVE_INFINITY : Math.max(0, view.now() - trouble.at);
  const notes = view
    .networks()
    .flatMap(({ name, decision }) => (decision?.notes ?? []).map((note) => `network ${name}: ${note}`));
  const excluded = view.networks().flatMap(agreementWarnings);
  const vantage = view.vantage();
  const ofEngine = [...clockWarnings(vantage?.vantages ?? []).map(({ text }) => text), ...(vantage?.warnings ?? [])];
  const warnings = [...view.warnings(), ...ofEngine, ...excluded, ...notes];
  if (trouble === null || age >= TROUBLE_SHOWN_S) return warnings;
  return [`prober: ${Math.round(age)} s ago: ${trouble.message.split('\n')[0]}`, ...warnings];
}

/** The body of `/healthz`; 503 when there are reasons. */
export function healthBody(view: StatusView, reasons: readonly string[]): HealthJson {
  return {
    status: reasons.length === 0 ? 'ok' : 'failing',
    ready: view.ready(),
    reasons,
    warnings: healthWarnings(view),
    version: view.version,
    uptime_seconds: Math.round(Math.max(0, view.now() - view.startedAt) * 1000) / 1000,
  };
}
