/**
 * What HTTP may ask of the running server: a pull interface. Nothing of it is stored by `server/control`; every call reads
 * the values of that moment, so a page and a scrape cannot disagree with the answers on the wire for longer than a
 * call.
 */

import type { CheckKind, Sample } from '../../../health/checks/sample.ts';
import type { Decision } from '../../../health/choose/decision.ts';
import type { OperatorAction } from '../../../health/choose/operator-action.ts';
import type { RoundFacts } from '../../../health/choose/round.ts';
import type { Mode } from '../../../health/judge/edge.ts';
import type { Figures, History } from '../../../health/judge/history.ts';
import type { ModeChangeLine } from '../../../health/modes/mode-changes.ts';
import type { AgreementStatus } from '../../../health/pools/agreed-decisions.ts';
import type { EdgeCounts } from '../../../health/pools/edge-counters.ts';
import type { CheckCounts, EdgeFetches } from '../../../health/pools/fetch-counters.ts';
import type { ChangesFound, ChangesOrder } from '../../../health/state/recorded-changes.ts';
import type { UptimeNow } from '../../../health/state/uptime.ts';
import type { NoticeCounts } from '../../../publish/notices/delivery.ts';
import type { NotifyCounts } from '../../../publish/notify/notifier.ts';
import type { TargetStatus } from '../../../publish/providers/target-status.ts';
import type { Fault } from '../../../system/fault.ts';
import type { GuardFault } from '../../../system/guard.ts';
import type { ZoneEntry } from '../../../zones/store/types.ts';
import type { DnstapCounts } from '../../dnstap/shared.ts';
import type { StatsSum } from '../../stats.ts';

import type { Refusal } from '../http/refusals.ts';

import type { ReplayAnswer, ReplayOrder } from '../replay/order.ts';

import type { VantageSource } from './vantage-source.ts';

/** One edge or canary beside its verdict: what an operator set and what the newest fetch saw. */
export type MemberView = {
  readonly mode: Mode;
  readonly comment: string;
  /** Epoch seconds of the last mode change; null: never changed. */
  readonly modeSince: number | null;
  /** Epoch seconds at which the mode goes back to available; null: it stays. */
  readonly modeUntil: number | null;
  /** Epoch seconds at which it became live, or ceased to be; null: not known. */
  readonly stateSince: number | null;
  /** Addresses fit to be published. */
  readonly v4: string | null;
  readonly v6: string | null;
  /** Newest fetch; null before the first round of this process. */
  readonly sample: Sample | null;
  /** Since the process started. */
  readonly fetches: EdgeFetches;
  readonly uptime: UptimeView;
  /** Samples of each check of the network, by its name. */
  readonly figures: ReadonlyMap<string, Figures>;
  /** The newest samples that its network's judge reads, at most `most`. */
  readonly recent: (most: number) => History;
};

/** Since when an edge is up or down. `counts`: since the process started. */
export type UptimeView = UptimeNow & { readonly counts: EdgeCounts };

/** A change of the live set. `reasons`: one sentence per edge that came or went. */
export type LiveChange = {
  readonly at: number;
  readonly serial: number;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly live: readonly string[];
  readonly reasons: ReadonlyMap<string, string>;
  /** What operators did before it. */
  readonly actions: readonly OperatorAction[];
};

/** What is on disk of a network. Each rejects with the system's error. */
export type NetworkPast = {
  /** Changes of the live set, earlier ones than this process's too. */
  readonly changes: (order: ChangesOrder) => Promise<ChangesFound>;
  /** Changes of an edge's mode, oldest first, `most` at most. */
  readonly modeChanges: (edge: string, most: number) => Promise<readonly ModeChangeLine[]>;
};

export type RoundView = {
  /** Epoch seconds at which the last round ended; null: none yet, not even in the state file. */
  readonly lastRun: number | null;
  /** How long it took: about `runFrequency`, over which its checks are spread; the first one a second. */
  readonly seconds: number | null;
  readonly runFrequency: number;
  readonly nextDue: number | null;
  /** Later than it should be: the next round is overdue or the running one takes too long. */
  readonly overdue: boolean;
  /** Why the running round, or the last one, takes longer than `runFrequency`, and what to do; null: it does not. */
  readonly overlong: string | null;
  /** Why a turn that should have ended long ago has not; null: there is none. */
  readonly unended: string | null;
  /** Edges that trouble of our own kept from being checked in the last round; null: none. */
  readonly unchecked: string | null;
  /** Which edges have had no sample for three intervals; null: none. */
  readonly silence: string | null;
  /** Why the last round could not be made (prober, test object); null: it was made. */
  readonly failure: string | null;
  /** What of the last decision could not be written (a full disk, a folder without rights), a sentence each. */
  readonly unsaved: readonly string[];
  readonly cancelledCanaries: readonly string[];
};

