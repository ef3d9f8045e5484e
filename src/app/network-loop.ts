import { readNetworkFiles } from '../config/network-files.ts';
import type { Config, NetworkFiles } from '../config/types.ts';
import type { Decision } from '../health/judge/types.ts';
import { expireMode } from '../health/modes/modes.ts';
import type { NetworkRounds } from '../health/pools/network-rounds.ts';
import { edgesOf, rulesOf } from '../health/pools/round-input.ts';
import type { RoundLog } from '../health/pools/round-log.ts';
import type { RoundReport } from '../health/pools/round-types.ts';
import type { LiveChange, MemberView, NetworkView } from '../server/control/views.ts';
import { type Fault, formatFault } from '../system/fault.ts';

/** Changes of the live set kept for the API; the history log on disk has them all. */
const CHANGES_MAX = 50;
/** A timer longer than this would fire at once (Node's limit is 2^31 - 1 ms). */
const TIMER_MAX_MS = 2_000_000_000;

export type NetworkLoopOptions = {
  readonly config: Config;
  readonly files: NetworkFiles;
  readonly rounds: NetworkRounds;
  readonly log: RoundLog;
  /** Epoch seconds. */
  readonly now: () => number;
  readonly onReport: (network: string, report: RoundReport) => void;
};

/**
 * One network's clock: a round every `run_frequency` seconds, never two at a time, and a decision in between whenever an
 * operator's mode comes into force or ends. Lists and canaries are read anew for each round; a broken one changes
 * nothing and says so.
 */
export class NetworkLoop {
  readonly network: string;
  /** Resolved when the first round has ended, however it ended. */
  readonly firstRound: Promise<void>;
  private readonly options: NetworkLoopOptions;
  private readonly rounds: NetworkRounds;
  private readonly log: RoundLog;
  private config: Config;
  private files: NetworkFiles;
  private fileFaults = '';
  private timer: NodeJS.Timeout | undefined;
  private expiryTimer: NodeJS.Timeout | undefined;
  private running: Promise<void> | null = null;
  private stopped = false;
  private firstDone: () => void = () => undefined;
  private dueAt: number;
  /** The same moment by a clock that nobody sets (`performance.now()`). */
  private dueMs: number;
  private decision: Decision | null = null;
  private failure: string | null = null;
  private unsaved: readonly string[] = [];
  private lastSeconds: number | null = null;
  private cancelled: readonly string[] = [];
  private loopDelayMs = 0;
  private rotations = 0;
  private readonly changes: LiveChange[] = [];

  constructor(options: NetworkLoopOptions) {
    this.options = options;
    this.network = options.files.name;
    this.rounds = options.rounds;
    this.log = options.log;
    this.config = options.config;
    this.files = options.files;
    this.dueAt = options.now();
    this.dueMs = performance.now();
    this.firstRound = new Promise((resolve) => {
      this.firstDone = resolve;
    });
  }

  start(): void {
    this.schedule(0);
  }

  /** Takes new settings from the next round on; a shorter `run_frequency` brings that round forward. */
  configure(config: Config): void {
    const earlier = config.runFrequency < this.config.runFrequency;
    this.config = config;
    if (earlier && this.running === null) {
      this.schedule(Math.min((this.dueMs - performance.now()) / 1000, config.runFrequency));
    }
  }

