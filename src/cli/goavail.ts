/** `goavail monitor`: the second original's command line. */

import { type Command, Option } from 'commander';
import { GoavailMonitor, type MonitorSettings } from '../app/goavail/monitor.ts';
import { GoavailPeers, membersOf } from '../app/goavail/peers.ts';
import { goavailPlan } from '../app/goavail/plan.ts';
import { GoavailPublisher } from '../app/goavail/publisher.ts';
import { providerAccess, slackApi } from '../config/goavail-environment.ts';
import { type Goavail, type GoavailCluster, type GoavailUse, loadGoavail } from '../config/goavail-file.ts';
import { Prober, USER_AGENT } from '../health/checks/prober.ts';
import { count } from '../health/judge/reason.ts';
import { errorText } from '../system/error-text.ts';
import { type Fault, hasErrors } from '../system/fault.ts';
import { Guard } from '../system/guard.ts';
import { pingForbidden } from '../system/icmp-socket.ts';
import { createLog, standardErrorFormat } from '../system/log.ts';
import type { Log, LogLevel } from '../system/log-events.ts';
import { logFaults } from '../system/log-faults.ts';
import type { LogFormat } from '../system/log-format.ts';
import { version } from '../system/version.ts';
import {
  endWith,
  logFormatOption,
  newCommand,
  printFaults,
  refuse,
  replaceListeners,
  runCommandLine,
} from './command-line.ts';

type MonitorFlags = {
  readonly configFile: string;
  readonly dryRun: boolean;
  readonly logFormat?: LogFormat;
  readonly type: GoavailUse['type'];
  readonly dnsProvider: GoavailUse['provider'];
  readonly debug?: true;
};

/** `goavail COMMAND …`. Sets the exit status; `monitor` goes on when it returns. */
export async function main(argv: readonly string[]): Promise<void> {
  await runCommandLine(goavailCommand(), argv);
}

export function goavailCommand(): Command {
  return newCommand('goavail', 'goavail')
    .description('Checks addresses and keeps those that answer in DNS')
    .version(version())
    .addCommand(monitorCommand());
}

function monitorCommand(): Command {
  return logFormatOption(newCommand('monitor', 'goavail monitor'))
    .description('check the addresses of goavail.toml until SIGTERM or SIGINT; SIGHUP reads it again')
    .option('-f, --config-file <file>', "goavail's configuration", 'goavail.toml')
    .option('-d, --dry-run', 'change nothing at the provider, log what would be changed', true)
    .option('--no-dry-run', 'change the records at the provider')
    .addOption(
      new Option('-t, --type <type>', 'check by ICMP echo (ip) or by TCP connection (tcp)')
        .choices(['ip', 'tcp'])
        .default('ip'),
    )
    .addOption(
      new Option('-p, --dns-provider <provider>', 'whose table of the file is used')
        .choices(['cloudflare', 'route53'])
        .default('cloudflare'),
    )
    .option('-b, --debug', 'log every result')
    .action(async (flags: MonitorFlags) => {
      await endWith(() => monitor(flags));
    });
}

/** Returns the exit status: 0 after a signal, 1 where it could not begin. */
async function monitor(flags: MonitorFlags): Promise<number> {
  const log = logger(flags.debug === true ? 'debug' : 'info', flags.logFormat ?? null);
  const guard = new Guard({
    report: (part, text) => log('error', text, { event: 'server.bug_contained', part }),
    now: () => Date.now() / 1000,
  });
  const signals = new MonitorSignals(guard);
  const { settings, faults } = settingsOf(flags);
  const { access, faults: accessFaults } = providerAccess(flags.dnsProvider, process.env);
  const { api: slack, faults: slackFaults } = slackApi(process.env);
  printFaults([...faults, ...accessFaults, ...slackFaults]);
  if (settings === null || hasErrors([...accessFaults, ...slackFaults])) return 1;
  if (!flags.dryRun && flags.dnsProvider === 'cloudflare' && access.missing.length > 0) {
    return refuse(`--no-dry-run: Cloudflare's records cannot be changed without ${access.missing.join(' and ')}`);
  }
  // The last resort: what no guard saw must not end the monitoring.
  process.on('uncaughtException', (error) => guard.note('the main thread', error));
  process.on('unhandledRejection', (error) => guard.note('the main thread', error));
  const prober = Prober.make({ userAgent: USER_AGENT, onTrouble: (text) => log('warn', text, 'prober.trouble') });
  const { dryRun } = flags;
  const publisher = new GoavailPublisher({ access, env: process.env, slackApi: slack, dryRun, log });
  const peers = new GoavailPeers({ goavail: settings.goavail, guard, log });
  try {
    await Promise.race([prober.ready(), signals.stopped]);
    const monitoring = new GoavailMonitor({
      settings,
      prober,
      guard,
      log,
      publish: (wanted) => publisher.publish(wanted),
      peers,
    });
    for (const text of introduction(settings, access, dryRun)) log('info', text, 'goavail.started');
    await peers.start(
      () => monitoring.view,
      () => monitoring.peersChanged(),
    );
    monitoring.start();
    signals.onReload(() => {
      const goavail = reload(flags, monitoring, log);
      if (goavail !== null) guard.run('peers', peers.reload(goavail));
    });
    await signals.stopped;
    monitoring.stop();
  } finally {
    await Promise.all([prober.stop(), peers.stop()]);
    await publisher.close();
  }
  log('info', 'stopped', 'goavail.stopped');
  return 0;
}

