import type { Command } from 'commander';
import { serve } from '../app/serve.ts';
import type { Running } from '../app/server.ts';
import { errorText } from '../system/error-text.ts';
import { exitAtOnce } from '../system/exit-at-once.ts';
import { Guard } from '../system/guard.ts';
import { createLog, type OpenLog } from '../system/log.ts';
import type { LogFormat } from '../system/log-format.ts';
import { ServiceManager } from '../system/systemd-notify.ts';
import { logFormatOption, networksCommand, printFaults, replaceListeners } from './command-line.ts';

type ServeFlags = {
  readonly config: string;
  readonly dnet?: string[];
  readonly dryRun?: true;
  readonly verbose?: true;
  readonly logFormat?: LogFormat;
};

/** After a stop: how long whatever still keeps the event loop busy may take before the process ends all the same. */
const LINGER_MS = 1000;

/** `edgewise serve`: the server. SIGHUP reloads, SIGTERM and SIGINT stop it with status 0. */
export function serveCommand(): Command {
  return logFormatOption(networksCommand('serve'))
    .description('probe the edges, decide, and answer DNS queries')
    .option('-n, --dry-run', 'probe and print decisions; answer nothing, write nothing')
    .option('-v, --verbose', 'log everything to standard error')
    .action(run);
}

async function run(flags: ServeFlags): Promise<void> {
  let opened: OpenLog | null = null;
  const guard = new Guard({
    report: (part, text) => {
      if (opened === null) process.stderr.write(`edgewise: ${text}\n`);
      else opened.log('error', text, { event: 'server.bug_contained', part });
    },
    now: () => Date.now() / 1000,
  });
  // The last resort: what no guard saw must not end the threads that answer.
  process.on('uncaughtException', (error) => guard.note('the main thread', error));
  process.on('unhandledRejection', (error) => guard.note('the main thread', error));

  // While it starts, an end is an end at once: every file is written aside and renamed, so none is left half done.
  let stop = (): void => exitAtOnce(0);
  let logFault: string | null = null;
  // What was read already may be older than the signal, so it is read again once there is a server to reload.
  let hungUp = false;
  let manager: ServiceManager | null = null;
  let reload = (): void => {
    hungUp = true;
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    replaceListeners(
      signal,
      guard.protect(signal, () => stop()),
    );
  }
  replaceListeners(
    'SIGHUP',
    guard.protect('SIGHUP', () => {
      logFault = reopenLog(opened);
      reload();
    }),
  );
  const started = await serve({
    file: flags.config,
    networks: flags.dnet ?? [],
    dryRun: flags.dryRun === true,
    guard,
    onReload: (outcome) => {
      if (outcome === 'begins') manager?.reloading();
      else manager?.reloaded(outcome.fault);
    },
    logFault: () => logFault ?? linesLost(opened),
    log: ({ logpath, logLevel }) => {
      opened = createLog({
        verbose: flags.verbose === true,
        level: logLevel,
        format: flags.logFormat,
        // A dry run touches nothing, the log included.
        file: flags.dryRun === true ? null : logpath,
      });
      const fault = opened.fault();
      if (fault !== null) {
        logFault = `the log goes to standard error, since logpath cannot be written: ${fault}`;
        opened.log('error', logFault, 'log.file_unusable');
      }
      return opened;
    },
  });
  if (!started.ok) {
    printFaults(started.faults);
    process.exitCode = 1;
    // What a failed start left behind must not keep the process.
    setTimeout(() => process.exit(), LINGER_MS).unref();
    return;
  }
  const { running } = started;
  // Whoever waits for the next line may signal at once.
  stop = () => {
    manager?.stopping();
    guard.run(
      'stop',
      running.stop().finally(() => setTimeout(() => process.exit(), LINGER_MS).unref()),
    );
  };
  reload = () => guard.run('reload', running.reload());
  const dns = running.dns.length === 0 ? '-' : running.dns.join(',');
  const tls = running.tls.length === 0 ? '' : ` tls=${running.tls.join(',')}`;
  process.stdout.write(`edgewise ready dns=${dns} http=${running.http ?? '-'} zones=${running.zones()}${tls}\n`);
  manager = new ServiceManager(guard, addressesText(running));
  await manager.ready();
  if (hungUp) reload();
}

/** What `systemctl status` shows of a server that is ready. */
function addressesText({ dns, tls, http }: Running): string {
  const addresses = { DNS: dns, TLS: tls, HTTP: http === null ? [] : [http] };
  const used = Object.entries(addresses).filter(([, list]) => list.length > 0);
  return used.length === 0 ? 'A dry run' : used.map(([name, list]) => `${name} on ${list.join(' ')}`).join(', ');
}

function linesLost(opened: OpenLog | null): string | null {
  const fault = opened?.writeFault() ?? null;
  return fault === null ? null : `lines of the log are held back or lost, since they cannot be written: ${fault}`;
}

/** The log is rotated whatever else a reload comes to. What went wrong, or null. */
function reopenLog(opened: OpenLog | null): string | null {
  try {
    opened?.reopen();
    return null;
  } catch (error) {
    const stays =
      opened?.fault() === null
        ? 'the log cannot be opened again, so its old file stays in use'
        : 'the log still goes to standard error, since logpath cannot be written';
    const fault = `${stays}: ${errorText(error)}`;
    opened?.log('error', fault, 'log.file_unusable');
    return fault;
  }
}
