import type { Command } from 'commander';
import { serve } from '../app/serve.ts';
import { createLog } from '../system/log.ts';
import { notifySystemd } from '../system/systemd-notify.ts';
import { complain, networksCommand } from './command-line.ts';

type ServeFlags = {
  readonly config: string;
  readonly dnet?: string[];
  readonly dryRun?: true;
  readonly verbose?: true;
};

/** `edgewise serve`: the server. SIGHUP reloads, SIGTERM and SIGINT stop it with status 0. */
export function serveCommand(): Command {
  return networksCommand('serve')
    .description('probe the edges, decide, and answer DNS queries')
    .option('-n, --dry-run', 'probe and print decisions; answer nothing, write nothing')
    .option('-v, --verbose', 'log everything to standard error')
    .action(async (flags: ServeFlags) => {
      // While it starts, an end is an end at once: every file is written aside and renamed, so none is left half done.
      let stop = (): void => process.exit(0);
      // What was read already may be older than the signal, so it is read again once there is a server to give it to.
      let hungUp = false;
      let reload = (): void => {
        hungUp = true;
      };
      for (const signal of ['SIGTERM', 'SIGINT'] as const) hear(signal, () => stop());
      hear('SIGHUP', () => reload());
      const started = await serve({
        file: flags.config,
        networks: flags.dnet ?? [],
        dryRun: flags.dryRun === true,
        // A dry run touches nothing, the log included.
        log: ({ logpath, logLevel }) =>
          createLog({
            verbose: flags.verbose === true,
            level: logLevel,
            file: flags.dryRun === true ? null : logpath,
          }),
      });
      if (!started.ok) {
        complain(started.faults);
        process.exitCode = 1;
        return;
      }
      const { running } = started;
      // Whoever waits for the next line may signal at once.
      stop = () => {
        void notifySystemd('STOPPING=1');
        void running.stop();
      };
      reload = () => void running.reload();
      const dns = running.dns.length === 0 ? '-' : running.dns.join(',');
      const tls = running.tls.length === 0 ? '' : ` tls=${running.tls.join(',')}`;
      process.stdout.write(`edgewise ready dns=${dns} http=${running.http ?? '-'} zones=${running.zones()}${tls}\n`);
      await notifySystemd('READY=1');
      if (hungUp) reload();
    });
}

/**
 * In place of the launcher's listener, which is there for the time before this program is loaded. Ours comes first: with
 * the last listener goes the watch for the signal, and with that a signal that came meanwhile.
 */
function hear(signal: NodeJS.Signals, listener: () => void): void {
  const before = process.rawListeners(signal);
  process.on(signal, listener);
  for (const old of before) process.off(signal, old as () => void);
}
