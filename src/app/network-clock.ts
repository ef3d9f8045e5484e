import type { Config, NetworkFiles } from '../config/types.ts';
import { type OperatorAction, operatorAction } from '../health/choose/operator-action.ts';
import type { FallbackSource } from '../health/pools/fallback.ts';
import type { NetworkRounds } from '../health/pools/network-rounds.ts';
import type { RoundReport } from '../health/pools/round-types.ts';
import { TIMER_MAX_MS } from '../system/deadline.ts';
import { errorText } from '../system/error-text.ts';
import { formatFault } from '../system/fault.ts';
import type { Guard } from '../system/guard.ts';
import type { Log } from '../system/log-events.ts';
import { NetworkLists } from './network-lists.ts';
import { NetworkReviews } from './network-reviews.ts';
import type { NetworkList } from './read-networks.ts';
import { areAskedSame, hasNewTargets, isDecidedSame, targetsOf } from './round-settings.ts';
import { RunningTurns } from './running-turns.ts';

/** Until a change that could not be stored is decided again, milliseconds. */
const STORE_AGAIN_MS = 1000;

export type NetworkClockOptions = {
  readonly network: string;
  readonly config: Config;
  readonly list: NetworkList;
  readonly rounds: NetworkRounds;
  readonly guard: Guard;
  readonly log: Log;
  /** Epoch seconds. */
  readonly now: () => number;
  readonly onReport: (report: RoundReport) => void;
  /** `--force-update`: each round publishes under a new serial. */
  readonly forceUpdate?: boolean;
  /** Whether what is answered comes from whoever decides for several vantages; unless given, it does not. */
  readonly isAgreed?: () => boolean;
};

/**
 * When a network is probed and decided upon. At the start, and after a reload that changes how edges are asked, all are
 * asked in a burst; from then on a turn begins every `run_frequency` seconds, whatever hangs of the last one, in which
 * each edge has its own moment:
 *
 * ```
 * burst    a b c d ─ decision
 * turn           a────────b────────c────────d── decision
 * turn                                          a────────b────────c────────d── decision
 * ```
 *
 * It is decided in between where a sample may change the answer (`settle`), and whenever an operator's mode comes into
 * force or ends. Lists and canaries are read anew for each turn; broken ones leave those read before in force.
 */
export class NetworkClock {
  readonly network: string;
  readonly rounds: NetworkRounds;
  /**
   * Resolved when the first round has ended, however it ended, or was decided upon before; where others decide, when there
   * is a set to be answered.
   */
  readonly firstRound: Promise<void>;
  private readonly options: NetworkClockOptions;
  private inForce: Config;
  private readonly lists: NetworkLists;
  private readonly reviews: NetworkReviews;
  private timer: NodeJS.Timeout | undefined;
  private expiryTimer: NodeJS.Timeout | undefined;
  private readonly running: RunningTurns;
  /** The next turn is a burst. */
  private isBurst = true;
  /** Goes up when turns are cut short because edges are asked in another way. */
  private generation = 0;
  /** When edges were asked anew because the prober failed, of `performance.now()`. */
  private askedAgainMs: number | null = null;
  private stopped = false;
  private readonly since: number;
  private firstDone: () => void = () => undefined;
  /** When the next round is due, epoch seconds, and by a clock that nobody sets (`performance.now()`). */
  private dueAt: number;
  private dueMs: number;
  private roundFailure: string | null = null;

  constructor(options: NetworkClockOptions) {
    this.options = options;
    this.network = options.network;
    this.rounds = options.rounds;
    this.inForce = options.config;
    const { network, list, log, guard } = options;
    const onMayBeWhole = guard.protect(`network ${network}`, () =>
      this.change(this.inForce, () => this.lists.read(this.inForce)),
    );
    this.lists = new NetworkLists({ network, list, log, onMayBeWhole });
    this.running = new RunningTurns(network, log);
    this.reviews = new NetworkReviews({ network, guard, look: (isRole) => this.reviewNow(isRole) });
    this.since = options.now();
    this.dueAt = this.since;
    this.dueMs = performance.now();
    this.firstRound = new Promise((resolve) => {
      this.firstDone = resolve;
    });
  }

  start(): void {
    this.schedule(0);
    if (this.options.isAgreed?.() === true) this.review();
  }

