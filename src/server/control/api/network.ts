/** One network as JSON: `GET /api/v1/networks/NET` (the schemas say what each key means). */

import type { CheckOutcome, Phases } from '../../../health/checks/sample.ts';
import type { CanaryDecision, Decision } from '../../../health/choose/decision.ts';
import { recentChanges } from '../../../health/choose/limit.ts';
import type { Figures } from '../../../health/judge/history.ts';
import { type EdgeQuorum, isSuspect } from '../../../health/judge/quorum.ts';
import type { Verdict } from '../../../health/judge/verdict.ts';
import type { ChangesFound } from '../../../health/state/recorded-changes.ts';
import type { LiveChange, MemberView, NetworkView, UptimeView } from '../views/views.ts';
import { edgeVersion } from './edge-version.ts';
import type {
  CanaryJson,
  ChangeJson,
  ChangeListJson,
  CheckJson,
  EdgeJson,
  MemberJson,
  NetworkJson,
  NetworkSummaryJson,
  PhasesJson,
  SafetyJson,
  UptimeJson,
  VerdictJson,
} from './json.ts';

/** The row of `/api/v1/networks`. */
export function networkSummary(network: NetworkView): NetworkSummaryJson {
  const { name, live, wanted, edges, decision, serial, round } = network;
  return {
    network: name,
    live: live.map(({ edge }) => edge),
    wanted,
    edges: edges.length,
    serial,
    held: (decision?.hold ?? null) !== null,
    overdue: round.overdue,
    last_run: round.lastRun,
  };
}

export function networkDetail(network: NetworkView, now: number): NetworkJson {
  const { decision, live, round } = network;
  const rotations = decision?.memory.rotations ?? [];
  const why = new Map(decision?.live.map((member) => [member.edge, member.why]));
  return {
    network: network.name,
    now,
    serial: network.serial,
    at: decision?.at ?? null,
    wanted: network.wanted,
    live: live.map(({ edge, v4, v6 }) => ({ edge, v4, v6, why: why.get(edge) ?? null })),
    outcome: decision?.outcome.kind ?? null,
    hold: holdOf(network),
    families: decision === null ? null : { ipv4: decision.families.v4, ipv6: decision.families.v6 },
    safety: decision === null ? null : safetyOf(decision),
    notes: decision?.notes ?? [],
    edges: edgesOf(network),
    canaries: (decision?.canaries ?? []).map((canary) => canaryRow(network, canary)),
    changes: network.changes.map(changeRow),
    rotations: { last_600s: recentChanges(rotations, now).length, times: rotations },
    maxfreq: network.maxfreq,
    verification_failures: decision?.verificationFailures ?? [],
    goodenough: network.goodenough,
    timeout: network.timeout,
    round: {
      last_run: round.lastRun,
      seconds: round.seconds,
      run_frequency: round.runFrequency,
      next_due: round.nextDue,
      overdue: round.overdue,
      cancelled_canaries: round.cancelledCanaries,
    },
  };
}

function safetyOf({ safety: { unfilled, minUp, heldUp, uplink } }: Decision): SafetyJson {
  const line = uplink === null ? null : { in_doubt: uplink.inDoubt, known: uplink.known, failing: uplink.failing };
  return {
    unfilled,
    min_up: minUp === null ? null : { needed: minUp.needed, up: minUp.up, below: minUp.below },
    held_up: heldUp,
    uplink: line,
  };
}

function holdOf({ decision }: NetworkView): NetworkJson['hold'] {
  const hold = decision?.hold ?? null;
  if (hold === null) return null;
  return {
    ...hold,
    wanted: decision?.outcome.kind === 'held' ? decision.outcome.wanted : [],
    failing: decision?.heldFailing ?? [],
  };
}

function edgesOf(network: NetworkView): readonly EdgeJson[] {
  const row = edgeRows(network);
  const names = network.decision?.verdicts.map(({ edge }) => edge) ?? network.edges;
  return [...names].sort(byCodeUnit).map(row);
}

/**
 * Makes the row of one edge. Before the first decision it is what is known of it: its mode, and whether it is served.
 */
export function edgeRows({ decision, live, members, agreement }: NetworkView): (edge: string) => EdgeJson {
  const liveNames = new Set(live.map(({ edge }) => edge));
  const verdicts = new Map(decision?.verdicts.map((verdict) => [verdict.edge, verdict]));
  const failed = new Set(decision?.verificationFailures);
  return (edge) => ({
    edge,
    mode_version: edgeVersion(members.get(edge)),
    ...memberFields(members.get(edge) ?? null),
    state: liveNames.has(edge) ? 'in' : 'out',
    ...verdictFields(verdicts.get(edge) ?? null),
    why: verdicts.get(edge)?.why ?? null,
    reason: decision?.reasons.get(edge)?.why ?? null,
    verification_failed: failed.has(edge),
    ...saysOf(agreement?.quorums.get(edge)),
  });
}

