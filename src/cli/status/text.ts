import type { NetworkSummaryJson, PublishJson, SecondaryJson } from '../../server/control/api/json.ts';
import { printable } from '../../system/printable.ts';
import { duration } from '../duration-text.ts';
import type { ServerStatus } from './answers.ts';

export type StatusAnswers = {
  readonly status: ServerStatus;
  readonly networks: readonly NetworkSummaryJson[];
  readonly secondaries: readonly SecondaryJson[];
  readonly publish: readonly PublishJson[];
};

/** What `edgewise status` prints. `now`: epoch seconds. `all`: rows of secondaries that are well, too. */
export function statusText(
  { status, networks, secondaries, publish }: StatusAnswers,
  all: boolean,
  now: number,
): string {
  const { zones } = status;
  const lines = [
    `Edgewise ${status.version}: ${status.status}, up ${duration(status.uptime_seconds)}`,
    ...status.reasons.map((reason) => `  ${reason}`),
    `zones: ${zones.ok} ok, ${zones.stale} stale, ${zones.broken} broken`,
    ...networks.map((network) => networkLine(network, now)),
    ...secondaryLines(secondaries, all),
    ...publish.map((target) => publishLine(target, now)),
  ];
  return `${lines.map(printable).join('\n')}\n`;
}

function networkLine({ network, live, wanted, serial, held, last_run: run }: NetworkSummaryJson, now: number): string {
  const age = run === null ? 'never fetched' : `fetched ${duration(Math.max(0, now - run))} ago`;
  const hold = held ? ', a change is held back' : '';
  return `network ${network}: ${live.length} of ${wanted} live (${live.join(' ')}), serial ${serial}, ${age}${hold}`;
}

export function publishLine(
  { target, names, state, since, last_right: right, problem }: PublishJson,
  now: number,
): string {
  const age = duration(Math.max(0, now - since));
  const last = right === null ? 'never seen right' : `last seen right ${duration(Math.max(0, now - right))} ago`;
  const trouble = problem === null ? '' : `: ${problem}`;
  return `publish ${target} (${names.join(' ')}): ${state} for ${age}, ${last}${trouble}`;
}

/** One line a secondary, and one for each zone in which it has another serial than ours or gives none. */
export function secondaryLines(rows: readonly SecondaryJson[], all: boolean): readonly string[] {
  const bySecondary = new Map<string, SecondaryJson[]>();
  for (const row of rows) bySecondary.set(row.secondary, [...(bySecondary.get(row.secondary) ?? []), row]);
  return [...bySecondary].flatMap(([secondary, zones]) => {
    const bad = zones.filter((row) => !isWell(row));
    const lags = bad.flatMap(({ lag_seconds: lag }) => lag ?? []); // none of one that never answered
    const ahead = zones.filter(({ state }) => state === 'ahead').length;
    const since = lags.length === 0 ? '' : `, for ${duration(Math.max(...lags))}`;
    const lacks = `lacks ${bad.length}${since}`;
    const sum = bad.length === 0 ? 'has every serial' : ahead === 0 ? lacks : `${lacks}, ${ahead} of them ahead of us`;
    return [`secondary ${secondary}: ${zones.length} zones, ${sum}`, ...(all ? zones : bad).map(zoneLine)];
  });
}

/** Whether a secondary gave the serial that is answered here when it was last asked. */
export function isWell({ error, state }: SecondaryJson): boolean {
  return error === null && state === 'current';
}

/** What an operator does at a secondary that is ahead of us: it would take no version from here for decades. */
const FORCE = 'let it fetch the zone anew there: rndc retransfer, nsd-control force_transfer, knotc zone-retransfer';

function zoneLine({ zone, serial, our_serial: ours, state, lag_seconds: lag, error }: SecondaryJson): string {
  const has = serial === null ? 'never answered' : `has ${serial}`;
  const since = lag === null || lag === 0 ? '' : ` for ${duration(lag)}`;
  const differs =
    state === 'behind' || state === 'ahead' ? `, ${state === 'ahead' ? 'ahead of our' : state} ${ours}${since}` : '';
  const help = state === 'ahead' ? `; ${FORCE}` : '';
  return `  ${zone}: ${has}${differs}${help}${error === null ? '' : ` (${error})`}`;
}
