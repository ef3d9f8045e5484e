/** The check of kind `command`: runs a program, without a shell, and takes its exit status. */
import { type ChildProcess, spawn } from 'node:child_process';
import { isIP } from 'node:net';
import type { Readable } from 'node:stream';
import { CHECK_SCHEMAS } from '../../config/section-checks.ts';
import { errorText } from '../../system/error-text.ts';
import { GROUPS_MAX, signalGroup } from '../../system/process-group.ts';
import type { Attempt, Check, CheckHead, Failure, ProbeTools, Target } from './check.ts';
import { SHORTAGE } from './connect-fail.ts';
import type { Lane } from './lanes.ts';
import type { Programs } from './programs.ts';

export type CommandTest = CheckHead & {
  readonly kind: 'command';
  /** Absolute path. */
  readonly program: string;
  /** `{edge}` and `{address}` in them are replaced. */
  readonly args: readonly string[];
  /** Exit statuses that pass, and those that say nothing about the edge; all others fail. */
  readonly ok: readonly number[];
  readonly unknown: readonly number[];
};

export const COMMAND_REASONS = [
  'exit', // another status than wanted
  'signal', // ended by a signal that is not ours
  'timeout', // did not end in time, and was ended
  'start', // not started, which is trouble of our own and so unknown
] as const;

export type CommandReason = (typeof COMMAND_REASONS)[number];

export const commandCheck: Check<CommandTest, CommandReason> = {
  kind: 'command',
  schema: CHECK_SCHEMAS.command,
  reasons: COMMAND_REASONS,
  probe: async (target, deadline, tools) => {
    const { programs } = tools;
    if (programs === undefined) return notStarted('programs cannot be run here', false);
    // Half the time for waiting: a program that was cut short by our own queue must not count as one that hangs.
    const waitMs = (deadline - performance.now()) / 2;
    const hasPlace = await programs.take(target.lane ?? 'usual', waitMs, tools.signal);
    if (tools.signal.aborted) {
      if (hasPlace) programs.release(target.lane ?? 'usual');
      return notStarted('the check was cut short', false);
    }
    if (!hasPlace) {
      return notStarted(`of the ${GROUPS_MAX} programs that may run at once none ended within half the time`, false);
    }
    return new CommandRun(target, deadline, tools, programs).done;
  },
};

/** Octets of each stream that are kept for the reason. */
const KEPT_MAX = 200;
/** Octets of each stream that are read, so that the program need not wait; then the stream is closed. */
const READ_MAX = 1_048_576;
/** What was written before the end is read before the end is noticed, unless somebody else holds the stream open. */
const DRAIN_MS = 50;

/** Of ours, a program gets only what programs usually need: the rest may be secret, or meant for us alone. */
const ENVIRONMENT = /^(?:PATH|HOME|USER|LOGNAME|TMPDIR|TZ|LANG|LANGUAGE|LC_[A-Z]+)$/;

/** One run. `done` is resolved exactly once; by then the program's process group has been killed. */
class CommandRun {
  readonly done: Promise<Attempt<CommandReason>>;
  private readonly test: CommandTest;
  private readonly tools: ProbeTools;
  private readonly programs: Programs;
  private readonly lane: Lane;
  /** Of `performance.now()`; once it runs, since starting it takes time of ours. */
  private started = performance.now();
  private readonly timer: NodeJS.Timeout;
  private child: ChildProcess | null = null;
  private readonly stdout = new Beginning();
  private readonly stderr = new Beginning();
  private readonly cancel = (): void => this.notStarted('the check was cut short', false);
  private settle: (attempt: Attempt<CommandReason>) => void = () => undefined;
  private ended = false;
  private hasPlace = true;

  constructor(target: Target<CommandTest>, deadline: number, tools: ProbeTools, programs: Programs) {
    this.test = target.test;
    this.tools = tools;
    this.programs = programs;
    this.lane = target.lane ?? 'usual';
    this.done = new Promise((resolve) => {
      this.settle = resolve;
    });
    // After a stall of our own the timer comes before an end that happened in time: that gets its turn first.
    const expire = (): void => void setImmediate(() => this.expire());
    this.timer = setTimeout(expire, Math.max(0, deadline - performance.now()));
    tools.signal.addEventListener('abort', this.cancel);
    this.start(target);
  }

