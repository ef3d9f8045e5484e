import type { Config } from '../config/types.ts';
import type { Fault } from '../system/fault.ts';
import type { NetworkLists } from './read-networks.ts';

/**
 * What a reload brings: a configuration that was read without an error, and the networks' lists. `by`: who asked for it
 * over HTTP; absent: a signal did.
 */
export type Reload = {
  readonly was: Config;
  readonly config: Config;
  readonly lists: NetworkLists;
  readonly by?: readonly string[];
};

/**
 * What a part has ready for a reload. `commit` brings it into force and does not fail (what it throws is a bug, and the
 * other parts are committed all the same); `discard` gives up what was taken for it, since another part was not ready.
 */
export type Prepared =
  | { readonly ok: true; readonly commit: () => void | Promise<void>; readonly discard: () => void | Promise<void> }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** One of the things that a server consists of: what starts, changes and stops together. */
export type Part = {
  /** As log lines, metrics and `/healthz` name it. */
  readonly name: string;
  /** Resolves when it works; a fault ends the server's start. May throw the system's error. */
  readonly start: () => Promise<Fault | null>;
  /** Looks whether the new settings can come into force, and changes nothing that anybody sees. */
  readonly prepare: (reload: Reload) => Promise<Prepared>;
  /** Also after a start that failed half-way. Has a deadline, after which it is not waited for any longer. */
  readonly stop: () => Promise<void>;
  /** What it cannot do at present, a sentence each: reasons of `/healthz`. */
  readonly faults: () => readonly string[];
};

const NOTHING = (): void => undefined;

/** A reload that asks nothing of a part. */
export const NOTHING_TO_DO: Prepared = { ok: true, commit: NOTHING, discard: NOTHING };

/** New settings that can always come into force. */
export function ready(commit: () => void | Promise<void>): Prepared {
  return { ok: true, commit, discard: NOTHING };
}

/** A part that does only some of what a part may do. */
export function part(name: string, does: Partial<Omit<Part, 'name'>>): Part {
  return {
    name,
    start: async () => null,
    prepare: async () => NOTHING_TO_DO,
    stop: async () => undefined,
    faults: () => [],
    ...does,
  };
}
