/** `edgewise cluster`: several vantage points that agree, how they are, and an operator's way out. */
import type { Command } from 'commander';
import type { EtcdVantage } from '../config/section-vantage.ts';
import type { Config } from '../config/types.ts';
import { spanSeconds } from '../health/modes/duration.ts';
import type { VantageJson } from '../server/control/api/json.ts';
import { endpointText } from '../system/address.ts';
import { oneLine } from '../system/printable.ts';
import { EtcdClient } from '../vantage/etcd/client/client.ts';
import { keysOf } from '../vantage/etcd/keys.ts';
import { readEtcdSettings } from '../vantage/etcd/settings.ts';
import { isInForce, OVERRIDE_REASON_MAX, readOverride, removeOverride, writeOverride } from '../vantage/override.ts';
import {
  askServer,
  RefusedError,
  type ServerFlags,
  serverAt,
  serverOf,
  serverOptions,
  unansweredText,
} from './ask-server.ts';
import { clusterText, isClusterWell, overrideText } from './cluster-text.ts';
import { configOption, endWith, newCommand, refuse, userName } from './command-line.ts';
import { readConfig } from './load-network.ts';
import { vantageText } from './vantage-text.ts';

type StatusFlags = ServerFlags & { readonly config: string; readonly json?: true };
type OverrideFlags = { readonly config: string; readonly reason?: string; readonly for?: string; readonly end?: true };

/** How long a running server may take to follow the file. */
const FOLLOWS_MS = 5000;
const LOOK_MS = 200;
/** Characters of a name that somebody else wrote. */
const NAME_MAX = 64;

export function clusterCommand(): Command {
  const status = serverOptions(configOption(newCommand('status', 'edgewise cluster status')))
    .description('who decides, what each vantage says of itself, which views count; exit status 0: all is well')
    .option('--json', 'print what the server says, as JSON')
    .action(async (flags: StatusFlags) => {
      await endWith(() => printStatus(flags));
    });
  const override = configOption(newCommand('override', 'edgewise cluster override'))
    .description('let this server alone decide, from its own view: where the others, or etcd, are lost')
    .option('--reason <text>', 'why it is overridden; recorded and shown')
    .option('--for <span>', 'end it by itself after this time: 45m, 2h, 1h30m (default: --end ends it)')
    .option('--end', 'agree with the others again')
    .action(async (flags: OverrideFlags, command: Command) => {
      const wrong = wrongUse(flags);
      if (wrong !== null) command.error(`error: ${wrong}`, { exitCode: 2 });
      else await endWith(() => setOverride(flags, Date.now() / 1000));
    });
  return newCommand('cluster')
    .description('several vantage points that agree: how they are, and an override')
    .addCommand(status)
    .addCommand(override);
}

/** 0: all is well; 1: not; 2: the server does not answer. */
async function printStatus({ config: file, json, ...flags }: StatusFlags): Promise<number> {
  const server = serverOf(file, flags);
  if (server === null) return 2;
  let answer: VantageJson;
  try {
    answer = await askServer<VantageJson>(server, 'vantage');
  } catch (error) {
    if (error instanceof RefusedError && error.status === 404) {
      return refuse(`the server at ${server.base} decides alone: its configuration has no vantage`, 2);
    }
    const status = refuse(unansweredText(server, error), 2);
    if (flags.url === undefined) process.stderr.write(await configuredText(file));
    return status;
  }
  process.stdout.write(json === true ? `${JSON.stringify(answer, null, 2)}\n` : clusterText(answer));
  return isClusterWell(answer) ? 0 : 1;
}

/** What can be said without the server. */
async function configuredText(file: string): Promise<string> {
  const config = readConfig(file);
  if (config === null) return '';
  const { vantage, stateDir } = config;
  if (vantage === null) return `${file} has no vantage: this server decides alone\n`;
  const { override, problem } = readOverride(stateDir);
  const now = Date.now() / 1000;
  const lines = [
    `configured: ${vantageText(vantage)}`,
    ...(override !== null && isInForce(override, now)
      ? [`set for its next start: ${overrideText(override, now)}`]
      : []),
    ...(problem === null ? [] : [problem]),
    ...(vantage.engine === 'etcd' ? [await storeText(vantage)] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** Who decides as etcd itself says, asked without the server. */
async function storeText(vantage: EtcdVantage): Promise<string> {
  const read = readEtcdSettings(vantage);
  if (!read.ok) return `etcd cannot be asked: ${read.faults.join('; ')}`;
  const client = new EtcdClient(read.settings.client);
  try {
    const answer = await client.range({ key: keysOf(vantage.prefix).leader });
    if (!answer.ok) return `etcd cannot be asked: ${answer.fault.text}`;
    const [leader] = answer.value.kvs;
    if (leader === undefined) return 'etcd answers: nobody decides';
    return `etcd answers: ${oneLine(leader.value.toString('utf8').slice(0, NAME_MAX))} decides, token ${leader.createRevision}`;
  } finally {
    await client.close();
  }
}

/** A sentence where the options contradict each other. */
function wrongUse({ reason, for: span, end }: OverrideFlags): string | null {
  if (end === true) return reason === undefined && span === undefined ? null : '--end takes no --reason and no --for';
  const text = oneLine(reason ?? '');
  if (text === '') return '--reason is needed, or --end';
  if (text.length > OVERRIDE_REASON_MAX) return `--reason: at most ${OVERRIDE_REASON_MAX} characters`;
  if (span === undefined || spanSeconds(span) !== null) return null;
  return `--for: "${span}" is no span of time such as 45m, 2h or 1h30m`;
}

async function setOverride({ config: file, reason, for: span, end }: OverrideFlags, now: number): Promise<number> {
  const config = readConfig(file);
  if (config === null) return 1;
  if (config.vantage === null) return refuse(`${file} has no vantage: this server decides alone as it is`);
  if (end === true) {
    const was = await removeOverride(config.stateDir);
    process.stdout.write(was ? 'The override has ended.\n' : 'No override was in force.\n');
    return was ? follows(config, false) : 0;
  }
  const seconds = span === undefined ? null : spanSeconds(span);
  const until = seconds === null ? null : now + seconds;
  const override = { reason: oneLine(reason ?? ''), by: userName(), at: now, until };
  await writeOverride(config.stateDir, override);
  process.stdout.write(`This server decides alone, from its own view: ${overrideText(override, now)}.\n`);
  return follows(config, true);
}

/** Waits until the server has taken it up, and says so where it has not. The file is there in either case: status 0. */
async function follows({ http }: Config, wanted: boolean): Promise<number> {
  const later = (why: string): number => {
    process.stderr.write(`The server has not confirmed it yet: ${why}; it goes by it as soon as it runs.\n`);
    return 0;
  };
  if (http === null) return later('http is off, so it cannot be asked');
  const server = serverAt(`http://${endpointText(http.listen)}`, {});
  if (server === null) return 0; // standard error says why
  const until = performance.now() + FOLLOWS_MS;
  for (;;) {
    try {
      const { override } = await askServer<VantageJson>(server, 'vantage');
      if ((override !== null) === wanted) return 0;
    } catch (error) {
      return later(unansweredText(server, error));
    }
    if (performance.now() > until) return later('it answers as before');
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
