import { decideFacts, factsOf } from '../../src/health/choose/decide.ts';
import type { Memory } from '../../src/health/choose/memory.ts';
import type { RoundFacts, Rules } from '../../src/health/choose/round.ts';
import { addSample, type History } from '../../src/health/judge/history.ts';
import { decodeRecord, encodeRecord, type RoundRecord } from '../../src/health/state/history-log-record.ts';
import { canary, type EdgeWords, edge, NO_MEMORY, NOW, RULES, sample } from './round-input.ts';

/** One round of a told story: fetch times by name, and what else differs from available and listed. */
export type Told = {
  readonly fetches: Readonly<Record<string, number>>;
  readonly words?: Readonly<Record<string, EdgeWords>>;
  /** Zone → address; the address's fetch is in `fetches`. */
  readonly canaries?: Readonly<Record<string, string>>;
  readonly operatorChange?: boolean;
};

/** Plays a story round by round, a minute apart, and gives the records that a log would hold (encoded and decoded). */
export function recordStory(told: readonly Told[], rules: Partial<Rules> = {}): readonly RoundRecord[] {
  const histories = new Map<string, History>();
  let memory: Memory = NO_MEMORY;
  return told.map(({ fetches, words = {}, canaries = {}, operatorChange = false }, i) => {
    const now = NOW + 60 * i;
    const addresses = new Set(Object.values(canaries));
    const input = (name: string) => {
      const history = addSample(histories.get(name) ?? { times: [], seconds: [] }, now, fetches[name]);
      histories.set(name, history);
      return { ...edge(name, { ...words[name], fetch: null, history }), sample: sample(name, fetches[name], now) };
    };
    const facts = factsOf({
      now,
      network: 'test',
      scope: 'turn',
      rules: { ...RULES, ...rules },
      edges: Object.keys(fetches)
        .filter((name) => !addresses.has(name))
        .map(input),
      canaries: Object.entries(canaries).map(([zone, name]) => ({ ...canary(zone, name), ...input(name) })),
      memory,
      operatorChange,
    });
    const decision = decideFacts(facts);
    memory = decision.memory;
    return viaLog(facts, encodeRecord(facts, decision));
  });
}

function viaLog(facts: RoundFacts, line: string): RoundRecord {
  const record = decodeRecord(line);
  if (record === null) throw new Error(`the record of ${facts.now} cannot be read back`);
  return record;
}