function saysOf(quorum: EdgeQuorum | undefined): Pick<EdgeJson, 'says' | 'suspect'> {
  return quorum === undefined ? {} : { says: quorum.says, suspect: isSuspect(quorum) };
}

function canaryRow({ decision, members }: NetworkView, canary: CanaryDecision): CanaryJson {
  const verdict = decision?.canaryVerdicts.find(({ edge }) => edge === canary.address) ?? null;
  return {
    ...memberFields(members.get(canary.address) ?? null),
    ...verdictFields(verdict),
    zone: canary.zone,
    address: canary.address,
    active: canary.active !== null,
    victim: canary.active?.victim ?? null,
    changed: canary.changed,
    held: canary.held,
    judgement_why: verdict?.why ?? null,
    why: canary.why,
    verification_failed: decision?.verificationFailures.includes(canary.address) ?? false,
  };
}

function memberFields(member: MemberView | null): MemberJson {
  return {
    mode: member?.mode ?? 'available',
    comment: member?.comment ?? '',
    mode_since: member?.modeSince ?? null,
    mode_until: member?.modeUntil ?? null,
    addresses: { v4: member?.v4 ?? null, v6: member?.v6 ?? null },
    ...sampleFields(member),
    uptime: uptimeFields(member?.uptime ?? null),
  };
}

function uptimeFields(uptime: UptimeView | null): UptimeJson {
  return {
    up: uptime?.up ?? null,
    since: uptime?.since ?? null,
    transitions: uptime?.transitions ?? [],
    downtime_last_day: uptime?.downtimeOfDay ?? 0,
    last_failure: uptime?.lastFailure ?? null,
    position: uptime?.position ?? null,
  };
}

type SampleJson = Pick<
  MemberJson,
  'last_at' | 'fail' | 'address' | 'attempts' | 'hops' | 'check' | 'checks' | 'stalled_ms' | 'phases'
>;

function sampleFields(member: MemberView | null): SampleJson {
  const sample = member?.sample ?? null;
  const fetch = sample?.primary ?? null;
  const figures = member?.figures;
  return {
    last_at: sample?.at ?? null,
    fail: sample?.fail ?? null,
    address: fetch?.address ?? null,
    attempts: fetch?.attempts ?? null,
    hops: fetch?.hops ?? null,
    check: fetch?.check ?? null,
    checks: (fetch?.checks ?? []).map((outcome) => checkFields(outcome, figures?.get(outcome.name))),
    stalled_ms: sample?.stalledMs ?? null,
    phases: fetch === null ? null : phaseFields(fetch.phases),
  };
}

function checkFields(outcome: CheckOutcome, figures: Figures | undefined): CheckJson {
  const { name, kind, seconds, fail, attempts, hops, phases } = outcome;
  const { count = 0, windowAverage = null, average = null } = figures ?? {};
  const series = { samples: count, window_average: windowAverage, average };
  return { name, kind, seconds, fail, attempts, hops, phases: phaseFields(phases), ...series };
}

function phaseFields({ resolve, connect, tls, firstByte, total }: Phases): PhasesJson {
  return { resolve, connect, tls, first_byte: firstByte, total };
}

function verdictFields(verdict: Verdict | null): VerdictJson {
  return {
    judgement: verdict?.judgement ?? null,
    last: verdict?.last ?? null,
    window_average: verdict?.windowAverage ?? null,
    average: verdict?.average ?? null,
  };
}

function changeRow({ at, serial, added, removed, live, reasons, actions }: LiveChange): ChangeJson {
  return { at, serial, added, removed, live, reasons: Object.fromEntries(reasons), actions };
}

/** Of those that this process made itself, the serial is known. */
export function changeList({ name, changes }: NetworkView, found: ChangesFound): ChangeListJson {
  const serials = new Map(changes.map(({ at, serial }) => [at, serial]));
  return {
    network: name,
    changes: found.changes.map(({ at, added, removed, live, reasons, actions }) => ({
      at,
      serial: serials.get(at) ?? null,
      added,
      removed,
      live,
      reasons: Object.fromEntries(reasons),
      actions,
    })),
    earlier: found.earlier,
  };
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
