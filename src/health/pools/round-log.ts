import type { EventName, LevelOf, Log, Logged, LogLevel } from '../../system/log-events.ts';
import { decidingCheck, type Sample, takenSeconds } from '../checks/sample.ts';
import type { Decision, LiveMember } from '../choose/decision.ts';
import { byName, count, list, seconds } from '../judge/reason.ts';

/** `goesOn`: it tells of a state, which the next decision may find as it is. */
type LineOf<E extends EventName> = {
  readonly level: LevelOf<E>;
  readonly text: string;
  readonly event: Logged<E>;
  readonly goesOn?: boolean;
};
export type LogLine = { [E in EventName]: LineOf<E> }[EventName];

/** Writes the line. */
export function logLine(log: Log, { level, text, event }: LogLine): void {
  // A line's level is one of its event's by its type, which the compiler does not follow through the union.
  (log as (level: LogLevel, text: string, event: LogLine['event']) => void)(level, text, event);
}

/** What one fetch brought, as a line of the log. */
export function sampleLine(sample: Sample): LogLine {
  const { edge, seconds: taken, fail, stalledMs } = sample;
  const doubt = stalledMs > 0 ? ` (the prober itself stalled for ${Math.round(stalledMs)} ms)` : '';
  const check = decidingCheck(sample);
  const duration = takenSeconds(sample);
  const by = check === null ? '' : ` (check ${check})`;
  const fields = {
    event: 'edge.checked',
    edge,
    ...(duration === null ? {} : { duration_seconds: duration }),
    ...(sample.primary === null ? {} : { address: sample.primary.address }),
    ...(check === null ? {} : { check }),
    ...(fail === null ? {} : { reason: fail.reason }),
  } as const;
  if (fail === null) {
    return { level: 'info', text: `fetch from ${edge}: ${seconds(taken)}${by}${doubt}`, event: fields };
  }
  const detail = fail.detail === '' ? '' : `: ${fail.detail}`;
  return { level: 'info', text: `fetch from ${edge} failed${by}: ${fail.reason}${detail}${doubt}`, event: fields };
}

/** A decision as lines of the log: what became of the live set and why, canaries that changed, and what is amiss. */
export function decisionLines(decision: Decision): readonly LogLine[] {
  const lines: LogLine[] = [];
  for (const { edge, judgement, why } of [...decision.verdicts, ...decision.canaryVerdicts]) {
    const text = `${edge}: ${judgement ?? 'not judged'}: ${why}`;
    lines.push({ level: 'debug', text, event: { event: 'edge.judged', edge, judgement } });
  }
  lines.push(outcomeLine(decision));
  if (decision.outcome.kind === 'changed') {
    for (const edge of [...decision.outcome.removed, ...decision.outcome.added].sort(byName)) {
      const reason = decision.reasons.get(edge);
      if (reason !== undefined)
        lines.push({
          level: 'info',
          text: `${edge} ${reason.live ? 'in' : 'out'}: ${reason.why}`,
          event: { event: 'edge.live_changed', edge },
        });
    }
  }
  for (const { zone, changed, held, why } of decision.canaries) {
    const level = changed || held ? 'info' : 'debug';
    const event = { event: 'canary.decided', zone } as const;
    lines.push({ level, text: `canary of ${zone}: ${why}`, event, goesOn: !changed });
  }
  for (const note of decision.notes) lines.push({ level: 'warn', text: note, event: 'live_set.note', goesOn: true });
  return lines;
}

/** `a.example is at 192.0.2.7 now (was at 192.0.2.5)`: members that stay live under another address. */
export function movedLines(before: readonly LiveMember[], after: readonly LiveMember[]): readonly LogLine[] {
  const old = new Map(before.map((member) => [member.edge, member]));
  return after.flatMap((member) => {
    const was = old.get(member.edge);
    if (was === undefined || (was.v4 === member.v4 && was.v6 === member.v6)) return [];
    const text = `${member.edge} is at ${addresses(member)} now (was at ${addresses(was)})`;
    return [{ level: 'info', text, event: { event: 'edge.moved', edge: member.edge } }];
  });
}

function addresses({ v4, v6 }: LiveMember): string {
  return list([v4, v6].filter((address) => address !== null)) || 'no address';
}

/** `mynet: live set changed: A and B live of 4 wanted; in: B; out: C`. */
export function outcomeText({ network, outcome, live, wanted }: Decision): string {
  const names = live.map(({ edge }) => edge);
  const size = names.length === wanted ? '' : ` (${wanted} wanted)`;
  const set = `${list(names)}${size}`;
  switch (outcome.kind) {
    case 'unchanged':
      return `${network}: live set unchanged: ${set}`;
    case 'changed': {
      const parts = [`${network}: live set changed to ${set}`];
      if (outcome.added.length > 0) parts.push(`in: ${list(outcome.added)}`);
      if (outcome.removed.length > 0) parts.push(`out: ${list(outcome.removed)}`);
      if (outcome.moved.length > 0) parts.push(`other addresses: ${list(outcome.moved)}`);
      return parts.join('; ');
    }
    case 'held':
      return `${network}: live set held as it is by the rotation limit: ${set}; wanted: ${wantedText(names, outcome.wanted)}`;
    case 'empty':
      return `${network}: no edge can be live (${count(wanted, 'edge')} wanted); what was published before stays`;
    default:
      return outcome satisfies never;
  }
}

/** The same edges are wanted with another address. */
function wantedText(names: readonly string[], wanted: readonly string[]): string {
  const isSame = names.length === wanted.length && wanted.every((name) => names.includes(name));
  return isSame ? 'the same edges, some at other addresses' : list(wanted);
}

function outcomeLine(decision: Decision): LogLine {
  const { outcome, wanted } = decision;
  const text = outcomeText(decision);
  const set = { live: decision.live.map(({ edge }) => edge), wanted };
  switch (outcome.kind) {
    case 'changed': {
      const { added, removed } = outcome;
      return { level: 'info', text, event: { event: 'live_set.changed', ...set, added, removed }, goesOn: false };
    }
    case 'unchanged':
      return { level: 'info', text, event: { event: 'live_set.unchanged', ...set }, goesOn: true };
    case 'held':
      return { level: 'warn', text, event: { event: 'live_set.held', ...set }, goesOn: true };
    case 'empty':
      return { level: 'error', text, event: { event: 'live_set.empty', ...set }, goesOn: true };
  }
}
