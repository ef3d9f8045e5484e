import type { Command } from 'commander';
import type { NetworkSummaryJson, PublishJson, SecondaryJson, StatusJson } from '../server/control/api/json.ts';
import { apiAddressOf, askServer, unansweredText } from './ask-server.ts';
import { configOption, endWith, newCommand, refuse } from './command-line.ts';
import { isWell, type StatusAnswers, statusText } from './status-text.ts';

type StatusFlags = { readonly config: string; readonly url?: string; readonly all?: true };

/**
 * `edgewise status`: what a running server says of itself. Exit status 0 when all is well, 1 when not, 2 without an
 * answer.
 */
export function statusCommand(): Command {
  return configOption(newCommand('status'), 'the configuration, for where the server listens (http.listen)')
    .description('ask the running server how it is: networks, zones, secondaries and their lag, providers')
    .option('-u, --url <url>', 'ask the server at this address, such as http://127.0.0.1:8053')
    .option('-a, --all', 'show every secondary and zone, not only those that are behind')
    .action(async (flags: StatusFlags) => {
      await endWith(() => status(flags));
    });
}

async function status({ config, url, all }: StatusFlags): Promise<number> {
  const base = url ?? apiAddressOf(config);
  if (base === null) return 2;
  let answers: StatusAnswers;
  try {
    const [overview, networks, secondaries, publish] = await Promise.all([
      askServer<StatusJson>(base, 'status'),
      askServer<{ readonly networks: readonly NetworkSummaryJson[] }>(base, 'networks'),
      askServer<{ readonly secondaries: readonly SecondaryJson[] }>(base, 'secondaries'),
      getPublish(base),
    ]);
    answers = { status: overview, networks: networks.networks, secondaries: secondaries.secondaries, publish };
  } catch (error) {
    return refuse(`${base} does not answer: ${unansweredText(error)}`, 2);
  }
  process.stdout.write(statusText(answers, all === true, Date.now() / 1000));
  // One that has not been asked yet is not known to be unwell.
  const unwell = answers.secondaries.some((row) => !isWell(row) && row.checked_at !== null);
  return answers.status.status === 'ok' && !unwell ? 0 : 1;
}

/** A server of an earlier version has no such page. */
async function getPublish(base: string): Promise<readonly PublishJson[]> {
  try {
    return (await askServer<{ readonly publish: readonly PublishJson[] }>(base, 'publish')).publish;
  } catch (error) {
    if (error instanceof Error && error.message === 'publish: 404') return [];
    throw error;
  }
}
