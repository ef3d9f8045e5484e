import { printable } from '../../system/printable.ts';
import type { CheckOutcome, Fetch, Phases, Sample } from '../checks/sample.ts';
import type { Outcome } from '../choose/decision.ts';
import { LIMIT_SECONDS } from '../choose/limit.ts';
import { operatorActionText } from '../choose/operator-action.ts';
import { allSaysText, type EdgeQuorum, isSuspect } from '../judge/quorum.ts';
import { count, list, moment } from '../judge/reason.ts';
import type { CanaryExplanation, EdgeExplanation, Explanation } from './explain.ts';
import type { Prospect } from './prospect.ts';

/**
 * An explanation as text for a terminal, lines joined with a final newline. What strangers cause is made printable.
 * `now`: epoch seconds, to say how long ago that was; null: unsaid. `interval`: seconds from one turn to the next.
 */
export function explanationText(explanation: Explanation, now: number | null = null, interval = Infinity): string {
  const { network, at, scope, live, wanted, maxfreq } = explanation;
  const decided = scope === 'turn' ? 'round' : 'event';
  const age = now === null ? '' : ` (${Math.max(0, Math.round(now - at))} s ago)`;
  const lines = [
    `network ${network}, ${decided} of ${moment(at)}${age}: ${live.length} of ${wanted} wanted edges live, ${outcomeText(explanation.outcome)}`,
    `changes of the live set in ${LIMIT_SECONDS} s: ${explanation.recentChanges}, dnschange_maxfreq ${maxfreq}`,
    ...(scope === 'turn' ? [] : ['between two turns: only edges that fail leave, ranking waits for the turn']),
    ...(now !== null && now - at > OVERDUE * interval ? [overdueText(interval)] : []),
    ...explanation.actions.map((action) => `before it: ${operatorActionText(action)}`),
    ...explanation.notes.map((note) => `! ${note}`),
  ];
  section(lines, 'live', explanation.edges.filter((edge) => edge.live).map(edgeLines));
  section(lines, 'not live', explanation.edges.filter((edge) => !edge.live).map(edgeLines));
  section(lines, 'canaries', explanation.canaries.map(canaryLines));
  return `${lines.map(printable).join('\n')}\n`;
}

/** Without a decision for so many intervals something is wrong. */
const OVERDUE = 3;

function overdueText(interval: number): string {
  return `! overdue: it should be decided every ${interval} s; either nothing runs, or its turns do not end (/healthz of a server has the cause)`;
}

function section(lines: string[], title: string, blocks: readonly (readonly string[])[]): void {
  if (blocks.length > 0) lines.push('', title, ...blocks.flat());
}

function outcomeText(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'unchanged':
      return 'unchanged';
    case 'changed':
      return `changed: ${[...outcome.added.map((name) => `+${name}`), ...outcome.removed.map((name) => `-${name}`), ...outcome.moved.map((name) => `~${name}`)].join(' ')}`;
    case 'held':
      return `held until ${moment(outcome.until)}, wanted ${list(outcome.wanted)}`;
    case 'empty':
      return 'nothing to publish';
  }
}

function edgeLines(edge: EdgeExplanation): readonly string[] {
  const mode = edge.mode === null || edge.mode === 'available' ? '' : ` [${edge.mode}]`;
  return [
    `  ${edge.edge}${mode}: ${edge.why}`,
    ...quorumLines(edge.quorum),
    ...sampleLines(edge.samples),
    ...prospectLines(edge.prospects),
  ];
}

function canaryLines(canary: CanaryExplanation): readonly string[] {
  const head = `  ${canary.zone} ${canary.address} ${canary.used ? 'in use' : 'not in use'}: ${canary.why}`;
  return [head, ...quorumLines(canary.quorum), ...sampleLines(canary.samples), ...prospectLines(canary.prospects)];
}

/** Who says what. The newest sample is the one of the vantage that is named for it. */
function quorumLines(quorum: EdgeQuorum | undefined): readonly string[] {
  if (quorum === undefined) return [];
  const suspect = isSuspect(quorum) ? 'suspect, ' : '';
  const from = quorum.from === null ? '' : `; newest sample of ${quorum.from}`;
  return [`    ${suspect}${allSaysText(quorum.says)}${from}`];
}

function prospectLines(prospects: readonly Prospect[] | null): readonly string[] {
  if (prospects === null) return ['    name this edge to see what would change that'];
  return prospects.map(({ text }) => `    - ${text}`);
}

function sampleLines(samples: readonly Sample[]): readonly string[] {
  return samples.flatMap((sample) => {
    const stall = sample.stalledMs > 0 ? `, prober stalled ${sample.stalledMs.toFixed(0)} ms` : '';
    const own = sample.primary;
    const head = `    ${moment(sample.at)}  ${sample.seconds.toFixed(3)} s  ${resultText(sample.fail)}${stall}`;
    const first = own === null ? [head] : [`${head}  ${fetchText(own)}`, ...checkLines(own)];
    const others = sample.others.flatMap((other) => [
      `      also ${resultText(other.fail)}  ${fetchText(other)}`,
      ...checkLines(other),
    ]);
    return [...first, ...others];
  });
}

/** Each check of an address that has several; a star marks the one that decided. */
function checkLines({ check, checks }: Fetch): readonly string[] {
  if (checks.length < 2) return [];
  return checks.map((one) => {
    const star = one.name === check ? '*' : ' ';
    return `      ${star} ${one.name}: ${one.seconds.toFixed(3)} s  ${resultText(one.fail)}  ${figuresText(one)}`;
  });
}

function resultText(fail: Fetch['fail']): string {
  if (fail === null) return 'ok';
  return fail.detail === '' ? fail.reason : `${fail.reason} (${fail.detail})`;
}

/** `192.0.2.1: connect 1.0 ms, first byte 100.2 ms, body 3.0 ms`; phases that were not reached are left out. */
function fetchText(fetch: Fetch): string {
  return `${fetch.address}: ${figuresText(fetch)}`;
}

function figuresText({ phases, attempts, hops }: Omit<CheckOutcome, 'name' | 'kind'>): string {
  const parts = phaseParts(phases).map(([name, value]) => `${name} ${(value * 1000).toFixed(1)} ms`);
  if (attempts > 1) parts.push(`${attempts} attempts`);
  if (hops > 0) parts.push(count(hops, 'redirect'));
  return parts.join(', ');
}

function phaseParts({ resolve, connect, tls, firstByte, total }: Phases): readonly (readonly [string, number])[] {
  const parts: (readonly [string, number | null])[] = [
    ['resolve', resolve],
    ['connect', connect],
    ['tls', tls],
    ['first byte', firstByte],
  ];
  const reached = parts.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
  if (firstByte === null) return [...reached, ['total', total]];
  const body = total - reached.reduce((sum, [, value]) => sum + value, 0);
  return [...reached, ['body', Math.max(0, body)]];
}
