import type { Command } from 'commander';
import type { Config } from '../config/types.ts';
import { explain } from '../health/explain/explain.ts';
import { explanationText } from '../health/explain/text.ts';
import { moment } from '../health/judge/reason.ts';
import { pastMoment } from '../health/modes/past-moment.ts';
import { lastRounds } from '../health/state/history-log.ts';
import { waitingNotices, waitingText } from '../publish/notices/waiting.ts';
import { readTarget, targetFile } from '../publish/providers/target-file.ts';
import type { TargetStatus } from '../publish/providers/target-status.ts';
import { publishedText } from '../publish/providers/target-text.ts';
import { endWith, networkCommand, refuse } from './command-line.ts';
import { findRecord, orRefuse } from './recorded-rounds.ts';

type Flags = { readonly dnet: string; readonly config: string; readonly at?: string; readonly json?: true };

const SAMPLES_OF_ONE = 10; // rounds whose samples are shown of a single edge
const SAMPLES_OF_ALL = 1;

/**
 * `edgewise explain`: why each edge is in or out, from the recorded rounds. Status 1 when there is nothing to explain,
 * 2 on bad arguments.
 */
export function explainCommand(): Command {
  return networkCommand('explain')
    .description('why each edge is live or not, and what would change that')
    .argument('[edge]', 'one edge, or a canary by its address or zone')
    .option('--at <time>', 'as it was then: 2026-11-22T18:00Z, 18:00, "10m ago" or epoch seconds')
    .option('--json', 'print JSON')
    .action(async (edge: string | undefined, flags: Flags) => {
      await endWith(() => explainNetwork(edge ?? null, flags));
    });
}

/** How the network's sets at other people's DNS were when the server, or a run, last noted it. */
async function publishedOf(config: Config, network: string): Promise<readonly TargetStatus[]> {
  const statuses: TargetStatus[] = [];
  for (const { name, network: of } of config.publish) {
    if (of !== network) continue;
    const noted = await readTarget(targetFile(config, name), (sentence) => process.stderr.write(`${sentence}\n`));
    if (noted !== null) statuses.push(noted.status);
  }
  return statuses;
}

async function explainNetwork(edge: string | null, flags: Flags): Promise<number> {
  const now = Date.now() / 1000;
  const at = flags.at === undefined ? Number.POSITIVE_INFINITY : pastMoment(flags.at, now);
  if (at === null) return refuse(`--at "${flags.at}" is not a time`, 2);
  const record = findRecord(flags.config, flags.dnet);
  if (record === null) return 1;

  const rounds = await orRefuse(
    record.path,
    lastRounds(record.path, at, edge === null ? SAMPLES_OF_ALL : SAMPLES_OF_ONE),
  );
  if (rounds === null) return 1;
  if (rounds.length === 0) {
    const when = Number.isFinite(at) ? ` up to ${moment(at)}` : '';
    return refuse(`no round of network ${flags.dnet}${when} is recorded in ${record.path}`);
  }
  const explanation = explain(rounds, { only: edge, interval: record.config.runFrequency });
  if (explanation === null) {
    const when = moment(rounds[rounds.length - 1].facts.now);
    return refuse(`network ${flags.dnet} has no edge or canary "${edge}" in the round of ${when}`);
  }
  const age = flags.at === undefined ? now : null;
  const isNow = flags.at === undefined;
  const published = isNow ? await publishedOf(record.config, flags.dnet) : [];
  const waiting = isNow ? await waitingNotices(record.config, flags.dnet) : [];
  if (flags.json === true) {
    const besides = {
      ...(published.length === 0 ? {} : { published }),
      ...(waiting.length === 0 ? {} : { notices: waiting }),
    };
    process.stdout.write(`${JSON.stringify({ ...explanation, ...besides })}\n`);
    return 0;
  }
  const lines = [...published.map((status) => publishedText(status, now)), ...waiting.map(waitingText)];
  const text = explanationText(explanation, age, record.config.runFrequency);
  process.stdout.write(text + lines.map((line) => `${line}\n`).join(''));
  return 0;
}
