import type { Replay, Tally } from '../../../health/explain/replay.ts';
import { pastMoment } from '../../../health/modes/past-moment.ts';
import type { StatusView } from '../views/views.ts';
import type { ReplayJson } from './schemas/replay.ts';

const DIFFERENCES_SHOWN = 100;
/** What is replayed unless something else is asked for, seconds. */
const DAY = 86_400;

/** `since`, `until`: as `edgewise replay` takes them; null: the last day up to now. */
export type ReplayQuestion = {
  readonly network: string;
  readonly set: readonly string[];
  readonly since: string | null;
  readonly until: string | null;
};

export type ReplayResult =
  | { readonly ok: true; readonly replay: ReplayJson }
  | {
      readonly ok: false;
      readonly status: 404 | 422 | 503;
      readonly detail: string;
      /** The same question may be answered in a moment. */
      readonly isBusy?: boolean;
    };

/** Never rejects. */
export async function askReplay(
  view: StatusView,
  { network, set, since, until }: ReplayQuestion,
): Promise<ReplayResult> {
  const found = view.networks().find(({ name }) => name === network);
  if (found === undefined) return { ok: false, status: 404, detail: `no network ${JSON.stringify(network)}` };
  // A whole second, so that those who ask at the same time ask for the same.
  const now = Math.floor(view.now());
  const to = until === null ? now : pastMoment(until, now);
  if (to === null) return { ok: false, status: 422, detail: `until: ${JSON.stringify(until)} is not a time` };
  const from = since === null ? to - DAY : pastMoment(since, now);
  if (from === null) return { ok: false, status: 422, detail: `since: ${JSON.stringify(since)} is not a time` };
  if (from > to) return { ok: false, status: 422, detail: 'since is later than until' };
  const { runFrequency } = found.round;
  const answer = await view.replay(network, { set, since: from, until: to, runFrequency });
  if (!answer.ok) {
    const status = answer.code === 'invalid' ? 422 : 503;
    return { ok: false, status, detail: answer.message, isBusy: answer.code === 'busy' };
  }
  return { ok: true, replay: replayJson(network, set, answer.replay, answer.left) };
}

function replayJson(network: string, set: readonly string[], replay: Replay, left: number): ReplayJson {
  const { differences } = replay;
  return {
    network,
    set,
    rounds: replay.rounds,
    since: replay.since,
    until: replay.until,
    left_out: left,
    recorded: tallyJson(replay.recorded),
    replayed: tallyJson(replay.replayed),
    differing_rounds: replay.differingRounds,
    differences: differences
      .slice(0, DIFFERENCES_SHOWN)
      .map((difference) => ({ ...difference, why: Object.fromEntries(difference.why) })),
    differences_left_out: replay.differencesLeftOut + Math.max(0, differences.length - DIFFERENCES_SHOWN),
    breaks: replay.breaks,
    timeout_cut: replay.timeoutCut,
  };
}

function tallyJson(tally: Tally): ReplayJson['recorded'] {
  return {
    rotations: tally.rotations,
    held_rounds: tally.heldRounds,
    hold_exceptions: tally.holdExceptions,
    short_rounds: tally.shortRounds,
    empty_rounds: tally.emptyRounds,
    canary_changes: tally.canaryChanges,
    rounds_live: Object.fromEntries(tally.roundsLive),
  };
}
