/** What a watch shows, as lines: what is known of the server in, text with tones out. */
import type { PublishJson, SecondaryJson, VantageJson, ZoneJson } from '../../server/control/api/json.ts';
import { duration } from '../duration-text.ts';
import type { Answers, ServerStatus } from './answers.ts';
import { networkLines, type Sort } from './network-lines.ts';
import { EMPTY, type Line, line, type Span, span, table } from './styled.ts';
import { publishLine, secondaryLines } from './text.ts';
import type { Rates, WatchState } from './watch-state.ts';

export type WatchLines = {
  /** Stays at the top while the rest is scrolled. */
  readonly head: readonly Line[];
  readonly body: readonly Line[];
};

/** `filter`: a part of the names of the networks that are shown. `all`: secondaries that are well, too. */
export type WatchView = { readonly filter: string; readonly sort: Sort; readonly all: boolean };

/** Rows of one kind; ten thousand zones that do not load are not read one by one. */
const ROWS_MAX = 50;
/** Response codes that are named. */
const RCODES_MAX = 5;

export function watchLines(state: WatchState, view: WatchView, now: number): WatchLines {
  const { answers, base, away } = state;
  const gone = away === null ? [] : [awayLine(state, now)];
  if (answers === null) {
    return { head: [...(away === null ? [line(`Edgewise at ${base}: asking`, 'dim')] : gone)], body: [] };
  }
  const { status } = answers;
  return {
    head: [headLine(base, status), ...gone, trafficLine(status, state.rates)],
    body: bodyLines(answers, view),
  };
}

function headLine(base: string, { version, status, uptime_seconds: up, zones }: ServerStatus): Line {
  const faulty = zones.stale + zones.broken > 0;
  return [
    span(`Edgewise ${version}`, 'heading'),
    span('  '),
    span(status, status === 'ok' ? 'good' : 'bad'),
    span(`  up ${duration(up)}`),
    span(`  zones: ${zones.ok} ok, ${zones.stale} stale, ${zones.broken} broken`, faulty ? 'bad' : 'plain'),
    span(`  at ${base}`),
  ];
}

function awayLine({ base, away, answers, answeredAt }: WatchState, now: number): Line {
  if (away === null) return EMPTY;
  const age = duration(Math.max(0, now - away.since));
  const below = answers === null || answeredAt === null ? '' : `; below: as at ${clock(answeredAt)}`;
  // The line above names the server already.
  const why = away.why.replace(`${base} does not answer: `, '');
  return line(`NO ANSWER since ${clock(away.since)} (${age})${below}: ${why}`, 'bad');
}

function trafficLine({ dns }: ServerStatus, rates: Rates | null): Line {
  if (dns === undefined) return EMPTY;
  if (rates === null) return line(`queries: ${dns.queries} since the start`);
  const spans: Span[] = [span(`queries: ${perSecond(rates.queries)}`)];
  for (const [rcode, rate] of rates.answers.slice(0, RCODES_MAX)) {
    spans.push(span(`  ${rcode} ${perSecond(rate)}`, rcode === 'SERVFAIL' ? 'warning' : 'plain'));
  }
  if (rates.dropped > 0) spans.push(span(`  dropped ${perSecond(rates.dropped)}`, 'warning'));
  if (rates.limited > 0) spans.push(span(`  rate limited ${perSecond(rates.limited)}`, 'warning'));
  return spans;
}

function perSecond(rate: number): string {
  return `${rate < 10 ? rate.toFixed(1) : String(Math.round(rate))}/s`;
}

function bodyLines(
  { status, networks, zones, secondaries, publish, vantage }: Answers,
  view: WatchView,
): readonly Line[] {
  const now = status.started_at + status.uptime_seconds;
  const shown = networks.filter(({ network }) => network.toLowerCase().includes(view.filter.toLowerCase()));
  return [
    ...status.reasons.map((reason) => line(`! ${reason}`, 'bad')),
    ...status.warnings.map((warning) => line(`~ ${warning}`, 'warning')),
    ...shown.flatMap((network) => [EMPTY, ...networkLines(network, view.sort)]),
    ...section(zoneLines(zones)),
    ...section(secondaryRows(secondaries, view.all)),
    ...section(publishLines(publish, now)),
    ...section(vantage === null ? [] : vantageLines(vantage)),
  ];
}

function section(lines: readonly Line[]): readonly Line[] {
  return lines.length === 0 ? [] : [EMPTY, ...lines];
}

function zoneLines(zones: readonly ZoneJson[]): readonly Line[] {
  const faulty = zones.filter(({ state }) => state !== 'ok');
  return bounded(
    faulty.map(({ zone, state, faults }) =>
      line(`zone ${zone}: ${state}${faults.length === 0 ? '' : `, ${faults[0].split('\n', 1)[0]}`}`, 'bad'),
    ),
    'zones',
  );
}

function secondaryRows(secondaries: readonly SecondaryJson[], all: boolean): readonly Line[] {
  const isFine = (text: string): boolean => text.endsWith('has every serial');
  const lines = secondaryLines(secondaries, all).filter((text) => all || !isFine(text));
  return bounded(
    lines.map((text) => line(text, isFine(text) ? 'plain' : 'warning')),
    'lines of secondaries',
  );
}

function publishLines(publish: readonly PublishJson[], now: number): readonly Line[] {
  return publish
    .filter(({ state }) => state !== 'right')
    .map((target) => line(publishLine(target, now), target.state === 'failing' ? 'bad' : 'warning'));
}

function vantageLines({ engine, vantages, decider, override, connected, now }: VantageJson): readonly Line[] {
  const by = decider === null ? 'each decides for itself' : `decided by ${decider.vantage ?? 'NOBODY'}`;
  const lost = connected === false ? ', etcd DOES NOT ANSWER' : '';
  const head = `vantages by ${engine}: ${by}${lost}`;
  const rows = vantages.map((one) => [
    span(`${one.vantage}${one.is_self ? ' (this server)' : ''}`),
    one.is_self || one.reachable ? span('reachable', 'good') : span('NOT REACHABLE', 'bad'),
    span(one.last_heard === null ? '-' : `${duration(one.last_heard)} ago`),
    span(one.problem ?? '-', one.problem === null ? 'dim' : 'bad'),
  ]);
  return [
    line(head, decider?.vantage === null || connected === false ? 'bad' : 'heading'),
    ...(override === null
      ? []
      : [
          line(
            `  OVERRIDE by ${override.by} for ${duration(Math.max(0, now - override.at))}: ${override.reason}`,
            'warning',
          ),
        ]),
    ...table(['VANTAGE', 'STATE', 'HEARD OF', 'PROBLEM'], rows),
  ];
}

function bounded(lines: readonly Line[], what: string): readonly Line[] {
  const more = lines.length - ROWS_MAX;
  return more <= 0 ? lines : [...lines.slice(0, ROWS_MAX), line(`and ${more} more ${what}`)];
}

/** Local time of day. */
export function clock(at: number): string {
  const date = new Date(at * 1000);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}
