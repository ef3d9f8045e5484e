/** What was seen in a run of several vantage points: everything that the checker judges by. */
import type { Say } from '../../src/health/judge/quorum.ts';

/** One look at a node: the serial was the same before and after the addresses were asked for. */
export type Answer = {
  readonly kind: 'answer';
  readonly node: string;
  readonly zone: string;
  readonly serial: number;
  /** Of the apex, sorted. */
  readonly addresses: readonly string[];
};

/** A zone as a node transferred it: every record in a line, sorted. */
export type Transfer = {
  readonly kind: 'transfer';
  readonly node: string;
  readonly zone: string;
  readonly serial: number;
  readonly records: readonly string[];
};

/** Where the store said something: revisions order only within one cluster of it. */
type Stored = { readonly cluster: string; readonly revision: number };

export type StoredSet = Stored & {
  readonly kind: 'set';
  readonly network: string;
  readonly serial: number;
  /** Edges that are live, sorted, and their addresses. */
  readonly edges: readonly string[];
  readonly addresses: readonly string[];
  readonly by: string;
  readonly token: string;
  readonly basis: Readonly<Record<string, number>>;
  readonly says: Readonly<Record<string, readonly Say[]>>;
  /** Absent: none. Canaries in use, and serials of the zones whose canary changed. */
  readonly canaries?: readonly { readonly zone: string; readonly address: string; readonly victim: string | null }[];
  readonly canarySerials?: Readonly<Record<string, number>>;
};

/** Who holds `leader`; null: nobody. */
export type StoredLeader = Stored & {
  readonly kind: 'leader';
  readonly holder: { readonly name: string; readonly token: string } | null;
};

export type StoredView = Stored & {
  readonly kind: 'view';
  readonly vantage: string;
  readonly network: string;
  readonly boot: string;
  readonly turn: number;
  readonly up: Readonly<Record<string, boolean | null>>;
};

/** The content of a zone that is in force. */
export type StoredContent = Stored & {
  readonly kind: 'content';
  readonly zone: string;
  readonly serial: number;
  readonly hash: string;
};

/**
 * What the run itself did. `broken`: something is wrong from here on, so nodes may lag. `healed`: all is well again.
 * `frozen`: no quorum of anything, so that nothing may change until `thawed`. `override`: the operator lets the vantage
 * `what` decide alone, until `override over`. `mode begins`: an operator is about to set a mode of the edge `what`;
 * `mode set`: it is done, of `EDGE MODE`.
 */
export type Mark = {
  readonly kind: 'mark';
  readonly mark: 'broken' | 'healed' | 'frozen' | 'thawed' | 'override' | 'override over' | 'mode begins' | 'mode set';
  readonly what: string;
};

/** The mode of an edge in the health records of a node; only where it is another one than before. */
export type ModeSeen = { readonly kind: 'mode'; readonly node: string; readonly edge: string; readonly mode: string };

/** `at`: milliseconds of the run; of an answer when it was asked, of all else when it was seen. In this order. */
export type Entry = { readonly at: number } & (
  | Answer
  | Transfer
  | StoredSet
  | StoredLeader
  | StoredView
  | StoredContent
  | ModeSeen
  | Mark
);

export type Log = readonly Entry[];