/** Signals from the first moment on: SIGTERM and SIGINT end it whenever they come, SIGHUP is served once it has begun. */
class MonitorSignals {
  readonly stopped: Promise<void>;
  private isDue = false;
  private reload: (() => void) | null = null;

  constructor(guard: Guard) {
    this.stopped = new Promise((resolve) => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) replaceListeners(signal, resolve);
    });
    const hangUp = (): void => {
      if (this.reload === null) this.isDue = true;
      else this.reload();
    };
    replaceListeners('SIGHUP', guard.protect('SIGHUP', hangUp));
  }

  /** `reload` is called at once where a signal waits for it. */
  onReload(reload: () => void): void {
    this.reload = reload;
    if (this.isDue) reload();
  }
}

function settingsOf({ configFile, type, dnsProvider }: MonitorFlags): {
  readonly settings: MonitorSettings | null;
  readonly faults: readonly Fault[];
} {
  const { goavail, faults } = loadGoavail(configFile, { type, provider: dnsProvider });
  if (goavail === null) return { settings: null, faults };
  const plan = goavailPlan(goavail);
  if (plan.ok) return { settings: { goavail, plan: plan.plan }, faults: [...faults, ...icmpFaults(type)] };
  return { settings: null, faults: [...faults, ...plan.faults] };
}

/** What the system forbids now it may allow later: nothing is refused. */
function icmpFaults(type: MonitorFlags['type']): readonly Fault[] {
  const problem = type === 'ip' ? pingForbidden() : null;
  if (problem === null) return [];
  return [{ severity: 'warning', code: 'forbidden', at: null, message: `-t ip: ${problem.message}` }];
}

/** Bad settings change nothing: null. */
function reload(flags: MonitorFlags, monitoring: GoavailMonitor, log: Log): Goavail | null {
  const { settings, faults } = settingsOf(flags);
  logFaults(log, faults);
  if (settings === null) {
    const text = `${flags.configFile} has errors, so the old configuration stays in use`;
    log('error', text, { event: 'config.reload_refused', file: flags.configFile });
    return null;
  }
  monitoring.reload(settings);
  const text = `${flags.configFile} read again: ${checkedText(settings)}`;
  log('info', text, { event: 'config.reloaded', file: flags.configFile });
  return settings.goavail;
}

function introduction(
  settings: MonitorSettings,
  { api, apiFrom, missing }: ReturnType<typeof providerAccess>['access'],
  dryRun: boolean,
): readonly string[] {
  const { goavail } = settings;
  const { provider, cluster, slack } = goavail;
  const from = apiFrom === null ? '' : `, from ${apiFrom}`;
  const what = dryRun ? 'dry run: nothing is changed at' : 'changes are made at';
  const notes = [
    checkedText(settings),
    `${what} ${provider.kind} (${api}${from}); records of ${provider.names.join(', ')}`,
  ];
  if (missing.length > 0) notes.push(missingText(provider.kind, missing, dryRun));
  if (cluster !== null) notes.push(...peersText(cluster));
  if (slack !== null) notes.push('every change is told to Slack (slack_addr)');
  return notes;
}

function peersText(cluster: GoavailCluster): readonly string[] {
  const { own, others } = membersOf(cluster);
  const needed = `${cluster.minPeersAgree} of ${count(others.length, 'peer')} (${others.join(', ')})`;
  if (cluster.key === null) {
    const effect = cluster.minPeersAgree === 0 ? 'this node acts alone' : 'nothing is changed at all';
    return [`no crypto_key, so that views could be forged and peers are not asked; ${needed} must agree, so ${effect}`];
  }
  return [`this is ${own}; a change is made once ${needed} see the same`];
}

function missingText(kind: GoavailUse['provider'], missing: readonly string[], dryRun: boolean): string {
  const names = `not set, and needed for changes: ${missing.join(', ')}`;
  if (kind === 'route53') return `${names}, unless AWS' files or a role have them`;
  return dryRun ? `${names}; nothing is read either, all addresses are taken for published` : names;
}

function checkedText({ goavail: { provider, use, port, threshold, intervalSeconds } }: MonitorSettings): string {
  const how = use.type === 'tcp' ? `by TCP to port ${port}` : 'by ICMP echo';
  const row = threshold === 1 ? 'each result' : `${threshold} results in a row`;
  return `checking ${provider.addresses.join(', ')} ${how} every ${intervalSeconds} s; ${row} change an address`;
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** `2026-11-29T05:40:00Z INFO text` on standard error, as the original; lines of the journal have its priorities. */
function logger(lowest: LogLevel, chosen: LogFormat | null): Log {
  const format = chosen ?? (standardErrorFormat() === 'journald' ? 'journald' : null);
  if (format !== null) return createLog({ verbose: false, level: lowest, file: null, format }).log;
  return (level, text) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(lowest)) return;
    const time = `${new Date().toISOString().slice(0, 19)}Z`;
    try {
      process.stderr.write(`${time} ${level.toUpperCase()} ${text}\n`);
    } catch (error) {
      process.emitWarning(errorText(error)); // a log that cannot be written must not end the monitoring
    }
  };
}
