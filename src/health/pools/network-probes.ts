/**
 * The probing half of a network's rounds: asks every edge and reference, and says what is amiss with the asking itself.
 * What the samples mean is decided in `network-rounds.ts`.
 */
import type { Config } from '../../config/types.ts';
import { TIMER_MAX_MS } from '../../system/deadline.ts';
import { errorText } from '../../system/error-text.ts';
import type { RoundResult } from '../checks/prober.ts';
import type { ProbeTarget } from '../checks/protocol.ts';
import { ReferenceReader, referenceFault } from '../checks/reference.ts';
import type { Sample } from '../checks/sample.ts';
import { roundFault } from './faults.ts';
import { edgesOf } from './pool.ts';
import { neededFiles, probePlan } from './probe-plan.ts';
import { logLine, sampleLine } from './round-log.ts';
import { hangingOf, overlongRound, overlongTurn, sharedAddresses, unendedTurn, unknownEdges } from './round-notes.ts';
import type { RoundFailure, RoundOrder, RoundTools } from './round-types.ts';
import { SampleTimes, silenceText, silentAfter } from './silence.ts';
import { UplinkProbes } from './uplink-probes.ts';

/** Seconds that a turn may take beyond what its checks can. */
const MARGIN_S = 5;

export type ProbeHandlers = {
  /** Whom to ask; called once the files that checks compare with were read. */
  readonly targets: () => readonly ProbeTarget[];
  /** Gets each sample once. */
  readonly onSample: (sample: Sample) => void;
};

export class NetworkProbes {
  private readonly network: string;
  private readonly tools: Pick<RoundTools, 'prober' | 'log' | 'now'>;
  private readonly referenceReader = new ReferenceReader();
  private readonly uplink: UplinkProbes;
  /** Of the round that began last. */
  private newestConfig: Config | null = null;
  /** How often what was under way was ended. */
  private cancelled = 0;
  private overlongSentence: string | null = null;
  private uncheckedSentence: string | null = null;
  /** Rounds that are being asked: by when each should have ended, of `performance.now()`, and who has not answered. */
  private readonly running = new Set<{ readonly dueMs: number; readonly waiting: ReadonlySet<string> }>();
  private readonly sampleTimes = new SampleTimes();
  /** On edges without samples, as last logged. */
  private silenceSentence: string | null = null;
  /** Sentences on edges that share an address, as last logged. */
  private sharedSentences: readonly string[] = [];

  constructor(network: string, tools: Pick<RoundTools, 'prober' | 'log' | 'now'>) {
    this.network = network;
    this.tools = tools;
    this.uplink = new UplinkProbes(network, tools.prober, tools.now);
  }

  /** A round begins. Call `end` when it was decided. */
  begin({ config, files }: RoundOrder): ReturnType<UplinkProbes['begin']> {
    this.newestConfig = config;
    this.sampleTimes.list(edgesOf(files));
    this.noteSilence();
    return this.uplink.begin();
  }

  /** Asks them all; resolved when every check has ended. Never rejects unless `targets` throws. */
  async ask(
    { config, spread, settle }: RoundOrder,
    { targets: targetsOf, onSample }: ProbeHandlers,
  ): Promise<RoundResult | RoundFailure> {
    const { cancelled } = this;
    const reference = await this.referenceReader.readAll(neededFiles(config, this.network));
    // A file that was just replaced is read for seconds, and the prober does not know of the round yet.
    if (cancelled !== this.cancelled) {
      return { failure: roundFault('prober', `the probing round of ${this.network} was cut short`, null) };
    }
    if (!reference.ok) return { failure: referenceFault(reference) };
    this.uplink.ask(config, reference.files).catch(() => undefined); // never rejects
    const targets = targetsOf();
    const request = {
      network: this.network,
      plan: probePlan(config, this.network, reference.files),
      targets,
      spread: spread ?? Math.min(1, targets.length / 100),
      canaryKiller: config.canaryKiller,
      ...(settle === undefined ? {} : { settle }),
    };
    const seen = new Set<Sample>();
    const { runFrequency, workers, timeout } = config;
    const pace = { runFrequency, workers, timeout, targets: targets.length };
    const began = performance.now();
    const waiting = new Set(targets.map(({ name }) => name));
    const running = {
      dueMs: began + (request.spread + Math.max(runFrequency, 2 * timeout + MARGIN_S)) * 1000,
      waiting,
    };
    this.running.add(running);
    // Logged while it goes on: a round of hanging edges may take minutes.
    const alarm = setTimeout(
      () => {
        if (settle !== undefined) return;
        const seconds = (performance.now() - began) / 1000;
        const hanging = hangingOf(seen) + targets.length - seen.size;
        this.notePace(overlongRound({ ...pace, seconds, isOver: false, hanging }));
      },
      Math.min(runFrequency * 1000 + 1, TIMER_MAX_MS),
    );
    const sampled = (sample: Sample): void => {
      this.sampleTimes.sampled(sample.edge);
      waiting.delete(sample.edge);
      onSample(sample);
    };
    try {
      const result = await this.tools.prober.round(request, (sample) => {
        seen.add(sample);
        sampled(sample);
        logLine(this.tools.log, sampleLine(sample));
      });
      const { samples, seconds, overdue } = result;
      for (const sample of samples.values()) if (!seen.has(sample)) sampled(sample);
      // Logged with the decision, whose notes have it.
      this.overlongSentence =
        settle === undefined
          ? overlongRound({ ...pace, seconds, isOver: true, hanging: hangingOf(samples.values()) })
          : overlongTurn({ ...pace, overdue: overdue.length });
      this.noteShared(samples.values());
      this.uncheckedSentence = unknownEdges(result.unknown);
      if (this.uncheckedSentence !== null) this.tools.log('warn', this.uncheckedSentence, 'round.edges_unchecked');
      return result;
    } catch (error) {
      return { failure: roundFault('prober', errorText(error), null) };
    } finally {
      clearTimeout(alarm);
      this.running.delete(running);
    }
  }

