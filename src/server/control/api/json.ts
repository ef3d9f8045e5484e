/**
 * What `/api/v1` answers, as JSON. Times are epoch seconds (fractions allowed), durations seconds; null means "not
 * known" or "not reached". Keys are never renamed or dropped within v1; new ones may come.
 */
import type { CheckKind, FailReason } from '../../../health/checks/sample.ts';
import type { Outcome } from '../../../health/choose/decision.ts';
import type { Mode } from '../../../health/judge/edge.ts';
import type { Judgement } from '../../../health/judge/verdict.ts';
import type { ZoneState } from '../../../zones/store/types.ts';

/** Every error: 400, 404, 405, 500. */
export type ErrorJson = { readonly error: string; readonly detail: string };

/** `/healthz`: status 200 with `ok`, 503 with `failing` and a sentence per reason. */
export type HealthJson = {
  readonly status: 'ok' | 'failing';
  /** Whether DNS queries are answered. */
  readonly ready: boolean;
  readonly reasons: readonly string[];
  /** What should be looked at although everything is answered; it does not make the status `failing`. */
  readonly warnings: readonly string[];
  readonly version: string;
  readonly uptime_seconds: number;
};

/** `/api/v1/status` */
export type StatusJson = HealthJson & {
  readonly started_at: number;
  readonly networks: readonly NetworkSummaryJson[];
  /** How many there are in each state. */
  readonly zones: { readonly [state in ZoneState]: number };
  /** Of DNS over TLS, epoch seconds; null: no TLS. */
  readonly tls_certificate_ends: number | null;
  /** Since the start; two answers give the rates. */
  readonly dns: {
    readonly queries: number;
    /** By response code, as in `NXDOMAIN`; those that were never sent are missing. */
    readonly answers: { readonly [rcode: string]: number };
    /** Messages that no query is in, which get no reply. */
    readonly dropped: number;
    /** Answers that the rate limit withheld or sent truncated. */
    readonly rate_limited: number;
  };
};

/** `/api/v1/networks` is `{networks: [this, …]}`. */
export type NetworkSummaryJson = {
  readonly network: string;
  /** Names of the live edges, sorted. */
  readonly live: readonly string[];
  readonly wanted: number;
  /** How many edges are listed. */
  readonly edges: number;
  readonly serial: number;
  readonly held: boolean;
  readonly overdue: boolean;
  readonly last_run: number | null;
};

/** What the safety rules (`safety:` of the configuration) made of the last decision. */
export type SafetyJson = {
  /** Places that stay empty because only edges that pass may take them (`fill: none`). */
  readonly unfilled: number;
  /**
   * `needed` edges must not fail (`min_up`), `up` do not; `below` is what is answered while those are fewer (keep, all, fallback),
   * else null. Null: not set.
   */
  readonly min_up: null | { readonly needed: number; readonly up: number; readonly below: string | null };
  /**
   * Of `known` references that were asked, `failing` fail; with more than half, our own line is in doubt and the set is
   * kept. Null: there are no references.
   */
  readonly uplink: null | { readonly in_doubt: boolean; readonly known: number; readonly failing: readonly string[] };
  /** Edges that pass and are not live yet because of `hold_up`. */
  readonly held_up: readonly string[];
};

/** `/api/v1/networks/NET` */
export type NetworkJson = {
  readonly network: string;
  /** The server's clock at the answer: ages are differences to it. */
  readonly now: number;
  /** Of the live set. */
  readonly serial: number;
  /** When the last decision was made; null: none since the start, and `live` is the saved set. */
  readonly at: number | null;
  readonly wanted: number;
  readonly live: readonly {
    readonly edge: string;
    readonly v4: string | null;
    readonly v6: string | null;
    readonly why: string | null;
  }[];
  readonly outcome: Outcome['kind'] | null;
  /** The rotation limit keeps a wanted change back until `until`: `recent` changes in 600 s, `limit` allowed. */
  readonly hold: null | {
    readonly until: number;
    readonly recent: number;
    readonly limit: number;
    /** What would be live; empty when a part of the change went through. */
    readonly wanted: readonly string[];
    /** Live members that fail and that nothing but the hold keeps. */
    readonly failing: readonly string[];
  };
  /**
   * Per address family: `passing`, `failing` (kept for lack of better), `unanswered` (SERVFAIL) or `none`. Null before
   * the first decision.
   */
  readonly families: null | { readonly ipv4: string; readonly ipv6: string };
  /** What the safety rules made of the last decision; null before the first. */
  readonly safety: SafetyJson | null;
  /** Warnings about the set as a whole. */
  readonly notes: readonly string[];
  /** Sorted by name. */
  readonly edges: readonly EdgeJson[];
  readonly canaries: readonly CanaryJson[];
  /** Newest last. */
  readonly changes: readonly ChangeJson[];
  /** `times`: the last hundred changes at most, newest last. */
  readonly rotations: { readonly last_600s: number; readonly times: readonly number[] };
  /** Changes allowed in 600 s (`dnschange_maxfreq`). */
  readonly maxfreq: number;
  /** Edges and canaries whose object was not the expected one in the last round. */
  readonly verification_failures: readonly string[];
  readonly goodenough: number;
  readonly timeout: number;
  readonly round: {
    /** When the last round ended. */
    readonly last_run: number | null;
    readonly seconds: number | null;
    readonly run_frequency: number;
    readonly next_due: number | null;
    readonly overdue: boolean;
    /** Canaries that were not fetched because too many others had failed. */
    readonly cancelled_canaries: readonly string[];
  };
};