  private start({ edge, address, test }: Target<CommandTest>): void {
    const args = test.args.map((arg) =>
      arg.replace(/\{(edge|address)\}/g, (_, key) => (key === 'edge' ? edge : address)),
    );
    const env = {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => ENVIRONMENT.test(name))),
      EDGEWISE_EDGE: edge,
      EDGEWISE_ADDRESS: address,
      EDGEWISE_FAMILY: String(isIP(address)),
      EDGEWISE_CHECK: test.name,
      EDGEWISE_TIMEOUT: String(test.timeout),
    };
    try {
      // A session and process group of its own, so that what it starts ends with it.
      const child = spawn(test.program, args, { cwd: '/', env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
      this.child = child;
      this.started = performance.now();
      // Not `once`: a later error that finds no listener would be thrown.
      child.on('error', (error) => {
        this.release();
        this.failedStart(error);
      });
      if (child.pid === undefined) return; // its error comes
      child.once('exit', (code, signal) => this.exited(code, signal));
      this.stdout.read(child.stdout);
      this.stderr.read(child.stderr);
      if (!this.programs.groups.add(child.pid)) this.notStarted('programs are no longer run', false);
    } catch (error) {
      this.release();
      this.failedStart(error);
    }
  }

  private failedStart(error: unknown): void {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    this.notStarted(`${this.test.program} could not be started: ${errorText(error)}`, SHORTAGE.has(code));
  }

  private exited(code: number | null, signal: NodeJS.Signals | null): void {
    // Starting programs is what makes our loop late, and running one again for that would make it later still. It ended
    // at some moment of the time by which we may be late: in the middle, for all that we know.
    const tookMs = performance.now() - this.started;
    const seconds = (tookMs - Math.min(tookMs, this.tools.stalls.late()) / 2) / 1000;
    const { child } = this;
    // What it left running in its group holds its streams open, and ends with it.
    signalGroup(child?.pid, 'SIGKILL');
    if (child?.pid !== undefined) this.programs.groups.remove(child.pid);
    this.release();
    if (this.ended || child === null) return;
    const finish = (): void => {
      clearTimeout(drained);
      this.finish(this.verdict(code, signal), seconds);
    };
    const drained = setTimeout(finish, DRAIN_MS);
    child.once('close', finish);
  }

  private verdict(code: number | null, signal: NodeJS.Signals | null): Failure<CommandReason> | null {
    const { ok, unknown } = this.test;
    if (code !== null && ok.includes(code)) return null;
    const isGreedy = this.stdout.isClosed || this.stderr.isClosed;
    const how = code === null ? `ended by ${signal}` : `exit status ${code}`;
    const detail = this.withOutput(isGreedy ? `${how}, having written more than ${READ_MAX} octets` : how);
    if (code === null) return { reason: 'signal', detail, retry: false };
    return { reason: 'exit', detail, retry: false, ...(unknown.includes(code) ? { unknown: true } : {}) };
  }

  private expire(): void {
    const detail = this.withOutput(`did not end within ${this.test.timeout.toFixed(3)} s`);
    this.fail({ reason: 'timeout', detail, retry: false });
  }

  private notStarted(why: string, retry: boolean): void {
    this.fail({ reason: 'start', detail: why, retry, unknown: true });
  }

  /** The first line that it wrote, as a plugin of Nagios has it. */
  private withOutput(what: string): string {
    const line = this.stdout.line() || this.stderr.line();
    return line === '' ? what : `${what}: ${line}`;
  }

  private fail(failure: Failure<CommandReason>): void {
    this.finish(failure, (performance.now() - this.started) / 1000);
  }

  private finish(fail: Failure<CommandReason> | null, seconds: number): void {
    if (this.ended) return;
    this.ended = true;
    clearTimeout(this.timer);
    this.tools.signal.removeEventListener('abort', this.cancel);
    // The place stays taken until the program is really gone.
    signalGroup(this.child?.pid, 'SIGKILL');
    this.child?.stdout?.destroy();
    this.child?.stderr?.destroy();
    this.settle({ fail, seconds, phases: NO_PHASES, hops: 0, stalledMs: 0 });
  }

  private release(): void {
    if (!this.hasPlace) return;
    this.hasPlace = false;
    this.programs.release(this.lane);
  }
}

const NO_PHASES = { connect: null, tls: null, firstByte: null } as const;

function notStarted(why: string, retry: boolean): Attempt<CommandReason> {
  const fail = { reason: 'start', detail: why, retry, unknown: true } as const;
  return { fail, seconds: 0, phases: NO_PHASES, hops: 0, stalledMs: 0 };
}

/** The first octets of a stream, of which all is read. */
class Beginning {
  /** More came than is read. */
  isClosed = false;
  private kept = Buffer.alloc(0);
  private octets = 0;

  read(stream: Readable | null): void {
    stream?.on('error', () => undefined);
    stream?.on('data', (piece: Buffer) => {
      this.octets += piece.length;
      if (this.kept.length < KEPT_MAX) {
        this.kept = Buffer.concat([this.kept, piece.subarray(0, KEPT_MAX - this.kept.length)]);
      }
      if (this.octets <= READ_MAX) return;
      this.isClosed = true;
      stream.destroy();
    });
  }

  /** The first line with something on it, for people. */
  line(): string {
    const lines = this.kept.toString('utf8').split(/[\r\n]+/);
    return (lines.find((line) => line.trim() !== '') ?? '').trim().replace(/[\p{Cc}\p{Bidi_Control}]/gu, '?');
  }
}
