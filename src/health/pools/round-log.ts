import { decidingCheck, type Sample } from '../checks/sample.ts';
import type { Decision, LiveMember } from '../choose/decision.ts';
import { byName, count, list, seconds } from '../judge/reason.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type RoundLog = (level: LogLevel, text: string) => void;
/** `goesOn`: it tells of a state, which the next decision may find as it is. */
export type LogLine = { readonly level: LogLevel; readonly text: string; readonly goesOn?: boolean };

/** What one fetch brought, as a line of the log. */
export function sampleLine(sample: Sample): LogLine {
  const { edge, seconds: taken, fail, stalledMs } = sample;
  const doubt = stalledMs > 0 ? ` (the prober itself stalled for ${Math.round(stalledMs)} ms)` : '';
  const check = decidingCheck(sample);
  const by = check === null ? '' : ` (check ${check})`;
  if (fail === null) return { level: 'info', text: `fetch from ${edge}: ${seconds(taken)}${by}${doubt}` };
  const detail = fail.detail === '' ? '' : `: ${fail.detail}`;
  return { level: 'info', text: `fetch from ${edge} failed${by}: ${fail.reason}${detail}${doubt}` };
}

/** A decision as lines of the log: what became of the live set and why, canaries that changed, and what is amiss. */
export function decisionLines(decision: Decision): readonly LogLine[] {
  const lines: LogLine[] = [];
  for (const { edge, judgement, why } of [...decision.verdicts, ...decision.canaryVerdicts]) {
    lines.push({ level: 'debug', text: `${edge}: ${judgement ?? 'not judged'}: ${why}` });
  }
  const goesOn = decision.outcome.kind !== 'changed';
  lines.push({ level: outcomeLevel(decision), text: outcomeText(decision), goesOn });
  if (decision.outcome.kind === 'changed') {
    for (const edge of [...decision.outcome.removed, ...decision.outcome.added].sort(byName)) {
      const reason = decision.reasons.get(edge);
      if (reason !== undefined)
        lines.push({ level: 'info', text: `${edge} ${reason.live ? 'in' : 'out'}: ${reason.why}` });
    }
  }
  for (const { zone, changed, held, why } of decision.canaries) {
    lines.push({ level: changed || held ? 'info' : 'debug', text: `canary of ${zone}: ${why}`, goesOn: !changed });
  }
  for (const note of decision.notes) lines.push({ level: 'warn', text: note, goesOn: true });
  return lines;
}

/** `a.example is at 192.0.2.7 now (was at 192.0.2.5)`: members that stay live under another address. */
export function movedLines(before: readonly LiveMember[], after: readonly LiveMember[]): readonly LogLine[] {
  const old = new Map(before.map((member) => [member.edge, member]));
  return after.flatMap((member) => {
    const was = old.get(member.edge);
    if (was === undefined || (was.v4 === member.v4 && was.v6 === member.v6)) return [];
    return [{ level: 'info', text: `${member.edge} is at ${addresses(member)} now (was at ${addresses(was)})` }];
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

function outcomeLevel({ outcome }: Decision): LogLevel {
  if (outcome.kind === 'empty') return 'error';
  return outcome.kind === 'held' ? 'warn' : 'info';
}
