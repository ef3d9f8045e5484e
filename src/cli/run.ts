import type { Command } from 'commander';
import type { LogFormat } from '../system/log-format.ts';
import { version } from '../system/version.ts';
import { endWith, logFormatOption, networkCommand } from './command-line.ts';
import { daemonise, runDaemon } from './run-daemon.ts';
import { runOnce } from './run-once.ts';

type RunFlags = {
  readonly dnet: string;
  readonly config: string;
  readonly dryRun?: true;
  readonly force?: true;
  readonly forceUpdate?: true;
  readonly daemonise?: true;
  readonly verbose?: true;
  readonly logFormat?: LogFormat;
};

/** `edgewise run`, and under its old name `edge_manage`: one round of a network. Sets the exit status. */
export function runCommand(name = 'run'): Command {
  return logFormatOption(networkCommand(name))
    .description('make one round of a network: fetch, decide, write zone files')
    .option('-n, --dry-run', 'fetch and decide, print what would be done, touch nothing')
    .option('--force', 'run even if the last run was less than 30 seconds ago')
    .option('--force-update', 'write every zone file, with a new serial')
    .option('--daemonise', 'go to the background and repeat every run_frequency seconds (with -v: stay)')
    .option('-v, --verbose', 'log everything to standard error instead of the log file')
    .version(`${name} ${version()}`, '--version')
    .action(async (flags: RunFlags) => {
      const options = {
        network: flags.dnet,
        configFile: flags.config,
        dryRun: flags.dryRun === true,
        force: flags.force === true,
        forceUpdate: flags.forceUpdate === true,
        verbose: flags.verbose === true,
        logFormat: flags.logFormat ?? null,
      };
      const run = flags.daemonise !== true ? runOnce : options.verbose ? runDaemon : daemonise;
      await endWith(() => run(options));
    });
}
