import type { Command } from 'commander';
import { type ReplayRules, replay, rulesUnder } from '../health/explain/replay.ts';
import { replayText } from '../health/explain/replay-text.ts';
import { moment } from '../health/judge/reason.ts';
import { type RoundLine, readLines } from '../health/state/history-log.ts';
import type { RoundRecord } from '../health/state/history-log-record.ts';
import { endWith, networkCommand, refuse } from './command-line.ts';
import { progress } from './progress.ts';
import { findRecord, orRefuse } from './recorded-rounds.ts';
import { pastMoment } from './recorded-time.ts';
import { REPLAYED_KEYS, replaySettings } from './replay-settings.ts';

type Flags = {
  readonly dnet: string;
  readonly config: string;
  readonly set?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly json?: true;
};

/**
 * `edgewise replay`: recorded rounds decided again under other settings. Status 1 when there are none, 2 on bad
 * arguments.
 */
export function replayCommand(): Command {
  return networkCommand('replay')
    .description('decide recorded rounds again under other settings and show what would have changed')
    .option('--set <key=value...>', `a setting to try instead of the recorded one: ${REPLAYED_KEYS.join(', ')}`)
    .option('--since <time>', 'the first round: 2026-11-22T18:00Z, 18:00, "2h ago" or epoch seconds')
    .option('--until <time>', 'the last round, likewise')
    .option('--json', 'print JSON')
    .action(async (flags: Flags) => {
      await endWith(() => replayNetwork(flags));
    });
}

async function replayNetwork(flags: Flags): Promise<number> {
  const settings = replaySettings(flags.set ?? []);
  if (!settings.ok) {
    for (const problem of settings.problems) refuse(`--set ${problem}`);
    return 2;
  }
  const now = Date.now() / 1000;
  const since = flags.since === undefined ? Number.NEGATIVE_INFINITY : pastMoment(flags.since, now);
  const until = flags.until === undefined ? Number.POSITIVE_INFINITY : pastMoment(flags.until, now);
  if (since === null) return refuse(`--since "${flags.since}" is not a time`, 2);
  if (until === null) return refuse(`--until "${flags.until}" is not a time`, 2);

  const record = findRecord(flags.config, flags.dnet);
  if (record === null) return 1;
  const { judge } = settings.rules;
  const apart = record.config.runFrequency / 2;
  // Where rounds were recorded with a judge that counts, theirs holds.
  const rules = judge?.kind === 'rise_fall' ? { ...settings.rules, judge: { ...judge, apart } } : settings.rules;
  const lines = await orRefuse(record.path, readLines(record.path, { since, until }));
  if (lines === null) return 1;
  if (lines.length === 0)
    return refuse(`no round of network ${flags.dnet} is recorded in ${record.path} for that time`);
  const fit = new FitRounds(lines, rules);
  const result = replay(fit, rules);
  if (fit.problem !== null) return refuse(`--set ${fit.problem}`, 2);
  const text =
    flags.json === true ? `${JSON.stringify(result, withMaps)}\n` : replayText(flags.dnet, flags.set ?? [], result);
  process.stdout.write(text);
  return 0;
}

/**
 * The records one at a time, since a long history does not fit into memory decoded. Ends with a `problem` at a round
 * whose rules the settings would turn into ones that no configuration may have: a fetch that fails would be good
 * enough.
 */
class FitRounds implements Iterable<RoundRecord> {
  problem: string | null = null;
  private readonly lines: readonly RoundLine[];
  private readonly set: ReplayRules;

  constructor(lines: readonly RoundLine[], set: ReplayRules) {
    this.lines = lines;
    this.set = set;
  }

  *[Symbol.iterator](): Generator<RoundRecord> {
    const deciding = progress('rounds decided again', this.lines.length);
    for (const [i, line] of this.lines.entries()) {
      deciding.at(i);
      const record = line.decode();
      if (record === null) continue;
      const { goodenough, timeout } = rulesUnder(record.facts.rules, this.set);
      // With neither set, what was recorded is replayed, whatever it is.
      if (goodenough >= timeout && (this.set.goodenough ?? this.set.timeout) !== undefined) {
        const round = `of the round of ${moment(record.facts.now)}`;
        this.problem =
          this.set.goodenough === undefined
            ? `timeout ${timeout} must be over the goodenough ${goodenough} ${round}`
            : `goodenough ${goodenough} must be less than the timeout ${timeout} ${round}`;
        break;
      }
      yield record;
    }
    deciding.clear();
  }
}

function withMaps(_: string, value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value) : value;
}
