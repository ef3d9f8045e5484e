import type { Config, NetworkFiles } from '../../../config/types.ts';
import type { Sample } from '../../../health/checks/sample.ts';
import type { Decision } from '../../../health/choose/decision.ts';
import { figuresOf, newestSamples } from '../../../health/judge/history.ts';
import { readModeChanges } from '../../../health/modes/mode-changes.ts';
import { expireMode } from '../../../health/modes/modes.ts';
import type { NetworkRounds } from '../../../health/pools/network-rounds.ts';
import { edgesOf, rulesOf } from '../../../health/pools/pool.ts';
import { checksOf } from '../../../health/pools/records.ts';
import type { RoundReport } from '../../../health/pools/round-types.ts';
import { type EdgeRecord, inNetwork } from '../../../health/state/edge-store.ts';
import { historyLogPath } from '../../../health/state/history-log.ts';
import { recordedChanges } from '../../../health/state/recorded-changes.ts';
import { historyIn, historyOfCheck } from '../../../health/state/series.ts';
import { reachOf, uptimeAt } from '../../../health/state/uptime.ts';
import type { Fault } from '../../../system/fault.ts';
import type { LiveChange, MemberView, NetworkView, UptimeView } from './views.ts';

/** Changes of the live set kept for the API; the history log on disk has them all. */
const CHANGES_MAX = 50;

/** A network's past as the API shows it, since the process started: its last decision and its changes. */
export class NetworkHistory {
  decision: Decision | null = null;
  rotations = 0;
  holdExceptions = 0;
  /** Changes that the rotation limit began to keep back. */
  holds = 0;
  /** By edge: how often it joined or left the live set. */
  readonly liveTransitions = new Map<string, number>();
  /** Newest last. */
  readonly changes: LiveChange[] = [];
  /** What of the last decision could not be saved, a sentence each. */
  unsaved: readonly string[] = [];
  private live: ReadonlySet<string> | null = null;
  /** Of the last probing round. */
  seconds: number | null = null;
  cancelled: readonly string[] = [];
  proberDelayMs = 0;

  note({ decision, probe, state, liveChanged, faults }: RoundReport): void {
    if (decision.hold !== null && (this.decision?.hold ?? null) === null) this.holds += 1;
    this.noteLive(decision, state.live);
    this.decision = decision;
    this.unsaved = sentences(faults);
    if (probe !== null) {
      this.seconds = probe.seconds;
      this.cancelled = probe.cancelled;
      this.proberDelayMs = probe.loopDelayMs;
    }
    const { outcome } = decision;
    if (outcome.kind === 'changed') this.rotations += 1;
    this.holdExceptions += decision.replaced.length;
    if (!liveChanged) return;
    const [added, removed] = outcome.kind === 'changed' ? [outcome.added, outcome.removed] : [[], []];
    this.changes.push({
      at: decision.at,
      serial: state.serial,
      added,
      removed,
      live: state.live.map(({ edge }) => edge),
      reasons: new Map([...added, ...removed].map((edge) => [edge, decision.reasons.get(edge)?.why ?? 'not listed'])),
      actions: decision.actions,
    });
    if (this.changes.length > CHANGES_MAX) this.changes.shift();
  }

  /**
   * A set that came from elsewhere counts as well (another vantage decided, an operator's fallback), so that live sets
   * are compared, not what was decided. At the first decision the set before it is the saved one.
   */
  private noteLive({ outcome, verdicts }: Decision, live: readonly { readonly edge: string }[]): void {
    const { live: before, liveTransitions: counts } = this;
    const now = new Set(live.map(({ edge }) => edge));
    this.live = now;
    const decided = outcome.kind === 'changed' ? [...outcome.added, ...outcome.removed] : [];
    const changed =
      before === null ? decided : [...now, ...before].filter((edge) => now.has(edge) !== before.has(edge));
    for (const edge of changed) counts.set(edge, (counts.get(edge) ?? 0) + 1);
    const listed = new Set(verdicts.map(({ edge }) => edge));
    for (const edge of counts.keys()) if (!listed.has(edge)) counts.delete(edge);
  }
}

