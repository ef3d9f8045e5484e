import { setTimeout as pause } from 'node:timers/promises';
import { limitOf, orAborted } from '../../system/deadline.ts';
import { errorText } from '../../system/error-text.ts';
import { type Fault, plainFault } from '../../system/fault.ts';
import { type HeldSet, type Provider, ProviderError } from './provider.ts';
import {
  difference,
  type ForeignChange,
  isOurs,
  keyText,
  type LeftSets,
  type LiveTexts,
  type SetRules,
  setKeys,
} from './sets.ts';
import { sentenceOf, type TargetLog, TargetReport, type TargetStatus, type Wrong } from './target-status.ts';

export type TargetSpec = SetRules & {
  /** Unique among the targets; log lines, metrics and `/healthz` name it so. */
  readonly name: string;
  readonly network: string;
  /** Milliseconds that reading may take; applying, which some providers follow to its end, may take `APPLY_FACTOR` times that. */
  readonly timeoutMs: number;
  /** Reads and says what it would do; writes nothing. */
  readonly dryRun: boolean;
};

/** What is kept of a target: what was last left at the provider, and when all was right there. Null: never yet. */
export type KeptLeft = { readonly left: LeftSets | null; readonly lastRight: number | null };

/** Keeps what was left across restarts. */
export type LeftStore = {
  readonly read: () => Promise<KeptLeft>;
  /** Nobody waits until it is on disk. */
  readonly write: (left: LeftSets) => void;
};

export type TargetOptions = {
  readonly spec: TargetSpec;
  readonly provider: Provider;
  /** The network's live set as it is now; null: none was decided yet. */
  readonly live: () => LiveTexts | null;
  readonly left: LeftStore;
  /** Asked just before anything is written; a sentence: why it is not ours to write now. */
  readonly mayPublish?: () => Promise<string | null>;
  readonly log: TargetLog;
  /** The state changed. */
  readonly onState?: (status: TargetStatus) => void;
  /** Epoch seconds. */
  readonly now: () => number;
};

const APPLY_FACTOR = 6;
/** A set that changed between reading and writing is read again at once, but not for ever. */
const ATTEMPTS = 2;
/** A provider that asks for a longer pause is asked again after this one. */
const PAUSE_MAX_MS = 3_600_000;

/** Keeps the sets of one target equal to a network's live set: reads, corrects, and reads back. */
export class ProviderTarget {
  readonly spec: TargetSpec;
  private readonly options: TargetOptions;
  private readonly closing = new AbortController();
  private notBefore = 0; // performance.now()
  private left: LeftSets | null = null;
  private leftRead = false;
  private readonly report: TargetReport;

  constructor(options: TargetOptions) {
    this.options = options;
    this.spec = options.spec;
    const { provider, log, onState, now } = options;
    this.report = new TargetReport(options.spec, { kind: provider.kind, log, onState, now });
  }

  status(): TargetStatus {
    return this.report.status;
  }

  /**
   * One reconciliation; a fault is what could not be done. Never rejects, and is over soon after `close`, with what it
   * failed at before.
   */
  async reconcile(): Promise<readonly Fault[]> {
    const { signal } = this.closing;
    try {
      signal.throwIfAborted();
      const ms = this.notBefore - performance.now();
      if (ms > 0) await pause(ms, undefined, { signal });
      await this.readLeft(); // before any state is noted
      const wrong = await this.attempts();
      return wrong === null ? [] : [this.report.failed(wrong)];
    } catch (error) {
      if (signal.aborted) return this.known();
      const problem = error instanceof ProviderError ? error.problem : 'trouble';
      if (error instanceof ProviderError && error.retryAfterMs !== null) {
        this.notBefore = performance.now() + Math.min(error.retryAfterMs, PAUSE_MAX_MS);
      }
      return [this.report.failed({ kind: problem, text: errorText(error) })];
    }
  }

  /** Gives up what is under way. */
  async close(): Promise<void> {
    this.closing.abort(new Error('stopped'));
    await this.options.provider.close().catch(() => undefined);
  }

  /** By being given up nothing becomes well. */
  private known(): readonly Fault[] {
    const { state, problem } = this.report.status;
    return state === 'failing' && problem !== null ? [plainFault(`provider-${problem.kind}`, problem.text)] : [];
  }