  /** An operator may have changed a mode: decides again at once, without fetching. */
  async redecide(): Promise<void> {
    if (this.stopped) return;
    try {
      const report = await this.rounds.redecide({ config: this.config, files: this.files });
      if (report !== null) this.note(report);
      this.watchExpiry();
    } catch (error) {
      this.log('error', `${this.network}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** No further round or decision; resolves when what is under way has ended (fetches are cut short by the prober's stop). */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    clearTimeout(this.expiryTimer);
    await this.running;
    await this.rounds.idle(); // a decision between rounds keeps its lock until it is saved
    this.firstDone();
  }

  get live(): boolean {
    return this.rounds.state.live.length > 0 && this.rounds.state.serial !== 0;
  }

  get proberDelayMs(): number {
    return this.loopDelayMs;
  }

  view(): NetworkView {
    const { state } = this.rounds;
    const rules = rulesOf(this.config, this.network);
    return {
      name: this.network,
      serial: state.serial,
      goodenough: rules.goodenough,
      timeout: rules.timeout,
      maxfreq: rules.maxfreq,
      wanted: rules.edgeCount,
      decision: this.decision,
      live: state.live,
      edges: edgesOf(this.files),
      members: this.members(),
      rotationsTotal: this.rotations,
      changes: this.changes,
      round: {
        lastRun: state.lastRun,
        seconds: this.lastSeconds,
        runFrequency: this.config.runFrequency,
        nextDue: this.dueAt,
        overdue: performance.now() > this.dueMs + this.patience() * 1000,
        failure: this.failure,
        unsaved: this.unsaved,
        cancelledCanaries: this.cancelled,
      },
    };
  }

  /** How late a round may end before somebody should look: its fetches take turns, `workers` at a time. */
  private patience(): number {
    const targets = this.files.edges.length + this.files.canaries.size;
    const turns = Math.ceil(targets / this.config.workers);
    return Math.max(this.config.runFrequency, Math.min(turns, 6) * this.config.timeout + 5);
  }

  private members(): ReadonlyMap<string, MemberView> {
    const published = new Map(this.decision?.live.map((member) => [member.edge, member]));
    const now = this.options.now();
    return new Map(
      [...this.rounds.records].map(([edge, stored]) => {
        const record = expireMode(stored, now);
        const sample = this.rounds.samples.get(edge) ?? null;
        const fit = [sample?.primary, ...(sample?.others ?? [])].filter((fetch) => fetch?.fail === null);
        const address = (six: boolean): string | null =>
          fit.find((fetch) => fetch?.address.includes(':') === six)?.address ?? null;
        return [
          edge,
          {
            mode: record.mode,
            comment: record.comment,
            modeSince: record.modeSince,
            modeUntil: record.modeUntil,
            v4: published.get(edge)?.v4 ?? address(false),
            v6: published.get(edge)?.v6 ?? address(true),
            sample,
          },
        ];
      }),
    );
  }

  private schedule(seconds: number): void {
    if (this.stopped) return;
    clearTimeout(this.timer);
    const ms = Math.max(0, seconds) * 1000;
    this.dueAt = this.options.now() + ms / 1000;
    this.dueMs = performance.now() + ms;
    this.timer = setTimeout(
      () => {
        this.running = this.round().finally(() => {
          this.running = null;
          this.firstDone();
        });
      },
      Math.min(ms, TIMER_MAX_MS),
    );
  }

  private async round(): Promise<void> {
    const started = performance.now();
    this.readFiles();
    const { config, files } = this;
    try {
      const result = await this.rounds.round({ config, files, spread: Math.min(1, config.runFrequency / 4) });
      if ('failure' in result) {
        // A prober that is stopped under a running round is the server's own end, not a failure.
        if (this.stopped) return;
        this.failure = result.failure.message;
        this.log('error', `${this.network}: no round: ${formatFault(result.failure)}`);
      } else {
        this.failure = null;
        this.note(result);
      }
    } catch (error) {
      this.failure = error instanceof Error ? error.message : String(error);
      this.log('error', `${this.network}: the round failed: ${this.failure}`);
    }
    this.watchExpiry();
    this.schedule(this.config.runFrequency - (performance.now() - started) / 1000);
  }

  private readFiles(): void {
    const { files, faults } = readNetworkFiles(this.config, this.network);
    const text = faults.map(formatFault).join('\n');
    if (text !== this.fileFaults && text !== '') this.log(files === null ? 'error' : 'warn', text);
    if (text !== this.fileFaults && files === null) {
      this.log('error', `${this.network}: the lists do not load; those read before stay in force`);
    }
    this.fileFaults = text;
    if (files !== null) this.files = files;
  }

  private note(report: RoundReport): void {
    const { decision, probe, state, liveChanged, faults } = report;
    this.decision = decision;
    this.unsaved = faults.filter(({ severity }) => severity === 'error').map(faultText);
    if (probe !== null) {
      this.lastSeconds = probe.seconds;
      this.cancelled = probe.cancelled;
      this.loopDelayMs = probe.loopDelayMs;
    }
    if (decision.outcome.kind === 'changed') this.rotations += 1;
    if (liveChanged) {
      const { outcome } = decision;
      const [added, removed] = outcome.kind === 'changed' ? [outcome.added, outcome.removed] : [[], []];
      this.changes.push({
        at: decision.at,
        serial: state.serial,
        added,
        removed,
        live: state.live.map(({ edge }) => edge),
        reasons: new Map([...added, ...removed].map((edge) => [edge, decision.reasons.get(edge)?.why ?? 'not listed'])),
      });
      if (this.changes.length > CHANGES_MAX) this.changes.shift();
    }
    this.options.onReport(this.network, report);
  }

  private watchExpiry(): void {
    clearTimeout(this.expiryTimer);
    const at = this.rounds.nextExpiry;
    if (at === null || this.stopped) return;
    const ms = Math.min(Math.max(0, at - this.options.now()) * 1000 + 10, TIMER_MAX_MS);
    this.expiryTimer = setTimeout(() => void this.redecide(), ms);
  }
}

function faultText({ at, message }: Fault): string {
  return at === null ? message : `${at.file} ${message}`;
}
