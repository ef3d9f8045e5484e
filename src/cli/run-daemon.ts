/** `edge_manage --daemonise`: rounds for ever, from a process that left its terminal. */
import { spawn } from 'node:child_process';
import { NetworkClock } from '../app/network-clock.ts';
import { watchModeChanges } from '../health/modes/mode-changes.ts';
import { Guard } from '../system/guard.ts';
import { openRun, type RunOptions } from './run-once.ts';

/** Set for the process in the background: it is the daemon, and reports to its starter over IPC how it went. */
const DAEMON = 'EDGEWISE_DAEMON';

/**
 * Starts this command again, detached, and waits until it has its lock (a lock does not survive a fork, so the daemon
 * takes it, specification 12.14). Returns the exit status: 0 when the daemon runs.
 */
export function daemonise(options: RunOptions): Promise<number> {
  if (process.env[DAEMON] !== undefined) {
    delete process.env[DAEMON]; // or a hook that starts a daemon of its own would stay in front
    return runDaemon(options);
  }
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
      detached: true,
      // Not inherited: whoever waits for the end of our standard error must not wait for the daemon's.
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, [DAEMON]: '1' },
    });
    child.stderr?.pipe(process.stderr);
    child.once('message', () => {
      child.disconnect();
      child.stderr?.destroy();
      child.unref();
      resolve(0);
    });
    child.once('error', (error) => {
      process.stderr.write(`Cannot start the daemon: ${error.message}\n`);
      resolve(1);
    });
    child.once('exit', (code) => resolve(code === 0 ? 1 : (code ?? 1)));
  });
}

/** Repeats rounds until SIGTERM or SIGINT; then returns 0. 1: refused, as a single run would be. */
export async function runDaemon(options: RunOptions): Promise<number> {
  const run = await openRun(options, 'server');
  if (run === null) return 1;
  const { config, files, rounds, log } = run;
  const now = (): number => Date.now() / 1000;
  const guard = new Guard({ report: (part, text) => log('error', text, { event: 'server.bug_contained', part }), now });
  // The last resort: what no guard saw must not end the daemon.
  process.on('uncaughtException', (error) => guard.note('the main thread', error));
  process.on('unhandledRejection', (error) => guard.note('the main thread', error));
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  if (process.send !== undefined) {
    process.send('running');
    // From here on nobody reads it, and a broken pipe would end the daemon.
    process.stderr.write = () => true;
  }
  const clock = new NetworkClock({
    network: options.network,
    config,
    list: { files, faults: [] },
    rounds,
    guard,
    log,
    now,
    onReport: (report) => guard.run('dry run', run.print(report)),
    forceUpdate: options.forceUpdate,
  });
  const stopWatching = watchModeChanges(
    config.healthdataStore,
    guard.protect('modes', () => clock.redecide()),
  );
  clock.start();
  await stopped;
  stopWatching();
  const ended = clock.stop();
  await run.close(true);
  await ended;
  return 0;
}