/** What an operator set, and what the newest fetch saw. */
export type MemberJson = {
  readonly mode: Mode;
  readonly comment: string;
  readonly mode_since: number | null;
  /** When the mode goes back to available by itself. */
  readonly mode_until: number | null;
  /** Fit to be published. */
  readonly addresses: { readonly v4: string | null; readonly v6: string | null };
  readonly last_at: number | null;
  readonly fail: null | { readonly reason: FailReason; readonly detail: string };
  /** The address that was fetched from. */
  readonly address: string | null;
  readonly attempts: number | null;
  /** Redirects followed. */
  readonly hops: number | null;
  /** The check that decided. */
  readonly check: string | null;
  /** Every check's own result; empty before the first. */
  readonly checks: readonly CheckJson[];
  /** How long the prober itself stood still during the fetch, milliseconds. */
  readonly stalled_ms: number | null;
  readonly phases: null | PhasesJson;
  readonly uptime: UptimeJson;
};

export type UptimeJson = {
  /** Null: not judged (unavailable), or not asked for three intervals. */
  readonly up: boolean | null;
  /** When it came up or went down last, or was judged first. */
  readonly since: number | null;
  /** Newest last, at most 100. */
  readonly transitions: readonly { readonly at: number; readonly up: boolean }[];
  /** Known downtime of the last 24 hours, seconds. */
  readonly downtime_last_day: number;
  readonly last_failure: null | {
    readonly at: number;
    readonly reason: string;
    /** The check that decided; null: the edge's name had no address. */
    readonly check: string | null;
    readonly detail: string;
  };
  /** `count` results in a row, of the `of` that are needed, speak for a change to `towards` (`rise_fall`). */
  readonly position: null | { readonly count: number; readonly of: number; readonly towards: 'up' | 'down' };
};

/** Seconds. */
export type PhasesJson = {
  readonly resolve: number | null;
  readonly connect: number | null;
  readonly tls: number | null;
  readonly first_byte: number | null;
  readonly total: number;
};

export type CheckJson = {
  readonly name: string;
  readonly kind: CheckKind;
  readonly seconds: number;
  readonly fail: MemberJson['fail'];
  readonly attempts: number;
  readonly hops: number;
  readonly phases: PhasesJson;
  /** Stored of this check, and their averages in seconds: over the last 300 s, and over all. */
  readonly samples: number;
  readonly window_average: number | null;
  readonly average: number | null;
};

export type VerdictJson = {
  /** Null: unavailable, or never fetched. */
  readonly judgement: Judgement | null;
  readonly last: number | null;
  readonly window_average: number | null;
  readonly average: number | null;
};

export type EdgeJson = MemberJson &
  VerdictJson & {
    readonly edge: string;
    readonly state: 'in' | 'out';
    /** Why it is judged so. */
    readonly why: string | null;
    /** Why it is live or not. */
    readonly reason: string | null;
    readonly verification_failed: boolean;
    /** What each vantage point says of it, and whether some see it down and the quorum does not; absent: there are none. */
    readonly says?: readonly SayJson[];
    readonly suspect?: boolean;
  };

export type CanaryJson = Omit<MemberJson, 'address'> &
  VerdictJson & {
    readonly zone: string;
    /** As configured. */
    readonly address: string;
    readonly active: boolean;
    /** The edge it stands in for. */
    readonly victim: string | null;
    readonly changed: boolean;
    readonly held: boolean;
    /** Why it is used or not. */
    readonly why: string;
    readonly judgement_why: string | null;
    readonly verification_failed: boolean;
  };

/** A change of the live set; `reasons` has a sentence for each edge that came or went. */
export type ChangeJson = {
  readonly at: number;
  readonly serial: number;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly live: readonly string[];
  readonly reasons: { readonly [edge: string]: string };
};