  private async attempts(): Promise<Wrong | null> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.once();
      } catch (error) {
        const { problem = null } = error instanceof ProviderError ? error : {};
        const { names, dryRun } = this.spec;
        if (problem === 'name' && names.length > 1 && !dryRun) return this.oneByOne(names);
        if (problem !== 'conflict' || attempt === ATTEMPTS) throw error;
      }
    }
  }

  /** A name that cannot have its sets, such as an alias, keeps none of the others from having theirs. */
  private async oneByOne(names: readonly string[]): Promise<Wrong | null> {
    const found: Wrong[] = [];
    for (const name of names) {
      try {
        const wrong = await this.once([name]);
        if (wrong !== null) found.push(wrong);
      } catch (error) {
        if (!(error instanceof ProviderError) || error.problem !== 'name') throw error;
        found.push({ kind: 'name', text: error.message });
      }
    }
    const [first] = found;
    if (first === undefined) return this.once(); // it was mended meanwhile
    const kind = found.some((wrong) => wrong.kind === 'name') ? 'name' : first.kind;
    return { kind, text: found.map(({ text }) => text).join('; ') };
  }

  /** Null: as it should be, or nothing is known or allowed. Of some names only, the target's state stays what it was. */
  private async once(names = this.spec.names): Promise<Wrong | null> {
    const { options } = this;
    const spec = { ...this.spec, names };
    const { provider, live } = options;
    if (live() === null) return null;
    const held = await this.read(names);
    const wanted = live(); // the newest, since reading took a while
    if (wanted === null) return null;
    const { corrections, foreign } = difference(spec, wanted, held, provider.extra, this.left);
    this.report.noteForeign(foreign);
    if (corrections.length === 0) return this.settled(held, wanted, foreign, names);
    if (spec.dryRun) {
      this.report.wouldDo(corrections);
      return null;
    }
    const fence = (await options.mayPublish?.()) ?? null;
    if (fence !== null) {
      this.report.set('differs', { kind: 'fence', text: fence });
      return null;
    }
    const refused = await this.limited(spec.timeoutMs * APPLY_FACTOR, (signal) => provider.apply(corrections, signal));
    const not = new Set(refused.map(({ correction }) => keyText(correction)));
    const done = corrections.filter((one) => !not.has(keyText(one)));
    this.report.corrected(done);
    const after = done.length === 0 ? held : await this.read(names);
    const corrected = new Set(done.map(keyText));
    const rest = difference({ ...spec, owner: true }, wanted, after, provider.extra, null).corrections;
    const wrong = rest.filter((one) => corrected.has(keyText(one)));
    const reasons = [...new Set(refused.map(({ why }) => why))];
    if (wrong.length > 0) {
      return { kind: 'conflict', text: [`not as it was written: ${sentenceOf(wrong)}`, ...reasons].join('; ') };
    }
    if (refused.length === 0) return this.settled(after, wanted, foreign, names);
    this.leave(after, wanted, new Set([...not, ...this.others(foreign).map(keyText)]), names);
    return { kind: 'name', text: reasons.join('; ') };
  }

  /** All sets are right but those that are somebody else's. */
  private settled(
    held: readonly HeldSet[],
    live: LiveTexts,
    foreign: readonly ForeignChange[],
    names: readonly string[],
  ): null {
    const others = this.others(foreign);
    this.leave(held, live, new Set(others.map(keyText)), names);
    if (names.length < this.spec.names.length) return null;
    if (others.length > 0) {
      this.report.set('foreign', { kind: 'foreign', text: others.map(({ text }) => text).join('; ') });
    } else {
      this.report.right();
    }
    return null;
  }

  /** What is somebody else's and stays so. */
  private others(foreign: readonly ForeignChange[]): readonly ForeignChange[] {
    return this.spec.owner ? [] : foreign;
  }

  private async read(names: readonly string[]): Promise<readonly HeldSet[]> {
    const keys = setKeys({ ...this.spec, names });
    const held = await this.limited(this.spec.timeoutMs, (signal) => this.options.provider.read(keys, signal));
    this.report.read(names, held);
    return held;
  }

  /** The work, which is given up after `ms` and when the target closes, whether the provider heeds its signal or not. */
  private async limited<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const late = (): Error => new ProviderError('timeout', `no answer within ${Math.round(ms / 100) / 10} s`);
    const { signal, end } = limitOf(ms, this.closing.signal, late);
    try {
      return await orAborted(signal, work(signal));
    } finally {
      end();
    }
  }

  private async readLeft(): Promise<void> {
    if (this.leftRead) return;
    const { left, lastRight } = await this.options.left.read();
    this.left = left;
    this.report.restore(lastRight);
    this.leftRead = true;
  }

  /** Notes what stands at the provider now as left there by us; what was left of the sets in `except` stays noted. */
  private leave(
    held: readonly HeldSet[],
    live: LiveTexts,
    except: ReadonlySet<string>,
    names: readonly string[],
  ): void {
    if (this.spec.dryRun) return;
    const found = new Map(held.map((set) => [keyText(set), set]));
    const left: LeftSets = new Map(
      setKeys(this.spec).flatMap((key) => {
        if (!isOurs(key, live, this.left)) return [];
        const text = keyText(key);
        const stays = except.has(text) || !names.includes(key.name);
        const before = stays ? this.left?.get(text) : undefined;
        if (before === undefined && stays) return [];
        const { ttl, addresses, extra } = before ?? found.get(text) ?? { ttl: null, addresses: [], extra: [] };
        return [[text, { ttl, addresses, extra }] as const];
      }),
    );
    if (JSON.stringify([...left]) === JSON.stringify([...(this.left ?? [])])) return;
    this.left = left;
    this.options.left.write(left);
  }
}
