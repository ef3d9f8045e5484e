import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { HookName } from '../health/pools/round-types.ts';
import { within } from '../system/deadline.ts';
import { errorText } from '../system/error-text.ts';
import type { Guard } from '../system/guard.ts';
import { printable } from '../system/printable.ts';
import { groupExists, groupLives, signalGroup } from '../system/process-group.ts';

export type HookReport = (hook: HookName, command: string, trouble: string) => void;

export type HooksOptions = {
  /**
   * Where the commands' standard error goes: a file's descriptor, so that they can outlive us, or `quoted`, the default:
   * its first line is in the report of a failure, the rest is dropped.
   */
  readonly stderr?: number | 'inherit' | 'quoted';
  /** A command that runs for longer is ended. */
  readonly limitMs?: number;
  /** Around what the event loop calls. */
  readonly guard: Guard;
};

type Running = {
  readonly child: ChildProcess;
  /** The command itself has ended, whatever it left behind. */
  readonly ended: Promise<void>;
  /** So has everything it started in its process group. */
  readonly gone: Promise<void>;
  /** It has ended, what it started has not. */
  left: boolean;
  /** It was to be started while it ran, so it starts once more when it ends. */
  again: boolean;
  /** Whether it was reported that it still runs. */
  reported: boolean;
};

/** Of what a command writes to standard error. `closed`: nothing more will come. */
type Beginning = { readonly firstLine: () => string; readonly closed: Promise<void> };

const LIMIT_MS = 300_000;
/** Between the request to end and the end itself. */
const GRACE_MS = 1000;
/** Characters of standard error that are quoted at most. */
const QUOTED_MAX = 200;
/** Between looks whether what a command has left behind is gone, and how many of them until its processes are read. */
const LOOK_MS = 250;
const LOOKS_A_READING = 20;

/**
 * Starts the `commands` of the configuration. As in edgemanage they are split on single spaces, no shell sees them, and
 * no round waits for them. They are reaped, and a failure is reported whenever it comes. A command never runs twice at
 * a time: what would start it again meanwhile starts it once more at its end. It runs as long as anything does that it
 * started in its process group, so `sh -c "job &"` counts until the job ends; a daemon with a session of its own does not.
 */
export class Hooks {
  private readonly report: HookReport;
  private readonly stdio: StdioOptions;
  private readonly limitMs: number;
  private readonly guard: Guard;
  private readonly running = new Map<string, Running>();
  private stopped = false;

  constructor(report: HookReport, { stderr = 'quoted', limitMs = LIMIT_MS, guard }: HooksOptions) {
    this.report = report;
    this.stdio = ['ignore', 'ignore', stderr === 'quoted' ? 'pipe' : stderr];
    this.limitMs = limitMs;
    this.guard = guard;
  }

  start(hook: HookName, commands: readonly string[]): void {
    for (const command of commands) this.startOne(hook, command);
  }

  /**
   * Resolved when all commands have ended, at the latest after `ms`: lets a short-lived process still report failures.
   * What they left behind is not waited for.
   */
  async settle(ms: number): Promise<void> {
    await within(ms, Promise.all(Array.from(this.running.values(), ({ ended }) => ended)), () => undefined);
  }

