import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { parseEdgeList } from '../config/edge-list.ts';
import type { Config } from '../config/types.ts';
import type { EdgeQuorum } from '../health/judge/quorum.ts';
import { expireMode } from '../health/modes/modes.ts';
import { checksOf } from '../health/pools/records.ts';
import { JUDGEMENTS, MODES } from '../health/state/edge-store.ts';
import { EdgeStores } from '../health/state/edge-store-files.ts';
import { historyLogPath, lastRounds } from '../health/state/history-log.ts';
import { FILE_MAX, fileError, readFileNow } from '../system/read-file.ts';
import { endWith, networkCommand, printFaults } from './command-line.ts';
import { loadNetwork } from './load-network.ts';
import { type EdgeRow, matches, printRows, type QueryFormat, type QueryHealth, rowOf } from './query-rows.ts';

type QueryFlags = {
  readonly dnet: string;
  readonly config: string;
  readonly health?: QueryHealth;
  readonly state?: 'in' | 'out';
  readonly mode?: EdgeRow['mode'];
  readonly format: QueryFormat;
  readonly quiet?: true;
  readonly verbose?: true;
  readonly header?: true;
};

/** `edgewise query`, and under its old name `edge_query`: the edges of a network, filtered. Sets the exit status. */
export function queryCommand(name = 'query'): Command {
  return networkCommand(name)
    .description('list the edges of a network with mode, state and health')
    .addOption(
      new Option('-H, --health <health>', 'only edges of this health; allpass: any but fail').choices([
        'allpass',
        ...JUDGEMENTS,
        'unknown',
      ]),
    )
    .addOption(new Option('-s, --state <state>', 'only edges that are live (in) or not (out)').choices(['in', 'out']))
    .addOption(new Option('-m, --mode <mode>', 'only edges of this mode').choices(MODES))
    .addOption(
      new Option('-f, --format <format>', 'form of the output').choices(['flat', 'csv', 'json']).default('flat'),
    )
    .option('-q, --quiet', 'print names only')
    .option('-v, --verbose', 'print mode, state, health and comment, too')
    .option('--header', 'name the columns first')
    .action(async (flags: QueryFlags) => {
      await endWith(() => query(flags));
    });
}

async function query(flags: QueryFlags): Promise<number> {
  const loaded = loadNetwork(flags.config, flags.dnet);
  if (loaded === null) return 1;
  const now = Date.now() / 1000;
  const stores = new EdgeStores(loaded.config.healthdataStore, null);
  const { checks } = checksOf(loaded.config, flags.dnet);
  const quorums =
    flags.verbose === true ? await lastQuorums(loaded.config, flags.dnet, now) : new Map<string, EdgeQuorum>();
  const rows: EdgeRow[] = [];
  for (const edge of listedEdges(loaded.config, flags.dnet)) {
    const { record, faults } = await stores.read(edge, now);
    if (faults.length > 0) {
      printFaults(faults);
      continue;
    }
    const known = rowOf(edge, expireMode(record, now), flags.dnet, now, loaded.config.runFrequency, checks);
    const quorum = quorums.get(edge);
    const row = quorum === undefined ? known : { ...known, quorum };
    if (matches(row, { health: flags.health ?? null, state: flags.state ?? null, mode: flags.mode ?? null })) {
      rows.push(row);
    }
  }
  const { format, quiet = false, verbose = false, header = false } = flags;
  process.stdout.write(printRows(rows, { format, quiet, verbose, header }));
  return 0;
}

/** What the vantage points said of each edge in the last decision; empty: there are none. */
async function lastQuorums(
  { vantage, stateDir }: Config,
  network: string,
  now: number,
): Promise<ReadonlyMap<string, EdgeQuorum>> {
  if (vantage === null) return new Map();
  // Rows do not depend on a log that cannot be read.
  const [last] = await lastRounds(historyLogPath(stateDir, network), now, 1).catch(() => []);
  const edges = last === undefined ? [] : last.facts.edges;
  return new Map(edges.flatMap(({ name, quorum }) => (quorum === undefined ? [] : [[name, quorum] as const])));
}

/** In list order, extras after, and as often as they are listed: as the original prints them. */
function listedEdges({ edgelistDir, extraEdgelistDir }: Config, network: string): readonly string[] {
  const lists = [edgelistDir, extraEdgelistDir].flatMap((folder) => (folder === null ? [] : [join(folder, network)]));
  return lists.flatMap((file) => {
    const read = readFileNow(file, FILE_MAX.config);
    if (!read.ok && read.code !== 'ENOENT') throw fileError(file, read);
    return read.ok ? parseEdgeList(file, read.octets.toString('utf8')).edges.map(({ edge }) => edge) : [];
  });
}