/** Where a network's view is taken from: its clock, its rounds and what was noted of them. */
export type NetworkSources = {
  readonly network: string;
  readonly config: Config;
  readonly files: NetworkFiles | null;
  readonly rounds: Pick<
    NetworkRounds,
    | 'recentFacts'
    | 'state'
    | 'records'
    | 'samples'
    | 'counters'
    | 'fetches'
    | 'probeTroubles'
    | 'unwritten'
    | 'agreement'
    | 'notStored'
  >;
  readonly history: NetworkHistory;
  /** Epoch seconds. */
  readonly nextDue: number;
  readonly isOverdue: boolean;
  readonly failure: string | null;
};

/** A network as the API, the metrics and `/healthz` see it at `now`, epoch seconds. */
export function networkView(sources: NetworkSources, now: number): NetworkView {
  const { network, config, files, rounds, history } = sources;
  const { state } = rounds;
  const rules = rulesOf(config, network);
  return {
    name: network,
    serial: state.serial,
    goodenough: rules.goodenough,
    timeout: rules.timeout,
    maxfreq: rules.maxfreq,
    wanted: rules.edgeCount,
    decision: history.decision,
    live: state.live,
    edges: files === null ? [] : edgesOf(files),
    silent: new Set(rounds.probeTroubles.silent),
    members: membersOf(sources, now),
    rotationsTotal: history.rotations,
    holdExceptionsTotal: history.holdExceptions,
    holdsTotal: history.holds,
    liveTransitions: history.liveTransitions,
    checkCounts: rounds.fetches.kinds(),
    changes: history.changes,
    recentFacts: rounds.recentFacts,
    past: {
      changes: (order) => recordedChanges(historyLogPath(config.stateDir, network), order),
      modeChanges: (edge, most) => readModeChanges(config.healthdataStore, edge, most),
    },
    agreement: rounds.agreement,
    notStored: rounds.notStored,
    round: {
      lastRun: state.lastRun,
      seconds: history.seconds,
      runFrequency: config.runFrequency,
      nextDue: sources.nextDue,
      overdue: sources.isOverdue,
      overlong: rounds.probeTroubles.overlong,
      unended: rounds.probeTroubles.unended,
      unchecked: rounds.probeTroubles.unchecked,
      silence: rounds.probeTroubles.silence,
      failure: sources.failure,
      unsaved: [...history.unsaved, ...sentences(rounds.unwritten)],
      cancelledCanaries: history.cancelled,
    },
  };
}

function sentences(faults: readonly Fault[]): readonly string[] {
  return faults
    .filter(({ severity }) => severity === 'error')
    .map(({ at, message }) => (at === null ? message : `${at.file} ${message}`));
}

function membersOf(sources: NetworkSources, now: number): ReadonlyMap<string, MemberView> {
  const { rounds, history } = sources;
  const published = new Map(history.decision?.live.map((member) => [member.edge, member]));
  return new Map(
    [...rounds.records].map(([edge, stored]) => {
      const record = expireMode(stored, now);
      const sample = rounds.samples.get(edge) ?? null;
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
          stateSince: inNetwork(record, sources.network).stateSince,
          v4: published.get(edge)?.v4 ?? address(false),
          v6: published.get(edge)?.v6 ?? address(true),
          sample,
          fetches: rounds.fetches.of(edge),
          // When it is asked for: most pages and metrics do not.
          get uptime() {
            return uptimeOf(edge, record, sources, now);
          },
          get figures() {
            return figuresByCheck(record, sources, sample, now);
          },
          recent(most) {
            const hasChecks = checksOf(sources.config, sources.network).checks !== null;
            return newestSamples(historyIn(record, sources.network, hasChecks), most);
          },
        },
      ];
    }),
  );
}

/** Without `checks:` the one check is that of the newest fetch. */
function figuresByCheck(
  record: EdgeRecord,
  { network, config }: NetworkSources,
  sample: Sample | null,
  now: number,
): MemberView['figures'] {
  const { checks } = checksOf(config, network);
  if (checks === null) {
    const check = sample?.primary?.check;
    return new Map(check === undefined ? [] : [[check, figuresOf(historyIn(record, network, false), now)]]);
  }
  return new Map(checks.map((name) => [name, figuresOf(historyOfCheck(record, network, name, checks), now)]));
}

function uptimeOf(edge: string, record: EdgeRecord, sources: NetworkSources, now: number): UptimeView {
  const { network, config, rounds } = sources;
  const { mode, networks } = record;
  const known = networks.get(network)?.uptime ?? null;
  const isJudged = mode !== 'unavailable';
  return { ...uptimeAt(known, isJudged, now, reachOf(config.runFrequency)), counts: rounds.counters.of(edge) };
}
