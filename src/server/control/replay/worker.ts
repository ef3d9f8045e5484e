/** A thread for one replay: the order comes as its data, one answer goes back. */
import { parentPort, workerData } from 'node:worker_threads';
import { FittingRounds, withDistance } from '../../../health/explain/fitting-rounds.ts';
import { replay } from '../../../health/explain/replay.ts';
import { replaySettings } from '../../../health/explain/replay-settings.ts';
import { readLines } from '../../../health/state/history-log.ts';
import { errorText } from '../../../system/error-text.ts';
import type { ReplayAnswer, ReplayOrder } from './order.ts';

/** Fourteen days of a round a minute. */
const ROUNDS_MAX = 20_000;

export async function answer({ path, set, since, until, runFrequency }: ReplayOrder): Promise<ReplayAnswer> {
  const settings = replaySettings(set);
  if (!settings.ok) return { ok: false, code: 'invalid', message: settings.problems.join('; ') };
  const rules = withDistance(settings.rules, runFrequency);
  try {
    const all = await readLines(path, { since, until });
    const lines = all.slice(-ROUNDS_MAX);
    const rounds = new FittingRounds(lines, rules);
    const result = replay(rounds, rules);
    if (rounds.problem !== null) return { ok: false, code: 'invalid', message: rounds.problem };
    return { ok: true, replay: result, left: all.length - lines.length };
  } catch (error) {
    return { ok: false, code: 'failed', message: errorText(error) };
  }
}

if (parentPort !== null) parentPort.postMessage(await answer(workerData as ReplayOrder));
