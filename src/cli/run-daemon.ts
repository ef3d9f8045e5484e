/** `edge_manage --daemonise`: rounds for ever, from a process that left its terminal. */
import { spawn } from 'node:child_process';
import { watchModeChanges } from '../health/modes/mode-changes.ts';
import { openRun, type Run, type RunOptions } from './run-once.ts';

/** Set for the process in the background: it is the daemon, and tells its starter over IPC how it went. */
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
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  if (process.send !== undefined) {
    process.send('running');
    // From here on nobody reads it, and a broken pipe would end the daemon.
    process.stderr.write = () => true;
  }
  const unhear = watchModeChanges(run.config.healthdataStore, () => void run.redecide());
  try {
    await repeat(run, options.forceUpdate, stop.signal);
  } finally {
    unhear();
    await run.close();
  }
  return 0;
}

async function repeat(run: Run, forceUpdate: boolean, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    await run.round(forceUpdate);
    await pause(run, run.config.runFrequency * 1000, stop);
  }
}

/** An operator may set an end while we wait, so this is as long as one wait lasts. */
const LOOK_MS = 1000;

/** Waits between rounds, by a clock that nobody sets; a mode whose time is over in between is ended at its time. */
async function pause(run: Run, ms: number, stop: AbortSignal): Promise<void> {
  const end = performance.now() + ms;
  for (let left = ms; !stop.aborted && left > 0; left = end - performance.now()) {
    const expiry = (run.rounds.nextExpiry ?? Number.POSITIVE_INFINITY) * 1000;
    await sleep(Math.min(left, Math.max(expiry - Date.now(), 10), LOOK_MS), stop);
    if (Date.now() >= expiry) await run.redecide();
  }
}

function sleep(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      stop.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    stop.addEventListener('abort', done);
  });
}
