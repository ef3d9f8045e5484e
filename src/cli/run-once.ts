/** `edge_manage`: one whole round without a server, for cron; `--daemonise` repeats it. */

import { forNetwork } from '../config/paths.ts';
import type { Config, NetworkFiles } from '../config/types.ts';
import { Prober, USER_AGENT } from '../health/checks/prober.ts';
import { NetworkRounds } from '../health/pools/network-rounds.ts';
import type { RoundReport } from '../health/pools/round-types.ts';
import type { NetworkState } from '../health/state/network-state.ts';
import { readState } from '../health/state/state-file-io.ts';
import { Hooks } from '../publish/hooks.ts';
import { TemplateZones, templateChanges } from '../publish/template-zones.ts';
import { errorText } from '../system/error-text.ts';
import { type Fault, formatFault } from '../system/fault.ts';
import { Guard } from '../system/guard.ts';
import { Locks } from '../system/lock.ts';
import { lockNetwork } from '../system/lock-network.ts';
import type { Log } from '../system/log-events.ts';
import { logFaults } from '../system/log-faults.ts';
import type { LogFormat } from '../system/log-format.ts';
import { ledgerLock, SerialLedger, serialLedgerPath } from '../zones/store/serial-ledger.ts';
import { refusedAlone } from './command-line.ts';
import { type LoadedBoth, loadNetwork } from './load-network.ts';
import { fileLog, type RunLog, stderrLog } from './run-log.ts';
import { runNotices } from './run-notices.ts';
import { printDryRun } from './run-print.ts';
import { closeSinks, runProviders } from './run-providers.ts';
import { runSinks } from './run-sinks.ts';

export type RunOptions = {
  readonly network: string;
  readonly configFile: string;
  readonly dryRun: boolean;
  /** Run even though the last run was moments ago. */
  readonly force: boolean;
  readonly forceUpdate: boolean;
  readonly verbose: boolean;
  /** Null: as readers of edgemanage's log know it. */
  readonly logFormat: LogFormat | null;
};

/** A run within this many seconds of the last one is refused (specification section 1). */
const RERUN_SECONDS = 30;
/** How long the network is waited for: a change of a mode has it for a few milliseconds, another run for longer. */
const LOCK_MS = 1000;
/** How long a run that is over still listens for hooks that fail. */
const HOOKS_MS = 500;

/**
 * Makes one round. Returns the exit status: 0 whenever a round was completed, 1 when it was refused or could not be.
 */
export async function runOnce(options: RunOptions): Promise<number> {
  const run = await openRun(options);
  if (run === null) return 1;
  try {
    return (await run.round(options.forceUpdate)) === null ? 1 : 0;
  } finally {
    await run.close();
  }
}

/** An installation that is ready for rounds of one network: loaded, locked, its prober running. */
export type Run = {
  readonly config: Config;
  readonly files: NetworkFiles;
  readonly rounds: NetworkRounds;
  readonly log: Log;
  /** Makes one round; null: it could not be made, and log and standard error say why. */
  readonly round: (forceUpdate: boolean) => Promise<RoundReport | null>;
  /** In a dry run: prints what came of a round. */
  readonly print: (report: RoundReport) => Promise<void>;
  /** `endHooks`: what still runs ends with us; a single run's hooks outlive it. */
  readonly close: (endHooks?: boolean) => Promise<void>;
};

/** Null: refused, and standard error says why. `kind` 'server' also tells `edge_conf` that its changes are taken up. */
export async function openRun(options: RunOptions, kind: 'run' | 'server' = 'run'): Promise<Run | null> {
  const { network, dryRun } = options;
  const loaded = loadNetwork(options.configFile, network);
  if (loaded === null) return null;
  const { config } = loaded;
  const alone = dryRun ? null : refusedAlone(config);
  if (alone !== null) {
    process.stderr.write(`Not running: ${alone}\n`);
    return null;
  }
  if (!dryRun && !options.force && !(await mayRunAgain(config, network))) return null;

  const runLog = openLog(config, options);
  logFaults(runLog.log, loaded.warnings);
  const locks = dryRun ? null : await takeLocks(config, network, kind);
  if (locks === 'refused') {
    runLog.close();
    return null;
  }
  try {
    return await startRun(options, loaded, runLog, locks);
  } catch (error) {
    locks?.close();
    runLog.close();
    throw error;
  }
}