  /**
   * Another vantage's view has come, a set was stored, or (`isRole`) who decides has changed: looks soon whether that
   * changes what is answered.
   */
  review(isRole = false): void {
    this.reviews.review(isRole);
  }

  private async reviewNow(isRole: boolean): Promise<void> {
    await this.decideNow(() => this.rounds.review({ config: this.inForce }, { isRole }));
  }

  /**
   * Takes new settings. Where edges are to be asked in another way, or are new, all are asked at once; where it is to be
   * decided in another way it is decided at once, with what is known. `by`: who asked for it, where that is known.
   */
  configure(config: Config, list: NetworkList, by: readonly string[] = []): void {
    const take = (): void => {
      // The list was read whatever state its file is in.
      if (list.files === null) this.lists.take(list);
      else this.lists.read(config);
    };
    this.change(config, take, by);
  }

  /** Brings a configuration into force; `take`, the lists that go with it. */
  private change(config: Config, take: () => void, by: readonly string[] = []): void {
    const { inForce: before, network } = this;
    const { inForce: listsBefore } = this.lists;
    this.inForce = config;
    take();
    const { inForce: lists } = this.lists;
    if (this.stopped) return;
    if (lists !== null) this.rounds.adopt({ config, files: lists, settle: config.settle });
    const isAskedSame = areAskedSame(network, config, before);
    const isSame =
      lists === null ||
      (listsBefore !== null && isDecidedSame({ config, files: lists }, { config: before, files: listsBefore }));
    if (!isAskedSame || !isSame)
      for (const name of by) this.rounds.noteAction(operatorAction({ action: 'reload', by: name }));
    if (!isAskedSame || (lists !== null && hasNewTargets(lists, listsBefore))) {
      this.isBurst = true;
      this.generation += 1;
      this.rounds.cutShort();
      this.schedule(0);
    }
    if (isSame) return;
    this.options.guard.run(`network ${network}`, this.reconsider());
  }

  /** An operator may have changed a mode: decides again at once, without fetching. Never rejects. */
  async redecide(): Promise<void> {
    const { inForce: lists } = this.lists;
    if (lists !== null) await this.decideNow(() => this.rounds.redecide({ config: this.inForce, files: lists }));
  }

  /** Another network's set, or what speaks against it, may have changed: decides again if it is needed. Never rejects. */
  async followFallback(): Promise<void> {
    await this.decideNow(() => this.rounds.followFallback());
  }

  /** An operator wants it decided now (`NetworkRounds.decideNow`). Null: nothing can be said yet. Never rejects. */
  async updateNow(action: OperatorAction): Promise<RoundReport | null> {
    let report: RoundReport | null = null;
    await this.decideNow(async () => {
      report = await this.rounds.decideNow(action);
      return report;
    });
    return report;
  }

  /** What is decided by has changed: decides again as soon as nothing settles, without fetching. Never rejects. */
  async reconsider(): Promise<void> {
    await this.decideNow(() => this.rounds.reconsider());
  }

  private async decideNow(decide: () => Promise<RoundReport | null>): Promise<void> {
    if (this.stopped) return;
    try {
      const report = await decide();
      if (report !== null) this.reported(report);
      this.watchExpiry();
    } catch (error) {
      this.options.log('error', `${this.network}: ${errorText(error)}`, 'round.failed');
    }
  }

  private reported(report: RoundReport): void {
    this.options.onReport(report);
    if (this.live) this.firstDone();
    if (this.rounds.notStored !== null) this.reviews.within(STORE_AGAIN_MS);
  }

  /** No further round or decision; resolves when what is under way has ended. Its fetches are cut short. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    clearTimeout(this.expiryTimer);
    this.reviews.stop();
    this.lists.stop();
    this.firstDone();
    this.rounds.cutShort();
    await this.running.ended();
    await this.rounds.idle(); // a decision between rounds keeps its lock until it is saved
  }

  get config(): Config {
    return this.inForce;
  }

  /** Null: none could be read since the start. */
  get files(): NetworkFiles | null {
    return this.lists.inForce;
  }

  /** Whether the network has something to answer with. */
  get live(): boolean {
    return this.rounds.state.live.length > 0 && this.rounds.state.serial !== 0;
  }

  /** What is known of the network, for those that may borrow its set. */
  get fallbackSource(): FallbackSource {
    return { state: this.rounds.state, since: this.since, silent: this.rounds.probeTroubles.silent };
  }

