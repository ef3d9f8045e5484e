import { FILE_MAX } from '../../system/read-file.ts';
import { Slice } from '../../system/yielding.ts';
import { decideFacts } from '../choose/decide.ts';
import type { OperatorAction } from '../choose/operator-action.ts';
import { decodeRecord, type RoundRecord, recordTime } from './history-log-record.ts';
import { linesBackwards } from './lines-backwards.ts';

/** A change of a network's live set as its log has it. `reasons`: one sentence per edge that came or went. */
export type RecordedChange = {
  readonly at: number;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly live: readonly string[];
  readonly reasons: ReadonlyMap<string, string>;
  /** What operators did before it. */
  readonly actions: readonly OperatorAction[];
};

export type ChangesOrder = {
  /** Epoch seconds; changes then and later. */
  readonly since: number;
  /** Epoch seconds; changes earlier than that. */
  readonly before: number;
  readonly limit: number;
};

export type ChangesFound = {
  /** The newest of those that were asked for, oldest first. */
  readonly changes: readonly RecordedChange[];
  /** Where to look on (`before`) for earlier ones; null: there are none. */
  readonly earlier: number | null;
};

/** How long one search may take; what it did not reach is left for the next. Milliseconds. */
const SEARCH_MS = 500;
const CHANGED = Buffer.from('"decided":{"kind":"changed"');

/**
 * Looks for changes in a network's log (`historyLogPath`) and the one that was put aside, from the newest round back.
 * Only lines of changes are decoded. Rejects with the system's error.
 */
export async function recordedChanges(
  path: string,
  { since, before, limit }: ChangesOrder,
  searchMs = SEARCH_MS,
): Promise<ChangesFound> {
  const started = performance.now();
  const slice = new Slice();
  const changes: RecordedChange[] = [];
  let bound = before;
  let looked: number | null = null;
  for (const file of [path, `${path}.1`]) {
    for await (const line of linesBackwards(file, FILE_MAX.log)) {
      await slice.rest();
      const at = recordTime(line.toString('latin1', 0, 40));
      if (at === null || at >= bound) continue;
      if (at < since) return { changes: changes.reverse(), earlier: null };
      const isLate = performance.now() - started > searchMs;
      // Each search gets on by one round at least.
      if (looked !== null && (changes.length >= limit || isLate))
        return { changes: changes.reverse(), earlier: looked };
      looked = at;
      if (line.lastIndexOf(CHANGED) === -1) continue;
      const record = decodeRecord(line.toString('utf8'));
      if (record !== null) changes.push(changeOf(record));
    }
    // A log that is put aside just now would be read twice.
    bound = Math.min(bound, looked ?? bound);
  }
  return { changes: changes.reverse(), earlier: null };
}

function changeOf({ facts, decided }: RoundRecord): RecordedChange {
  const { reasons } = decideFacts(facts);
  const was = new Set(facts.memory.lastLive);
  const is = new Set(decided.live);
  const added = decided.live.filter((edge) => !was.has(edge));
  const removed = facts.memory.lastLive.filter((edge) => !is.has(edge));
  const whyOf = (edge: string): string => reasons.get(edge)?.why ?? 'not listed';
  return {
    at: facts.now,
    added,
    removed,
    live: decided.live,
    reasons: new Map([...added, ...removed].map((edge) => [edge, whyOf(edge)])),
    actions: facts.actions ?? [],
  };
}
