import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';

export type HookName = 'run_before' | 'run_after' | 'run_after_changes';

export type HookReport = (hook: HookName, command: string, trouble: string) => void;

/**
 * Starts the `commands` of the configuration. As in edgemanage they are split on single spaces, no shell sees them, and
 * no round waits for them. They are reaped, and a failure is reported whenever it comes.
 */
export class Hooks {
  readonly #report: HookReport;
  readonly #stdio: StdioOptions;
  readonly #running = new Map<ChildProcess, Promise<void>>();

  /** `stderr`: where the commands' standard error goes; a file's descriptor, so that they can outlive us. */
  constructor(report: HookReport, stderr: number | 'inherit' | 'ignore' = 'ignore') {
    this.#report = report;
    this.#stdio = ['ignore', 'ignore', stderr];
  }

  start(hook: HookName, commands: readonly string[]): void {
    for (const command of commands) this.#spawn(hook, command);
  }

  /** Resolved when all commands have ended, at the latest after `ms`: lets a short-lived process still tell of failures. */
  async settle(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([Promise.all(this.#running.values()), late]);
    clearTimeout(timer);
  }

  #spawn(hook: HookName, command: string): void {
    const [program, ...args] = command.split(' ');
    let child: ChildProcess;
    try {
      child = spawn(program, args, { stdio: this.#stdio });
    } catch (error) {
      // An empty program name, a NUL in an argument: refused before anything is started.
      this.#report(hook, command, error instanceof Error ? error.message : String(error));
      return;
    }
    child.unref();
    const ended = new Promise<void>((resolve) => {
      child.once('error', (error) => {
        this.#report(hook, command, error.message);
        resolve();
      });
      child.once('exit', (code, signal) => {
        if (signal !== null) this.#report(hook, command, `ended by ${signal}`);
        else if (code !== 0) this.#report(hook, command, `exit status ${code}`);
        resolve();
      });
    });
    this.#running.set(
      child,
      ended.then(() => void this.#running.delete(child)),
    );
  }
}
