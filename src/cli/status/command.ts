import { type Command, InvalidArgumentError, Option } from 'commander';
import { type ApiServer, type ServerFlags, serverOf, serverOptions, unansweredText } from '../ask-server.ts';
import { configOption, endWith, newCommand, refuse } from '../command-line.ts';
import { type Answers, getAnswers, getNetworkSummaries, getPublish, getSecondaries, getStatus } from './answers.ts';
import { isWell, type StatusAnswers, statusText } from './text.ts';
import { watch } from './watch.ts';

type StatusFlags = ServerFlags & {
  readonly config: string;
  readonly all?: boolean;
  readonly json?: boolean;
  readonly watch?: number | true;
};

const INTERVAL_S = 2;
const INTERVAL_MIN_S = 0.5;
const INTERVAL_MAX_S = 3600;

/**
 * `edgewise status`: what a running server says of itself. Exit status 0 when all is well, 1 when not, 2 without an
 * answer; of `--watch`: 0 when it is ended, whatever it showed.
 */
export function statusCommand(): Command {
  return serverOptions(
    configOption(newCommand('status'), 'the configuration, for where the server listens (http.listen)'),
  )
    .description('ask the running server how it is: networks, zones, secondaries and their lag, providers')
    .option('-a, --all', 'show every secondary and zone, not only those that are behind')
    .addOption(
      new Option(
        '-w, --watch [seconds]',
        `show it again and again, by default every ${INTERVAL_S} s: on a terminal as a full screen (q ends it), ` +
          'else as a block each time',
      ).argParser(interval),
    )
    .addOption(
      new Option(
        '--json',
        'print what the API answers, as one JSON object: status, networks, zones, secondaries, publish, vantage; ' +
          'with --watch a line each time',
      ).conflicts('all'),
    )
    .action(async (flags: StatusFlags) => {
      await endWith(() => status(flags));
    });
}

function interval(text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (seconds >= INTERVAL_MIN_S && seconds <= INTERVAL_MAX_S) return seconds;
  throw new InvalidArgumentError(`Expected seconds, ${INTERVAL_MIN_S} to ${INTERVAL_MAX_S}.`);
}

async function status({ config, all = false, json = false, watch: every, ...flags }: StatusFlags): Promise<number> {
  const server = serverOf(config, flags);
  if (server === null) return 2;
  if (every !== undefined) return watch({ server, seconds: every === true ? INTERVAL_S : every, all, json });
  try {
    return json ? await printJson(server) : await printText(server, all);
  } catch (error) {
    return refuse(unansweredText(server, error), 2);
  }
}

async function printJson(server: ApiServer): Promise<number> {
  const answers = await getAnswers(server, null);
  process.stdout.write(`${JSON.stringify(answers, null, 2)}\n`);
  return exitStatus(answers);
}

async function printText(server: ApiServer, all: boolean): Promise<number> {
  const [overview, networks, secondaries, publish] = await Promise.all([
    getStatus(server),
    getNetworkSummaries(server),
    getSecondaries(server),
    getPublish(server),
  ]);
  const answers: StatusAnswers = { status: overview, networks, secondaries, publish };
  process.stdout.write(statusText(answers, all, Date.now() / 1000));
  return exitStatus(answers);
}

/** One that has not been asked yet is not known to be unwell. */
function exitStatus({ status: { status: word }, secondaries }: Pick<Answers, 'status' | 'secondaries'>): 0 | 1 {
  return word === 'ok' && !secondaries.some((row) => !isWell(row) && row.checked_at !== null) ? 0 : 1;
}
