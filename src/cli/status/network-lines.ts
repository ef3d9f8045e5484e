/** One network in a watch: its live set, and a row an edge. */
import { failCode } from '../../health/checks/fail-code.ts';
import type { CanaryJson, EdgeJson, MemberJson, NetworkJson } from '../../server/control/api/json.ts';
import { duration } from '../duration-text.ts';
import { type Line, line, type Span, span, type Tone, table } from './styled.ts';

/** In the order in which the key `s` goes through them. */
export const SORTS = ['name', 'failing first', 'slowest first'] as const;
export type Sort = (typeof SORTS)[number];

/** What decides first: a terminal of 80 columns shows the left of it. */
const COLUMNS = ['EDGE', 'ANSWER', 'MODE', 'SINCE', 'JUDGEMENT', 'FAILS WITH', 'LAST', 'AVERAGE', 'COMMENT'];

export function networkLines(network: NetworkJson, sort: Sort): readonly Line[] {
  const { network: name, now, live, wanted, serial, edges, canaries, notes } = network;
  const isFew = live.length < wanted;
  return [
    [
      span(`network ${name}`, 'heading'),
      span(`  ${live.length} of ${wanted} live`, isFew ? 'bad' : 'good'),
      span(`  serial ${serial}  ${roundText(network)}`),
      ...signs(network),
    ],
    ...notes.map((note) => line(`  ! ${note}`, 'warning')),
    ...table(COLUMNS, [
      ...sorted(edges, sort).map((edge) => edgeRow(edge, now)),
      ...canaries.map((canary) => canaryRow(canary, now)),
    ]),
    ...edges.flatMap(suspectLines),
  ];
}

function roundText({ now, round: { last_run: last } }: NetworkJson): string {
  return last === null ? 'never checked' : `checked ${duration(Math.max(0, now - last))} ago`;
}

/** What is not as it should be, in words. */
function signs({ now, hold, round: { overdue }, outcome, safety }: NetworkJson): readonly Span[] {
  const all: Span[] = [];
  if (overdue) all.push(span('  OVERDUE', 'bad'));
  if (hold !== null) {
    const failing = hold.failing.length === 0 ? '' : `, ${hold.failing.length} live edges fail`;
    const left = duration(Math.max(0, hold.until - now));
    all.push(span(`  HELD for ${left} (${hold.recent} of ${hold.limit} changes${failing})`, 'warning'));
  }
  if (outcome === 'empty') all.push(span('  NO EDGE IS FIT', 'bad'));
  if (safety?.uplink?.in_doubt === true) all.push(span('  OUR OWN LINE IS IN DOUBT', 'bad'));
  return all;
}

function sorted(edges: readonly EdgeJson[], sort: Sort): readonly EdgeJson[] {
  switch (sort) {
    case 'name':
      return edges;
    case 'failing first':
      return [...edges].sort((a, b) => rank(a) - rank(b));
    case 'slowest first':
      return [...edges].sort((a, b) => (b.last ?? -1) - (a.last ?? -1));
  }
}

function rank({ judgement, fail, state }: EdgeJson): number {
  if (judgement === 'fail') return state === 'in' ? 0 : 1;
  return fail === null ? 3 : 2;
}

function edgeRow(edge: EdgeJson, now: number): readonly Span[] {
  return [
    span(edge.edge),
    edge.state === 'in' ? span('live', edge.judgement === 'fail' ? 'warning' : 'good') : span('-', 'dim'),
    ...memberCells(edge, now),
  ];
}

function canaryRow(canary: CanaryJson, now: number): readonly Span[] {
  const { zone, address, active, victim, held } = canary;
  const instead = victim === null ? 'in its zone' : `for ${victim}`;
  const use = active ? span(instead, 'good') : span(held ? 'held' : '-', held ? 'warning' : 'dim');
  return [span(`${address} (canary of ${zone})`), use, ...memberCells(canary, now)];
}

type Judged = Pick<EdgeJson, 'judgement' | 'last' | 'average'>;

function memberCells(member: Omit<MemberJson, 'address'> & Judged, now: number): readonly Span[] {
  const { judgement, last, average, fail } = member;
  return [
    modeCell(member),
    sinceCell(member, now),
    span(judgement ?? 'unknown', judgementTone(judgement)),
    fail === null ? span('-', 'dim') : span(codeOf(member), 'bad'),
    span(seconds(last)),
    span(seconds(average)),
    commentCell(member, now),
  ];
}

function judgementTone(judgement: EdgeJson['judgement']): Tone {
  return judgement === null ? 'dim' : judgement === 'fail' ? 'bad' : 'good';
}

/** `up 3 h`, `down 12 min (1/2 up)`: results in a row, of those that are needed. */
function sinceCell({ uptime: { up, since, position } }: Pick<MemberJson, 'uptime'>, now: number): Span {
  if (up === null) return span('-', 'dim');
  const age = since === null ? '' : ` ${duration(Math.max(0, now - since))}`;
  const between =
    position === null || position.count === 0 ? '' : ` (${position.count}/${position.of} ${position.towards})`;
  return span(`${up ? 'up' : 'down'}${age}${between}`, up ? 'plain' : 'bad');
}

function codeOf({ fail, checks, check }: Pick<MemberJson, 'fail' | 'checks' | 'check'>): string {
  if (fail === null) return '';
  return failCode({ ...fail, kind: checks.find(({ name }) => name === check)?.kind ?? null });
}

function modeCell({ mode }: Pick<MemberJson, 'mode'>): Span {
  return mode === 'available' ? span('-', 'dim') : span(mode, 'warning');
}

/** `40 min left "new disk"`: of the mode. */
function commentCell({ comment, mode_until: until }: Omit<MemberJson, 'address'>, now: number): Span {
  const left = until === null ? [] : [`${duration(Math.max(0, until - now))} left`];
  const parts = [...left, ...(comment === '' ? [] : [`"${comment}"`])];
  return parts.length === 0 ? span('-', 'dim') : span(parts.join(' '));
}

function seconds(value: number | null): string {
  return value === null ? '-' : value < 10 ? value.toFixed(3) : value.toFixed(1);
}

/** Edges that some vantages see down and the quorum does not. */
function suspectLines({ edge, suspect, says }: EdgeJson): readonly Line[] {
  if (suspect !== true) return [];
  const down = (says ?? []).filter(({ up }) => up === false).map(({ vantage }) => vantage);
  return [line(`  ? ${edge} is suspect: ${down.join(', ')} see it down`, 'warning')];
}
