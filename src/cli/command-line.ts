/** What all commands share: options, faults on standard error, exit statuses. */
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { Command, type CommanderError, InvalidArgumentError, Option } from 'commander';
import type { Config } from '../config/types.ts';
import { type Fault, formatFault } from '../system/fault.ts';
import { LOG_FORMATS } from '../system/log-format.ts';
import { manualOf } from './manual.ts';
import { manualText } from './manual-text.ts';

/** Where the configuration is looked for unless it is named: edgemanage's own, then that of the Debian package. */
const CONFIG_PATHS = ['/etc/edgemanage/edgemanage.yaml', '/etc/edgewise/edgewise.yaml'] as const;

/**
 * A command whose bad arguments end with status 2, as in the original (commander's own is 1). `called`: as it is typed.
 */
export function newCommand(name: string, called = name.startsWith('edge') ? name : `edgewise ${name}`): Command {
  const manual = manualOf(called);
  return (
    new Command(name)
      // The width is commander's own.
      .addHelpText('after', ({ error }) =>
        error || manual === null ? '' : manualText(manual, process.stdout.columns ?? 80),
      )
      .showHelpAfterError(`(${called} --help shows what it takes)`)
      .exitOverride((error: CommanderError) => process.exit(error.exitCode === 0 ? 0 : 2))
  );
}

/** A command for one network, `-A`. */
export function networkCommand(name: string): Command {
  return configOption(newCommand(name).requiredOption('-A, --dnet <network>', 'the network'));
}

/** A command for all networks, or only those that `-A` names. */
export function networksCommand(name: string): Command {
  return configOption(
    newCommand(name).option('-A, --dnet <network...>', 'only these networks (default: every one in edgelist_dir)'),
  );
}

export function configOption(command: Command, what = 'the configuration'): Command {
  const option = new Option('-c, --config <file>', what);
  return command.addOption(
    option.default(defaultConfig(), `$EDGEWISE_CONFIG, else ${CONFIG_PATHS[0]}, else ${CONFIG_PATHS[1]}`),
  );
}

/** What the environment names, there or not; otherwise the first file that exists. */
function defaultConfig(): string {
  const { EDGEWISE_CONFIG: named = '' } = process.env;
  if (named !== '') return named;
  return CONFIG_PATHS.find((path) => existsSync(path)) ?? CONFIG_PATHS[0];
}

/** How the log is written, instead of as fits where it goes. */
export function logFormatOption(command: Command): Command {
  const option = new Option('--log-format <format>', 'form of the log, instead of one that fits where it goes');
  return command.addOption(option.choices(LOG_FORMATS));
}

/** For `argParser`: a TCP or UDP port. */
export function portNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw new InvalidArgumentError('Expected a port, 1 to 65535.');
  return port;
}

/**
 * Sets the exit status to what `work` returns; what it throws (a folder that may not be used) is one sentence and 1.
 */
export async function endWith(work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await work();
  } catch (error) {
    process.exitCode = refuse(error instanceof Error ? error.message : String(error));
  }
}

/** One sentence on standard error. Returns `status`. */
export function refuse(sentence: string, status = 1): number {
  process.stderr.write(`error: ${sentence}\n`);
  return status;
}

/** Faults on standard error, each at its place; and where no configuration was found, how to name one. */
export function printFaults(faults: readonly Fault[]): void {
  for (const fault of faults) process.stderr.write(`${formatFault(fault)}\n`);
  const { EDGEWISE_CONFIG: named = '' } = process.env;
  if (named === '' && faults.some(({ at, code }) => code === 'unreadable-file' && at?.file === CONFIG_PATHS[0])) {
    const paths = CONFIG_PATHS.join(' and then ');
    process.stderr.write(
      `A configuration is named by -c FILE or EDGEWISE_CONFIG; without either, ${paths} is looked for.\n`,
    );
  }
}

/**
 * Runs a command line to its end. A reader who has seen enough (`| head`) is no error: the work is finished without
 * him. Output that cannot be written for another reason (a full disk) is.
 */
export async function runCommandLine(command: Command, argv: readonly string[]): Promise<void> {
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    process.exitCode = refuse(`cannot write the output: ${error.message}`);
    process.once('exit', () => {
      process.exitCode = 1; // whatever the command thought of its success
    });
  });
  await command.parseAsync(argv);
}

/**
 * In place of the launcher's listener, which is there for the time before this program is loaded. Ours comes first:
 * with the last listener goes the watch for the signal, and with that a signal that came meanwhile.
 */
export function replaceListeners(signal: NodeJS.Signals, listener: () => void): void {
  const before = process.rawListeners(signal);
  process.on(signal, listener);
  for (const old of before) process.off(signal, old as () => void);
}

/** Who does this: behind sudo the person, not root. */
export function userName(): string {
  const { SUDO_USER, LOGNAME, USER } = process.env;
  const name = [SUDO_USER, LOGNAME, USER].find((text) => text !== undefined && text !== '');
  return name ?? userInfo().username;
}

/**
 * Why a command that publishes by itself must not with this configuration; null: it may. Where several servers give one
 * answer, a live set or a serial of its own would be another one than theirs.
 */
export function refusedAlone({ vantage }: Pick<Config, 'vantage'>): string | null {
  if (vantage?.engine !== 'etcd') return null;
  return (
    'vantage.engine is etcd: live sets and serials are decided together with the other vantages, so only ' +
    '`edgewise serve` publishes them. With -n (--dry-run) this command shows what it would do.'
  );
}
