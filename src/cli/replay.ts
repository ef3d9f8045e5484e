import type { Command } from 'commander';
import { FittingRounds, withDistance } from '../health/explain/fitting-rounds.ts';
import { replay } from '../health/explain/replay.ts';
import { REPLAYED_KEYS, replaySettings } from '../health/explain/replay-settings.ts';
import { replayText } from '../health/explain/replay-text.ts';
import { pastMoment } from '../health/modes/past-moment.ts';
import { readLines } from '../health/state/history-log.ts';
import { endWith, networkCommand, refuse } from './command-line.ts';
import { progress } from './progress.ts';
import { findRecord, orRefuse } from './recorded-rounds.ts';

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
  const rules = withDistance(settings.rules, record.config.runFrequency);
  const lines = await orRefuse(record.path, readLines(record.path, { since, until }));
  if (lines === null) return 1;
  if (lines.length === 0)
    return refuse(`no round of network ${flags.dnet} is recorded in ${record.path} for that time`);
  const deciding = progress('rounds decided again', lines.length);
  const fit = new FittingRounds(lines, rules, (index) => deciding.at(index));
  const result = replay(fit, rules);
  deciding.clear();
  if (fit.problem !== null) return refuse(`--set ${fit.problem}`, 2);
  const text =
    flags.json === true ? `${JSON.stringify(result, withMaps)}\n` : replayText(flags.dnet, flags.set ?? [], result);
  process.stdout.write(text);
  return 0;
}

function withMaps(_: string, value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value) : value;
}
