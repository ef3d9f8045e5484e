import { byName, count, list, moment } from '../judge/reason.ts';
import type { Replay, Tally } from './replay.ts';

const SHOWN = 20; // differences; all are in the JSON

/** A replay as text for a terminal. `settings`: what was set otherwise, as the operator wrote it. */
export function replayText(network: string, settings: readonly string[], replay: Replay): string {
  const { rounds, since, until, recorded, replayed } = replay;
  if (since === null || until === null) return `network ${network}: no recorded rounds\n`;
  const lines = [
    `network ${network}: ${count(rounds, 'round')} from ${moment(since)} to ${moment(until)}, ${span(until - since)}`,
    `replayed with ${settings.length === 0 ? 'the recorded settings' : settings.join(' ')}`,
  ];
  if (replay.timeoutCut) lines.push('! a longer timeout cannot be replayed: fetches ended at the recorded one');
  if (replay.breaks > 0) lines.push(`! ${replay.breaks} times the record does not continue the round before it`);

  const hours = (until - since) / 3600;
  const rate = (tally: Tally) =>
    hours >= 1 ? `${tally.rotations} (${(tally.rotations / hours).toFixed(2)} an hour)` : `${tally.rotations}`;
  lines.push(
    '',
    ...table([
      ['', 'recorded', 'replayed'],
      ['DNS rotations', rate(recorded), rate(replayed)],
      ['rounds held by dnschange_maxfreq', `${recorded.heldRounds}`, `${replayed.heldRounds}`],
      ...(recorded.holdExceptions + replayed.holdExceptions === 0
        ? []
        : [['members replaced in spite of it', `${recorded.holdExceptions}`, `${replayed.holdExceptions}`]]),
      ['rounds short of edges', `${recorded.shortRounds}`, `${replayed.shortRounds}`],
      ['rounds without a live edge', `${recorded.emptyRounds}`, `${replayed.emptyRounds}`],
      ['canary changes', `${recorded.canaryChanges}`, `${replayed.canaryChanges}`],
    ]),
    '',
    ...table([['live', 'recorded', 'replayed'], ...shares(replay)]),
    '',
    `live set differs in ${replay.differingRounds} of ${rounds} rounds`,
  );
  for (const { from, until: to, rounds: lasted, recorded: was, replayed: is, why } of replay.differences.slice(
    0,
    SHOWN,
  )) {
    lines.push(`  ${moment(from)} to ${moment(to)} (${count(lasted, 'round')}): ${list(is)} instead of ${list(was)}`);
    for (const [edge, reason] of why) lines.push(`    ${is.includes(edge) ? '+' : '-'}${edge}: ${reason}`);
  }
  const more = replay.differences.length + replay.differencesLeftOut - SHOWN;
  if (more > 0) lines.push(`  and ${more} more; --json lists them`);
  return `${lines.join('\n')}\n`;
}

function shares({ rounds, recorded, replayed }: Replay): string[][] {
  const names = [...new Set([...recorded.roundsLive.keys(), ...replayed.roundsLive.keys()])].sort(byName);
  const share = (tally: Tally, name: string) => `${((100 * (tally.roundsLive.get(name) ?? 0)) / rounds).toFixed(1)} %`;
  return names.map((name) => [name, share(recorded, name), share(replayed, name)]);
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd(),
  );
}

function span(seconds: number): string {
  if (seconds < 120) return `${seconds.toFixed(0)} seconds`;
  if (seconds < 7200) return `${(seconds / 60).toFixed(0)} minutes`;
  return seconds < 172_800 ? `${(seconds / 3600).toFixed(1)} hours` : `${(seconds / 86_400).toFixed(1)} days`;
}