/** `/api/v1/zones` is `{zones: [this, …]}`. */
export type ZoneJson = {
  /** As the operator named it, without a final dot. */
  readonly zone: string;
  /** Null: a static zone. */
  readonly network: string | null;
  /** `stale`: the last good version is served; `broken`: none, it answers SERVFAIL. */
  readonly state: ZoneState;
  /** As the SOA says; null when broken. */
  readonly serial: number | null;
  readonly records: number;
  readonly file: string;
  readonly loaded_at: number | null;
  /** Of a zone that was signed elsewhere: when its first signature ends. */
  readonly signatures_end: number | null;
  /** Of the last attempt to load it, as text with file, line and column. */
  readonly faults: readonly string[];
};

/** `/api/v1/publish` is `{publish: [this, …]}`: sets that are kept at other people's DNS, a row a target. */
export type PublishJson = {
  readonly target: string;
  readonly provider: string;
  readonly network: string;
  readonly names: readonly string[];
  /** `differs`: it would be changed, but nothing is written; `foreign`: somebody else changed it, and it stays so. */
  readonly state: 'unknown' | 'right' | 'differs' | 'foreign' | 'failing';
  readonly since: number;
  readonly last_right: number | null;
  readonly problem: string | null;
  /** Since the start. */
  readonly corrections: number;
  readonly failures: number;
  readonly foreign_changes: number;
  /** As they were last read. `ttl` null: records of several TTLs. */
  readonly sets: readonly {
    readonly name: string;
    readonly type: 'A' | 'AAAA';
    readonly ttl: number | null;
    readonly addresses: readonly string[];
  }[];
};

/** `/api/v1/secondaries` is `{secondaries: [this, …]}`, a row per secondary and zone. */
export type SecondaryJson = {
  readonly secondary: string;
  readonly zone: string;
  readonly network: string | null;
  /** What it answered last. */
  readonly serial: number | null;
  readonly our_serial: number;
  /** `ahead`: its serial comes after ours, and it takes no version from here; `unknown`: it never answered. */
  readonly state: 'current' | 'behind' | 'ahead' | 'unknown';
  /** How long it has not had our serial, being behind or ahead; 0: it has it. */
  readonly lag_seconds: number | null;
  readonly checked_at: number | null;
  readonly error: string | null;
};

/** What one vantage says of an edge; `up` null: no opinion, or none that counts. */
export type SayJson = { readonly vantage: string; readonly up: boolean | null; readonly detail: string };

/** `/api/v1/vantage`; 404 where the configuration has no `vantage`. */
export type VantageJson = {
  readonly engine: 'peers' | 'etcd';
  /** This server's own. */
  readonly vantage: string;
  /** The server's clock at the answer. */
  readonly now: number;
  /** Whether etcd answers; null with peers. */
  readonly connected: boolean | null;
  /** Who decides for all, since when by this server's clock; null with peers, where each decides for itself. */
  readonly decider: null | {
    readonly vantage: string | null;
    readonly is_self: boolean;
    readonly token: string | null;
    readonly since: number | null;
  };
  /** An operator's: this server decides alone. `until` null: until it is ended. */
  readonly override: null | {
    readonly reason: string;
    readonly by: string;
    readonly at: number;
    readonly until: number | null;
  };
  /** This one among them. */
  readonly vantages: readonly {
    readonly vantage: string;
    readonly is_self: boolean;
    readonly reachable: boolean;
    /** Seconds since it was last heard of; null: never. */
    readonly last_heard: number | null;
    readonly version: string | null;
    /** Its clock less ours, seconds; null: not known. */
    readonly clock_offset: number | null;
    readonly problem: string | null;
  }[];
  readonly networks: readonly {
    readonly network: string;
    /** Of the live set as it is answered here. */
    readonly serial: number;
    /** The newest set that was stored; null: none is known, or each vantage decides for itself. */
    readonly decided: null | {
      readonly serial: number;
      readonly at: number;
      readonly by: string;
      readonly token: string;
    };
    /** Views that count now, our own included, and how many must for anything to be decided. */
    readonly counting: number;
    readonly needed: number;
    readonly views: readonly {
      readonly vantage: string;
      /** Seconds; null: none was ever received. */
      readonly age: number | null;
      readonly turn: number | null;
      /** Whether what decides is configured as here; null: not known. */
      readonly same_config: boolean | null;
      readonly counts: boolean;
      /** Of the live set as that vantage answers it. */
      readonly serial: number | null;
    }[];
    /** Edges that some see down and the quorum does not. */
    readonly suspects: readonly { readonly edge: string; readonly says: readonly SayJson[] }[];
  }[];
  /** What does not work, a sentence each. */
  readonly faults: readonly string[];
};
