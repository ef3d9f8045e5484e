import type { SayJson, VantageJson } from '../server/control/api/json.ts';
import { duration } from './duration-text.ts';

type NetworkRow = VantageJson['networks'][number];

/** Seconds. A clock that is further off than this is worth a word; nothing is decided by it. */
const CLOCK_TOLERANCE = 2;

/** Whether nothing needs to be looked at: everybody is heard of and counts, somebody decides, nothing is overridden. */
export function isClusterWell({ vantages, networks, connected, decider, override, faults }: VantageJson): boolean {
  return (
    faults.length === 0 &&
    override === null &&
    connected !== false &&
    (decider === null || decider.vantage !== null) &&
    vantages.every(({ is_self, reachable }) => is_self || reachable) &&
    networks.every(({ views }) => views.every(({ counts }) => counts))
  );
}

/** What `edgewise cluster status` prints. */
export function clusterText(answer: VantageJson): string {
  const { engine, vantage, now, connected, decider, override, vantages, networks, faults } = answer;
  const lines = [
    `vantage ${vantage}, by ${engine}${connected === false ? ', which does not answer' : ''}`,
    deciderText(decider, now),
    ...(override === null ? [] : [`OVERRIDE: this server decides alone: ${overrideText(override, now)}`]),
    ...faults.map((fault) => `problem: ${fault}`),
    '',
    ...table([['VANTAGE', 'HEARD OF', 'VERSION', 'CLOCK', 'PROBLEM'], ...vantages.map(vantageCells)]),
    ...networks.flatMap((network) => ['', ...networkLines(network, now, decider !== null)]),
  ];
  // Others wrote some of it: nothing that a terminal would obey.
  return `${lines.map((line) => line.replace(/[\p{Cc}\p{Bidi_Control}]+/gu, ' ')).join('\n')}\n`;
}

function deciderText(decider: VantageJson['decider'], now: number): string {
  if (decider === null) return 'each vantage decides for itself';
  const { vantage, is_self: isSelf, token, since } = decider;
  if (vantage === null) return 'NOBODY decides: the last decided sets are answered';
  const age = since === null ? '' : `, for ${duration(Math.max(0, now - since))}`;
  return `${vantage} decides${isSelf ? ' (this server)' : ''}${age}${token === null ? '' : `, token ${token}`}`;
}

/** `"reason", by NAME, for 2 h, 58 min left` */
export function overrideText({ reason, by, at, until }: NonNullable<VantageJson['override']>, now: number): string {
  const age = now - at >= 1 ? `, for ${duration(now - at)}` : '';
  const left = until === null ? 'until it is ended' : `${duration(Math.max(0, until - now))} left`;
  return `"${reason}", by ${by}${age}, ${left}`;
}

function vantageCells(row: VantageJson['vantages'][number]): readonly string[] {
  const { vantage, is_self: isSelf, reachable, last_heard: heard, version, clock_offset: offset, problem } = row;
  const last = isSelf ? 'this server' : heard === null ? 'never' : `${duration(heard)} ago`;
  const silent = isSelf || reachable ? '' : 'not reachable';
  const clock = offset === null ? (isSelf ? '' : '?') : Math.abs(offset) <= CLOCK_TOLERANCE ? 'ok' : offsetText(offset);
  return [vantage, last, version ?? '?', clock, problem ?? silent];
}

function offsetText(offset: number): string {
  return `${duration(Math.abs(offset))} ${offset > 0 ? 'ahead' : 'behind'}`;
}

/** `isOne`: there is one serial for all. */
function networkLines(network: NetworkRow, now: number, isOne: boolean): readonly string[] {
  const { serial, decided, counting, needed, views, suspects } = network;
  const by = decided === null ? '' : `, decided by ${decided.by} ${duration(Math.max(0, now - decided.at))} ago`;
  const differs =
    decided === null || decided.serial === serial ? '' : ` as serial ${decided.serial}, not answered here`;
  const few = counting < needed ? `, TOO FEW: ${needed} are needed, so nothing changes` : '';
  return [
    `network ${network.network}: serial ${serial}${by}${differs}; ${counting} of ${views.length} views count${few}`,
    ...table(views.map((view) => ['', ...viewCells(view, isOne ? serial : null)])),
    ...suspects.map(({ edge, says }) => `  suspect ${edge}: ${says.map(sayText).join(', ')}`),
  ];
}

function viewCells(view: NetworkRow['views'][number], ours: number | null): readonly string[] {
  const { vantage, age, same_config: same, counts, serial } = view;
  const config = same === null ? '' : same ? 'same configuration' : 'ANOTHER CONFIGURATION, has no vote';
  const other = serial === null || ours === null || serial === ours ? '' : `answers serial ${serial}`;
  return [
    vantage,
    age === null ? 'no view' : `${duration(age)} old`,
    counts ? 'counts' : 'does not count',
    config,
    other,
  ];
}

function sayText({ vantage, up, detail }: SayJson): string {
  const says = up === null ? 'says nothing' : up ? 'up' : 'down';
  return `${vantage} ${says}${detail === '' ? '' : ` (${detail})`}`;
}

/** Columns as wide as their widest cell, two blanks between them. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
}