async function startRun(
  { network, dryRun, verbose }: RunOptions,
  { config, files }: LoadedBoth,
  { log, hooksStderr, close: closeLog }: RunLog,
  locks: Locks | null,
): Promise<Run> {
  const report = (hook: string, command: string, trouble: string): void =>
    log('error', `${hook}: "${command}": ${trouble}`, { event: 'hook.failed', hook, command });
  const guard = new Guard({
    report: (part, text) => log('error', text, { event: 'server.bug_contained', part }),
    now: () => Date.now() / 1000,
  });
  const hooks = new Hooks(report, { stderr: hooksStderr, guard });
  const now = (): number => Date.now() / 1000;
  const serialFile = serialLedgerPath(config.stateDir);
  const lock = locks === null ? null : ledgerLock(locks, serialFile);
  const { ledger, fault } = await SerialLedger.open(serialFile, { now: now(), lock, readOnly: dryRun });
  if (fault !== null) log('error', formatFault(fault), 'notice.queue_fault');
  const zones = new TemplateZones({
    config,
    network,
    ledger,
    newest: () => rounds.state,
    now,
    onWarning: (fault) => log('warn', formatFault(fault), 'zone.fault'),
  });
  const providers = runProviders(config, network, dryRun, () => planned ?? rounds.state, log, guard);
  const sinks = runSinks(
    config,
    zones,
    hooks,
    log,
    (written) => rounds.noteWritten(written),
    () => rounds.flushRecords(),
    providers.sinks,
  );
  const notices = dryRun ? null : await runNotices(config, network, guard, log);
  const prober = await Prober.start({
    userAgent: USER_AGENT,
    onTrouble: (message) => log('warn', message, 'prober.trouble'),
  });
  const rounds = await NetworkRounds.open(network, config, locks, {
    kind: 'run',
    prober,
    now,
    log,
    fallbackSource: (name) =>
      readState(forNetwork(config.statefile, name), Date.now() / 1000, true).then(
        ({ state }) => ({ state, since: 0, silent: [] }),
        () => null,
      ),
    floorSerial: () => ledger.highest(network),
    templateChanges: (state) => templateChanges(config, network, state),
    begin: ({ commands }) => hooks.start('run_before', commands.runBefore),
    save: (state) => sinks.save(network, state),
    publish: (update, inForce) => {
      const faults = sinks.serve(network, update);
      sinks.follow({ network, config: inForce, update, zones: [], filesWritten: false });
      return faults;
    },
  }).catch(async (error: unknown) => {
    await prober.stop();
    throw error;
  });

  // Of a dry run: what would be served.
  let planned: NetworkState | null = null;
  const print = async (done: RoundReport): Promise<void> => {
    if (!dryRun) return;
    printDryRun(done, await zones.planned(done), config);
    planned = done.state;
    await providers.plan();
  };
  const round = async (forceUpdate: boolean): Promise<RoundReport | null> => {
    const done = await rounds.round({ config, files, forceUpdate }).catch(asFailure);
    if ('failure' in done) {
      log('error', formatFault(done.failure), 'round.failed');
      if (!verbose) process.stderr.write(`${formatFault(done.failure)}\n`);
      return null;
    }
    notices?.decided(done.decision);
    await print(done);
    return done;
  };
  const close = async (endHooks = false): Promise<void> => {
    await prober.stop();
    await rounds.idle();
    await closeSinks(sinks, providers);
    await rounds.idle(); // with the times of the zone files
    await notices?.close();
    locks?.close();
    await hooks.settle(HOOKS_MS);
    if (endHooks) await hooks.stop();
    closeLog();
  };
  return { config, files, rounds, log, round, print, close };
}

/**
 * A system's error where none was expected (a folder that may not be listed): the round is off, the files are whole.
 */
function asFailure(error: unknown): { readonly failure: Fault } {
  const message = error instanceof Error ? error.message : String(error);
  return { failure: { severity: 'error', code: 'round', at: null, message } };
}

/** The re-run check, before the lock as in the original. */
async function mayRunAgain(config: Config, network: string): Promise<boolean> {
  const { state } = await readState(forNetwork(config.statefile, network), 0, true);
  const now = Math.floor(Date.now() / 1000);
  const last = Math.floor(state.lastRun ?? 0);
  // A run in the future is one before the clock was set back, and says nothing about the last half minute.
  if (last > now || last + RERUN_SECONDS <= now) return true;
  process.stderr.write(
    `Not running: ${network} ran at ${last}, less than ${RERUN_SECONDS} seconds before now (${now}). --force runs it all the same.\n`,
  );
  return false;
}

/** A log that cannot be opened costs its lines, never the round. */
function openLog(config: Config, { verbose, dryRun, logFormat }: RunOptions): RunLog {
  if (verbose) return stderrLog('debug', logFormat);
  // A dry run touches nothing, the log included; without a log file only what is amiss is worth a mail from cron.
  if (dryRun || config.logpath === null) return stderrLog('warn', logFormat);
  try {
    return fileLog(config.logpath, config.logLevel, logFormat);
  } catch (error) {
    process.stderr.write(`Cannot write the log, so warnings and errors come here: ${errorText(error)}\n`);
    return stderrLog('warn', logFormat);
  }
}

async function takeLocks(config: Config, network: string, kind: 'run' | 'server'): Promise<Locks | 'refused'> {
  let locks: Locks;
  try {
    locks = Locks.open(config.lockfile);
  } catch (error) {
    process.stderr.write(`Cannot lock: ${error instanceof Error ? error.message : String(error)}\n`);
    return 'refused';
  }
  if (await lockNetwork(locks, network, kind, LOCK_MS)) return locks;
  process.stderr.write(`Not running: ${config.lockfile} is locked for ${network}: ${holderOf(locks, network)}.\n`);
  locks.close();
  return 'refused';
}

function holderOf(locks: Locks, network: string): string {
  if (locks.isWholeLocked()) return 'edgemanage itself is running';
  return locks.isLocked('server', network) ? 'an Edgewise server manages it' : 'another run is under way';
}
