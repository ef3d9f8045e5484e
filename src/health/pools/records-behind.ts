/**
 * Health records and the history log on disk, behind the decisions: what a restart can do without. Each record is a
 * millisecond's work, and a network may have thousands: they are written one after the other, with pauses.
 */
import { errorText } from '../../system/error-text.ts';
import type { Fault } from '../../system/fault.ts';
import type { Log } from '../../system/log-events.ts';
import { WriteBehind } from '../../system/write-behind.ts';
import type { Decision } from '../choose/decision.ts';
import type { RoundFacts } from '../choose/round.ts';
import type { EdgeStores } from '../state/edge-store-files.ts';
import { appendRound } from '../state/history-log.ts';
import { reportFaults, roundFault } from './faults.ts';
import { inParallel } from './records.ts';

export type RecordsBehindOptions = {
  readonly stores: EdgeStores;
  readonly historyLog: string;
  readonly log: Log;
  /** Epoch seconds. */
  readonly now: () => number;
};

/** Longest pause between two records, milliseconds: few are on disk at once, and two thousand in half a minute. */
const PAUSE_MS = 15;
/** Records written at the same time by `flush`; each waits for its own fsync. */
const WRITERS = 16;
/** Decisions that wait for a log which does not take them; older ones are lost. */
const ROUNDS_MAX = 100;

export class RecordsBehind {
  private readonly options: RecordsBehindOptions;
  private readonly records = new WriteBehind<string>();
  private readonly history = new WriteBehind<'history-log'>();
  /** Edges whose record waits to be written. */
  private readonly waiting = new Set<string>();
  private readonly rounds: { readonly facts: RoundFacts; readonly decision: Decision }[] = [];
  /** Edges whose record could not be written: tried again with the next decision, and by `flush`. */
  private readonly failed = new Set<string>();
  /** By file: what could not be written last. */
  private readonly failing = new Map<string, Fault>();
  /** When all that waits should be written, by `performance.now()`. */
  private endMs = 0;
  private flushing = 0;
  private endPause = (): void => undefined;

  constructor(options: RecordsBehindOptions) {
    this.options = options;
  }

  /** These records have changes: writes them within `ms` milliseconds. Nobody waits for it. */
  save(edges: Iterable<string>, ms: number): void {
    for (const edge of edges) {
      // One that waits keeps its turn, or those at the end would never come to theirs.
      if (this.waiting.has(edge)) continue;
      this.waiting.add(edge);
      this.records.save(edge, () => this.writeInTurn(edge));
    }
    this.endMs = performance.now() + Math.min(ms, this.waiting.size * PAUSE_MS);
    this.syncFolder();
  }

  /** Appends a decision to the history log. Nobody waits for it. */
  record(facts: RoundFacts, decision: Decision): void {
    this.rounds.push({ facts, decision });
    if (this.rounds.length > ROUNDS_MAX) this.rounds.shift();
    this.history.save('history-log', () => this.guarded('history-log', () => this.appendRounds()));
  }

  /** Resolves when everything is on disk that can be written, without pauses. */
  async flush(): Promise<void> {
    this.flushing += 1;
    this.endPause();
    try {
      const edges = [...new Set([...this.waiting, ...this.failed])];
      await inParallel(edges, WRITERS, (edge) => this.write(edge));
      if (edges.length > 0) this.syncFolder();
      await this.records.idle();
      await this.history.idle();
    } finally {
      this.flushing -= 1;
    }
  }

  /** What could not be written last. */
  faults(): readonly Fault[] {
    return [...this.failing.values()];
  }

  private async writeInTurn(edge: string): Promise<void> {
    await this.pause();
    // Unless `flush` has it already.
    if (this.waiting.has(edge)) await this.write(edge);
  }

  private async pause(): Promise<void> {
    const ms = Math.min(PAUSE_MS, (this.endMs - performance.now()) / Math.max(1, this.waiting.size));
    if (this.flushing > 0 || ms < 1) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private async write(edge: string): Promise<void> {
    const { stores, log, now } = this.options;
    this.waiting.delete(edge); // changes from here on are written another time
    const path = stores.path(edge);
    await this.guarded(path, async () => {
      const faults = await stores.write(edge, now());
      reportFaults(
        log,
        faults.filter(({ code }) => !isUnwritten(code)),
      );
      return faults.find(({ code }) => isUnwritten(code)) ?? null;
    });
    if (this.failing.has(path)) this.failed.add(edge);
    else this.failed.delete(edge);
  }

  /** Once all records that wait are written: makes their renames durable. */
  private syncFolder(): void {
    const { stores } = this.options;
    const sync = (): Promise<null> => stores.sync().then(() => null);
    this.records.save('', () => this.guarded(stores.folder, sync));
  }

  private async appendRounds(): Promise<null> {
    for (const { facts, decision } of this.rounds.splice(0)) {
      await appendRound(this.options.historyLog, facts, decision);
    }
    return null;
  }

  /** Notes under `key` what `work` returns or throws, and says so when it begins and when it is over. */
  private async guarded(key: string, work: () => Promise<Fault | null>): Promise<void> {
    const { log } = this.options;
    const fault = await work().catch((error: unknown) => roundFault(key, errorText(error), null));
    const before = this.failing.get(key);
    if (fault !== null) {
      this.failing.set(key, fault);
      if (before?.message !== fault.message) reportFaults(log, [fault]);
    } else if (this.failing.delete(key)) {
      const file = before?.at?.file ?? key;
      log('info', `${file}: written again`, { event: 'state.recovered', file });
    }
  }
}

/** The record's changes are in memory only. */
function isUnwritten(code: string): boolean {
  return code === 'edge-store-write' || code === 'edge-store-busy';
}