  /** Starts nothing any more, and ends what runs with all that it started (its process group). */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (this.running.size === 0) return;
      for (const { child } of this.running.values()) signalGroup(child.pid, signal);
      await within(GRACE_MS, Promise.all(Array.from(this.running.values(), ({ gone }) => gone)), () => undefined);
    }
  }

  private startOne(hook: HookName, command: string): void {
    if (this.stopped) return;
    const running = this.running.get(keyOf(hook, command));
    if (running === undefined) {
      this.spawn(hook, command);
      return;
    }
    running.again = true;
    if (!running.reported) {
      const what = running.left ? 'has left processes behind that still run' : 'still runs';
      this.report(
        hook,
        command,
        `${what}, so it is started once more when ${running.left ? 'they have' : 'it has'} ended`,
      );
    }
    running.reported = true;
  }

  private spawn(hook: HookName, command: string): void {
    const [program, ...args] = command.split(' ');
    let child: ChildProcess;
    try {
      // A process group of its own, so that what it starts ends with it.
      child = spawn(program, args, { stdio: this.stdio, detached: true });
    } catch (error) {
      // An empty program name, a NUL in an argument: refused before anything is started.
      this.report(hook, command, errorText(error));
      return;
    }
    child.unref();
    const guarded = <Args extends readonly unknown[]>(work: (...args: Args) => void) =>
      this.guard.protect('hooks', work);
    const tooLong = guarded(() => {
      signalGroup(child.pid, 'SIGTERM');
      setTimeout(
        guarded(() => signalGroup(child.pid, 'SIGKILL')),
        GRACE_MS,
      ).unref();
      this.report(hook, command, `ran for ${this.limitMs / 1000} s and is ended`);
    });
    const limit = setTimeout(tooLong, this.limitMs);
    limit.unref();
    const written = child.stderr === null ? null : this.beginningOf(child.stderr);
    const ended = new Promise<void>((resolve) => {
      const failed = (error: Error): void => {
        resolve();
        this.report(hook, command, error.message);
      };
      const failedWith = async (trouble: string): Promise<void> => {
        // What it left behind may keep the pipe open.
        await within(GRACE_MS, written?.closed ?? Promise.resolve(), () => undefined);
        const line = written?.firstLine() ?? '';
        resolve();
        this.report(hook, command, line === '' ? trouble : `${trouble}: ${line}`);
      };
      const exited = (code: number | null, signal: NodeJS.Signals | null): void => {
        if (signal !== null && !this.stopped) this.guard.run('hooks', failedWith(`ended by ${signal}`));
        else if (code !== null && code !== 0) this.guard.run('hooks', failedWith(`exit status ${code}`));
        else resolve();
      };
      // Not `once`: a later error (a signal that could not be sent) that finds no listener would be thrown.
      child.on('error', guarded(failed));
      child.once('exit', guarded(exited));
    });
    const running: Running = {
      child,
      left: false,
      again: false,
      reported: false,
      ended,
      gone: ended
        .then(() => {
          running.left = true;
          return this.groupGone(child.pid);
        })
        .then(() => {
          clearTimeout(limit);
          this.running.delete(keyOf(hook, command));
          if (running.again) this.startOne(hook, command);
        }),
    };
    this.guard.run('hooks', running.gone);
    this.running.set(keyOf(hook, command), running);
  }

  /** Keeps the beginning of what comes; the rest is read and dropped, so that no writer waits for us. */
  private beginningOf(stream: Readable): Beginning {
    // A pipe to a child is a socket, which would keep the process.
    if (stream instanceof Socket) stream.unref();
    let text = '';
    const more = (chunk: string): void => {
      if (text.length < QUOTED_MAX) text = `${text}${chunk}`.slice(0, QUOTED_MAX).trimStart();
    };
    const { guard } = this;
    stream.setEncoding('utf8').on('data', guard.protect('hooks', more));
    const closed = new Promise<void>((resolve) => {
      const ignore = (): void => undefined; // what is read up to there is quoted
      stream.on('error', guard.protect('hooks', ignore)).once('close', guard.protect('hooks', resolve));
    });
    return { firstLine: () => printable(text.split('\n', 1)[0].trimEnd()), closed };
  }

  /** Resolved once nothing runs any more of what a command that has ended started. */
  private async groupGone(leader: number | undefined): Promise<void> {
    for (let looks = 1; leader !== undefined && groupExists(leader); looks++) {
      await pause(LOOK_MS, undefined, { ref: false });
      // At a stop at once: whoever reaps orphans may take longer than we wait.
      if ((this.stopped || looks % LOOKS_A_READING === 0) && !(await groupLives(leader))) return;
    }
  }
}

function keyOf(hook: HookName, command: string): string {
  return `${hook} ${command}`;
}