  /** One edge, whatever turn is under way. Null: trouble of our own kept it from being asked. Never rejects. */
  async askOne(
    config: Config,
    target: ProbeTarget,
    onSample: (sample: Sample) => void,
  ): Promise<Sample | RoundFailure | null> {
    const reference = await this.referenceReader.readAll(neededFiles(config, this.network));
    if (!reference.ok) return { failure: referenceFault(reference) };
    const plan = probePlan(config, this.network, reference.files);
    // With `settle` it may run beside a turn.
    const request = { network: this.network, plan, targets: [target], spread: 0, canaryKiller: 0, settle: 0 };
    try {
      const { samples } = await this.tools.prober.round(request);
      const sample = samples.get(target.name) ?? null;
      if (sample === null) return null;
      this.sampleTimes.sampled(sample.edge);
      logLine(this.tools.log, sampleLine(sample));
      onSample(sample);
      return sample;
    } catch (error) {
      return { failure: roundFault('prober', errorText(error), null) };
    }
  }

  /** Whether what must answer does; nothing where the network has no references. */
  async askReferences(config: Config): ReturnType<UplinkProbes['facts']> {
    if ((config.safety.get(this.network)?.reference ?? []).length === 0) return {};
    const read = await this.referenceReader.readAll(neededFiles(config, this.network));
    return read.ok ? this.uplink.facts(config, read.files) : {};
  }

  /** Ends what is under way; `ask` then returns a failure. */
  cancel(): void {
    this.cancelled += 1;
    this.tools.prober.cancel?.(this.network);
    this.uplink.cancel();
  }

  /** Why the running round, or the last one, takes longer than `run_frequency`; null: it does not. */
  get overlong(): string | null {
    return this.overlongSentence;
  }

  /** Why a turn that should have ended long ago has not; null: there is none. */
  get unended(): string | null {
    const now = performance.now();
    const late = [...this.running].find(({ dueMs }) => now > dueMs);
    return late === undefined ? null : unendedTurn([...late.waiting]);
  }

  /** Edges of which the last round has no sample because of trouble of our own; null: there are none. */
  get unchecked(): string | null {
    return this.uncheckedSentence;
  }

  /** Edges without a sample for three intervals, since they were listed or the process started. */
  get silent(): readonly string[] {
    const { newestConfig: config } = this;
    return config === null ? [] : this.sampleTimes.silent(silentAfter(config));
  }

  /** The same as a sentence; null: there are none. */
  get silence(): string | null {
    const { newestConfig: config } = this;
    return config === null ? null : silenceText(this.silent, silentAfter(config));
  }

  private noteSilence(): void {
    const { silence } = this;
    if (silence !== null && silence !== this.silenceSentence)
      this.tools.log('error', `${this.network}: ${silence}`, 'round.edges_silent');
    if (silence === null && this.silenceSentence !== null)
      this.tools.log('info', `${this.network}: every edge is checked again`, 'round.edges_checked');
    this.silenceSentence = silence;
  }

  private notePace(sentence: string | null): void {
    if (sentence !== null) this.tools.log('warn', `${this.network}: ${sentence}`, 'round.slow');
    this.overlongSentence = sentence;
  }

  /** Once for as long as it stays so. */
  private noteShared(samples: Iterable<Sample>): void {
    const sentences = sharedAddresses(samples);
    for (const sentence of sentences) {
      if (this.sharedSentences.includes(sentence)) continue;
      this.tools.log('warn', `${this.network}: ${sentence}`, 'round.addresses_shared');
    }
    this.sharedSentences = sentences;
  }
}
