import { moment } from '../judge/reason.ts';
import type { RoundLine } from '../state/history-log.ts';
import type { RoundRecord } from '../state/history-log-record.ts';
import { type ReplayRules, rulesUnder } from './replay.ts';

/**
 * The records one at a time, since a long history does not fit into memory decoded. Ends with a `problem` at a round
 * whose rules the settings would turn into ones that no configuration may have: a fetch that fails would be good
 * enough.
 */
export class FittingRounds implements Iterable<RoundRecord> {
  problem: string | null = null;
  private readonly lines: readonly RoundLine[];
  private readonly set: ReplayRules;
  private readonly onRound: (index: number) => void;

  /** `onRound` is called before each, with its index. */
  constructor(lines: readonly RoundLine[], set: ReplayRules, onRound: (index: number) => void = () => undefined) {
    this.lines = lines;
    this.set = set;
    this.onRound = onRound;
  }

  *[Symbol.iterator](): Generator<RoundRecord> {
    for (const [i, line] of this.lines.entries()) {
      this.onRound(i);
      const record = line.decode();
      if (record === null) continue;
      const { goodenough, timeout } = rulesUnder(record.facts.rules, this.set);
      // With neither set, what was recorded is replayed, whatever it is.
      if (goodenough >= timeout && (this.set.goodenough ?? this.set.timeout) !== undefined) {
        const round = `of the round of ${moment(record.facts.now)}`;
        this.problem =
          this.set.goodenough === undefined
            ? `timeout ${timeout} must be over the goodenough ${goodenough} ${round}`
            : `goodenough ${goodenough} must be less than the timeout ${timeout} ${round}`;
        break;
      }
      yield record;
    }
  }
}

/** The settings to replay with: where rounds were recorded with a judge that counts, theirs holds for the distance. */
export function withDistance(rules: ReplayRules, runFrequency: number): ReplayRules {
  const { judge } = rules;
  return judge?.kind === 'rise_fall' ? { ...rules, judge: { ...judge, apart: runFrequency / 2 } } : rules;
}
