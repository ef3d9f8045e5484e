/**
 * What an operator may have the running server do over HTTP. Nothing here is HTTP; `app` does the work, by the same
 * ways as the commands (`edgewise mode`, SIGHUP, `edgewise notice test`).
 */
import type { Sample } from '../../../health/checks/sample.ts';
import type { Mode } from '../../../health/judge/edge.ts';

/** Who asked: the name that the token file or the client certificate gives, and the client's address, for the logs. */
export type Author = { readonly name: string; readonly client: string };

/**
 * Why something was not done. `unknown`: no such network, edge or target; `invalid`: it cannot be asked for like this; `stale`: it
 * is no longer as it was seen;
 * `busy`: the same is under way, or another process has the lock; `too-often`: wait `retryAfter`; `failed`: it was
 * tried.
 */
export type ActionFault = {
  readonly code: 'unknown' | 'invalid' | 'stale' | 'busy' | 'too-often' | 'failed';
  /** A sentence for a person. */
  readonly message: string;
  /** Seconds, with `too-often`. */
  readonly retryAfter?: number;
  /** Every fault of the configuration that refused it, with its place (`file:line:column: …`). */
  readonly faults?: readonly string[];
};

export type ActionResult<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly fault: ActionFault };

export type ModeOrder = {
  readonly network: string;
  readonly edge: string;
  readonly mode: Mode;
  /** Empty only with `available`. */
  readonly comment: string;
  /** Epoch seconds at which the mode goes back to available; null: it stays. */
  readonly until: number | null;
  /** The version (`edgeVersion`) that the order is based on; left out: whatever there is. */
  readonly version?: string;
};

export type ModeSet = {
  readonly mode: Mode;
  /** As it is stored, with the author before it. */
  readonly comment: string;
  readonly since: number | null;
  readonly until: number | null;
  /** What else this means: other networks it holds in, or that the edge stays in answers. A sentence each. */
  readonly effects: readonly string[];
  /** What is served of the network after the decision that followed. */
  readonly live: readonly string[];
};

export type UpdateOrder = {
  readonly network: string;
  /** Past the limit of rotations, as `edge_manage --force` does. */
  readonly force: boolean;
  /** Why, for the records; left out: none is given. */
  readonly reason?: string | undefined;
};

/** What a decision came to. */
export type Updated = {
  readonly changed: boolean;
  readonly live: readonly string[];
  readonly serial: number;
  /** Why a change that is wanted was not made; null: none is wanted, or it was made. */
  readonly held: string | null;
};

/** `warnings`: of the configuration and the lists, with their places; the settings are in force in spite of them. */
export type Reloaded = { readonly warnings: readonly string[] };

/** Each resolves when it is done, or cannot be; none rejects. */
export type ControlActions = {
  readonly setMode: (order: ModeOrder, author: Author) => Promise<ActionResult<ModeSet>>;
  /** Asks one edge by all its checks, at once; judged and decided upon as any other sample. */
  readonly probeNow: (
    order: { readonly network: string; readonly edge: string },
    author: Author,
  ) => Promise<ActionResult<Sample>>;
  /** Decides by what is known. */
  readonly updateNow: (order: UpdateOrder, author: Author) => Promise<ActionResult<Updated>>;
  /** As SIGHUP. */
  readonly reload: (author: Author) => Promise<ActionResult<Reloaded>>;
  /** Sends a target of `notices` a sample. */
  readonly testNotice: (target: string, author: Author) => Promise<ActionResult<{ readonly sent: true }>>;
};