  /** Epoch seconds. */
  get nextDue(): number {
    return this.dueAt;
  }

  /** The next round is later than it should be, or the running one takes too long. */
  get isOverdue(): boolean {
    const { inForce: lists } = this.lists;
    return lists !== null && this.running.areOverdue(this.dueMs, this.inForce, targetsOf(lists).length);
  }

  /** Why the last round could not be made; null: it was made. */
  get failure(): string | null {
    return this.roundFailure;
  }

  /** Why the lists cannot be used as they are now, with places; null: they can. */
  get listFault(): string | null {
    return this.lists.fault;
  }

  private schedule(seconds: number): void {
    if (this.stopped) return;
    clearTimeout(this.timer);
    const ms = Math.max(0, seconds) * 1000;
    this.dueAt = this.options.now() + ms / 1000;
    this.dueMs = performance.now() + ms;
    const begin = this.options.guard.protect(`network ${this.network}`, () => this.begin());
    this.timer = setTimeout(begin, Math.min(ms, TIMER_MAX_MS));
  }

  /** Begins a turn and schedules the next, however this one ends. */
  private async begin(): Promise<void> {
    const { isBurst, generation } = this;
    const { runFrequency } = this.inForce;
    const burst = Math.min(1, runFrequency / 4);
    const spread = isBurst ? burst : runFrequency - burst;
    let next = runFrequency;
    try {
      // Whoever finds that a list has changed, this or a reload just after it, it counts at once.
      this.change(this.inForce, () => this.lists.read(this.inForce));
      if (generation !== this.generation) return; // a burst is scheduled instead
      this.running.note(this.isOverdue);
      const { inForce: lists } = this.lists;
      if (lists === null || this.running.isFull) {
        this.schedule(next);
        return;
      }
      this.isBurst = false;
      if (isBurst) next = 2 * burst;
      const turn = this.running.add(this.turn(lists, spread), spread);
      this.schedule(next);
      await turn;
    } catch (error) {
      this.roundFailure = errorText(error);
      this.options.log('error', `${this.network}: the round failed: ${this.roundFailure}`, 'round.failed');
      this.schedule(next);
    } finally {
      // Where the edges are asked anew at once, nothing is known yet.
      const isWaiting = this.options.isAgreed?.() === true && !this.live;
      if (this.lists.inForce === null || (!this.isBurst && !isWaiting)) this.firstDone();
      this.watchExpiry();
    }
  }

  /** Never rejects. */
  private async turn(files: NetworkFiles, spread: number): Promise<void> {
    const { inForce: config, generation } = this;
    const { forceUpdate = false } = this.options;
    const onEvent = (report: RoundReport): void => {
      this.reported(report);
      if (this.options.isAgreed?.() !== true) this.firstDone();
    };
    try {
      const order = { config, files, spread, forceUpdate, settle: config.settle, onEvent };
      const result = await this.rounds.round(order);
      // A prober that is stopped under a running turn is the server's own end, not a failure.
      if ('failure' in result && (this.stopped || generation !== this.generation)) return;
      if ('failure' in result) {
        this.roundFailure = result.failure.message;
        this.options.log('error', `${this.network}: no round: ${formatFault(result.failure)}`, 'round.failed');
        if (result.failure.code === 'prober') this.askAgain();
      } else {
        this.roundFailure = null;
        this.reported(result);
      }
    } catch (error) {
      this.roundFailure = errorText(error);
      this.options.log('error', `${this.network}: the round failed: ${this.roundFailure}`, 'round.failed');
    }
  }

  /**
   * The prober broke off the turn: all edges are asked anew at once by its next thread. What they said before still
   * counts. Once an interval, for a check that ends the thread again and again.
   */
  private askAgain(): void {
    const now = performance.now();
    if (this.askedAgainMs !== null && now - this.askedAgainMs < this.inForce.runFrequency * 1000) return;
    this.askedAgainMs = now;
    this.isBurst = true;
    this.schedule(0);
  }

  private watchExpiry(): void {
    clearTimeout(this.expiryTimer);
    const at = this.rounds.nextExpiry;
    if (at === null || this.stopped) return;
    const ms = Math.min(Math.max(0, at - this.options.now()) * 1000 + 10, TIMER_MAX_MS);
    const redecide = this.options.guard.protect(`network ${this.network}`, () => this.redecide());
    this.expiryTimer = setTimeout(redecide, ms);
  }
}