export type NetworkView = {
  readonly name: string;
  readonly serial: number;
  readonly goodenough: number;
  readonly timeout: number;
  readonly maxfreq: number;
  readonly wanted: number;
  /** The last decision; null: none yet since the start. */
  readonly decision: Decision | null;
  /** What is served right now, sorted by edge; equals `decision.live` once there is one. */
  readonly live: readonly { readonly edge: string; readonly v4: string | null; readonly v6: string | null }[];
  /** Names of the listed edges. */
  readonly edges: readonly string[];
  /** Those without a sample for three intervals. */
  readonly silent: ReadonlySet<string>;
  /** By edge name and, for canaries, by address. One that is missing counts as available, without a comment. */
  readonly members: ReadonlyMap<string, MemberView>;
  /** Changes of the live set since the process started. */
  readonly rotationsTotal: number;
  /** Members replaced in spite of the rotation limit, because they had failed three times in a row. */
  readonly holdExceptionsTotal: number;
  /** Changes that the rotation limit began to keep back, since the process started. */
  readonly holdsTotal: number;
  /** By edge: how often it joined or left the live set since the process started; none: never. */
  readonly liveTransitions: ReadonlyMap<string, number>;
  /** What its checks came to since the process started, by kind. */
  readonly checkCounts: ReadonlyMap<CheckKind, CheckCounts>;
  /** Newest last, bounded by whoever keeps them. */
  readonly changes: readonly LiveChange[];
  readonly round: RoundView;
  /** The facts of the last decisions since the start, oldest first; the newest explains the present one. */
  readonly recentFacts: readonly RoundFacts[];
  readonly past: NetworkPast;
  /** What several vantage points say together; null: this server decides alone. */
  readonly agreement: AgreementStatus | null;
  /** Why a change that is wanted could not be stored for all of them; null: none is outstanding. */
  readonly notStored: string | null;
};

/** `serial` and `loadedAt` are 0 where there is no version to be served. `serial`: the one that is answered. */
export type ZoneView = Pick<
  ZoneEntry,
  'name' | 'network' | 'file' | 'state' | 'serial' | 'faults' | 'records' | 'signaturesEnd' | 'loadedAt'
>;

/** How many zones are well, and the names of those that are not. */
export type ZoneStates = { readonly ok: number; readonly stale: readonly string[]; readonly broken: readonly string[] };

export type SecondaryView = {
  /** `192.0.2.53:53`, as configured. */
  readonly secondary: string;
  readonly zone: string;
  readonly network: string | null;
  readonly serial: number | null;
  readonly ourSerial: number;
  /** `ahead`: its serial comes after ours, so that it takes no version from here. */
  readonly state: 'current' | 'behind' | 'ahead' | 'unknown';
  /** How long it has not had our serial; 0: it has it; null: it never answered. */
  readonly lagSeconds: number | null;
  readonly checkedAt: number | null;
  readonly error: string | null;
};

export type ProberView = {
  /** Largest event-loop delay of the prober thread in its last round, seconds. */
  readonly loopDelaySeconds: number;
  /** Whether its thread runs. */
  readonly alive: boolean;
  /** How often its thread died, hung or was found in trouble since the start, and the last time, epoch seconds. */
  readonly troubles: number;
  readonly trouble: { readonly message: string; readonly at: number } | null;
};

export type StatusView = {
  readonly version: string;
  /** Epoch seconds. */
  readonly startedAt: number;
  /** The clock, epoch seconds; passed in so that the pages' ages can be tested. */
  now(): number;
  /** Whether the DNS side answers. */
  ready(): boolean;
  /** Sorted by name. */
  networks(): readonly NetworkView[];
  zones(): readonly ZoneView[];
  /** The same in short, without a look at each zone's serial. */
  zoneStates(): ZoneStates;
  /** When all zones were looked at last (the start, a reload), epoch seconds, and how long that took; null: not yet. */
  zonesLoad(): { readonly at: number; readonly seconds: number } | null;
  /** What is wrong with the zones as a set: folders, names met twice, the file of serials. */
  zoneFaults(): readonly Fault[];
  stats(): StatsSum;
  /** Labels for the rows of `stats().networks`, such as a network's name; null: a row that is not in use. */
  statsNetworks(): readonly (string | null)[];
  prober(): ProberView;
  secondaries(): readonly SecondaryView[];
  /** Sets that are kept at other people's DNS, sorted by name. */
  providers(): readonly TargetStatus[];
  /** Several vantage points; null: this server decides alone. */
  vantage(): VantageSource | null;
  /** Since the start; `pending`: now. */
  notify(): NotifyCounts;
  /** Of each target of notices, by its name. */
  notices(): ReadonlyMap<string, NoticeCounts>;
  /** What parts of the server cannot do at present, a sentence each. */
  partFaults(): readonly { readonly part: string; readonly message: string }[];
  /** What was thrown where only a bug throws, and was contained. */
  contained(): readonly GuardFault[];
  /** Messages of dnstap since the start; null: it was never on. */
  dnstap(): DnstapCounts | null;
  /** What parts of the server have to say though they do what they should, a sentence each. */
  warnings(): readonly string[];
  /** When the first of the certificates for DNS over TLS and HTTP ends, epoch seconds; null: no TLS. */
  tlsNotAfter(): number | null;
  /** HTTP requests that were refused since the start, by why. */
  httpRefused(): ReadonlyMap<Refusal, number>;
  /** Recorded rounds of a network decided again under other settings, by a thread of its own; never rejects. */
  replay(network: string, order: Omit<ReplayOrder, 'path'>): Promise<ReplayAnswer>;
};
