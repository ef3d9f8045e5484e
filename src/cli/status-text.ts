import type { NetworkSummaryJson, SecondaryJson, StatusJson } from '../server/control/api-json.ts';

export type StatusAnswers = {
  readonly status: StatusJson;
  readonly networks: readonly NetworkSummaryJson[];
  readonly secondaries: readonly SecondaryJson[];
};

/** What `edgewise status` prints. `now`: epoch seconds. `all`: rows of secondaries that are well, too. */
export function statusText({ status, networks, secondaries }: StatusAnswers, all: boolean, now: number): string {
  const { zones } = status;
  const lines = [
    `Edgewise ${status.version}: ${status.status}, up ${duration(status.uptime_seconds)}`,
    ...status.reasons.map((reason) => `  ${reason}`),
    `zones: ${zones.ok} ok, ${zones.stale} stale, ${zones.broken} broken`,
    ...networks.map((network) => networkLine(network, now)),
    ...secondaryLines(secondaries, all),
  ];
  return `${lines.join('\n')}\n`;
}

function networkLine({ network, live, wanted, serial, held, last_run: run }: NetworkSummaryJson, now: number): string {
  const age = run === null ? 'never fetched' : `fetched ${duration(Math.max(0, now - run))} ago`;
  const hold = held ? ', a change is held back' : '';
  return `network ${network}: ${live.length} of ${wanted} live (${live.join(' ')}), serial ${serial}, ${age}${hold}`;
}

/** One line a secondary, and one for each zone in which it lacks our serial. */
function secondaryLines(rows: readonly SecondaryJson[], all: boolean): readonly string[] {
  const bySecondary = new Map<string, SecondaryJson[]>();
  for (const row of rows) bySecondary.set(row.secondary, [...(bySecondary.get(row.secondary) ?? []), row]);
  return [...bySecondary].flatMap(([secondary, zones]) => {
    const bad = zones.filter((row) => !isWell(row));
    const worst = Math.max(0, ...zones.map(({ lag_seconds: lag }) => lag ?? 0));
    const sum = bad.length === 0 ? 'has every serial' : `lacks ${bad.length}, for ${duration(worst)}`;
    return [`secondary ${secondary}: ${zones.length} zones, ${sum}`, ...(all ? zones : bad).map(zoneLine)];
  });
}

function isWell({ error, lag_seconds: lag }: SecondaryJson): boolean {
  return error === null && lag === 0;
}

function zoneLine({ zone, serial, our_serial: ours, lag_seconds: lag, error }: SecondaryJson): string {
  const has = serial === null ? 'never answered' : `has ${serial}`;
  const behind = lag === null || lag === 0 ? '' : `, behind ${ours} for ${duration(lag)}`;
  return `  ${zone}: ${has}${behind}${error === null ? '' : ` (${error})`}`;
}

/** `4.2 s`, `12 min`, `3 h`, `9 d`. */
function duration(seconds: number): string {
  if (seconds < 100) return `${Math.round(seconds * 10) / 10} s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}
