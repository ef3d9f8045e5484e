import { Command } from 'commander';
import { explain } from '../health/explain.ts';
import { explanationText } from '../health/explain-text.ts';
import { lastRounds } from '../health/history-log.ts';
import { moment } from '../health/reason.ts';
import { DEFAULT_CONFIG, findRecord, orRefuse, refuse } from './recorded-rounds.ts';
import { pastMoment } from './recorded-time.ts';

type Flags = { readonly dnet: string; readonly config: string; readonly at?: string; readonly json?: true };

const SAMPLES_OF_ONE = 10; // rounds whose samples are shown of a single edge
const SAMPLES_OF_ALL = 1;

/** `edgewise explain`: why each edge is in or out, from the recorded rounds. Status 1 when there is nothing to explain. */
export function explainCommand(): Command {
  return new Command('explain')
    .description('why each edge is live or not, and what would change that')
    .argument('[edge]', 'one edge, or a canary by its address or zone')
    .requiredOption('-A, --dnet <network>', 'network')
    .option('-c, --config <file>', 'edgemanage.yaml', DEFAULT_CONFIG)
    .option('--at <time>', 'as it was then: 2026-11-22T18:00Z, 18:00, "10m ago" or epoch seconds')
    .option('--json', 'print JSON')
    .action(async (edge: string | undefined, flags: Flags) => {
      const record = findRecord(flags.config, flags.dnet);
      if (record === null) return;
      const now = Date.now() / 1000;
      const at = flags.at === undefined ? Number.POSITIVE_INFINITY : pastMoment(flags.at, now);
      if (at === null) return void refuse(`--at "${flags.at}" is not a time`);

      const count = edge === undefined ? SAMPLES_OF_ALL : SAMPLES_OF_ONE;
      const rounds = await orRefuse(record.path, lastRounds(record.path, at, count));
      if (rounds === null) return;
      if (rounds.length === 0) {
        const when = Number.isFinite(at) ? ` up to ${moment(at)}` : '';
        return void refuse(`no round of network ${flags.dnet}${when} is recorded in ${record.path}`);
      }
      const explanation = explain(rounds, { only: edge ?? null, interval: record.config.runFrequency });
      if (explanation === null) {
        return void refuse(
          `network ${flags.dnet} has no edge or canary "${edge}" in the round of ${moment(rounds[rounds.length - 1].facts.now)}`,
        );
      }
      const age = flags.at === undefined ? now : null;
      process.stdout.write(
        flags.json === true ? `${JSON.stringify(explanation)}\n` : explanationText(explanation, age),
      );
    });
}
