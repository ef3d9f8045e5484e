import type { Mode } from '../judge/edge.ts';
import { moment } from '../judge/reason.ts';

export const OPERATOR_ACTIONS = ['mode', 'mode_end', 'update', 'forced_update', 'probe', 'reload', 'override'] as const;

/**
 * What an operator did before a decision, which the decision may follow from. It is recorded with it and decides nothing.
 * `mode_end`: the time of a mode was over. `override`: it is in force (`edgewise cluster override`).
 */
export type OperatorAction = {
  readonly action: (typeof OPERATOR_ACTIONS)[number];
  /** Who did it: a name of `http.admin`, or a Unix user; null: not known. */
  readonly by: string | null;
  /** Null: none was given. */
  readonly reason: string | null;
  /** Of `mode`, `mode_end` and `probe`; null otherwise. */
  readonly edge: string | null;
  /** Of `mode`: the new one; null otherwise. */
  readonly mode: Mode | null;
  /** Of `mode`: when it ends by itself, epoch seconds; null otherwise, and where it does not. */
  readonly until: number | null;
};

/** An action without the details that it has not. */
export function operatorAction(given: Pick<OperatorAction, 'action' | 'by'> & Partial<OperatorAction>): OperatorAction {
  return { reason: null, edge: null, mode: null, until: null, ...given };
}

/** `alice set 192.0.2.1 to unavailable: new disk`: a line for a person, without a final dot. */
export function operatorActionText({ action, by, reason, edge, mode, until }: OperatorAction): string {
  const who = by ?? 'somebody';
  const why = reason === null ? '' : `: ${reason}`;
  switch (action) {
    case 'mode':
      return `${who} set ${edge ?? ''} to ${mode ?? ''}${until === null ? '' : ` until ${moment(until)}`}${why}`;
    case 'mode_end':
      return `the time of the mode of ${edge ?? ''} was over`;
    case 'update':
      return `${who} asked for an update${why}`;
    case 'forced_update':
      return `${who} forced an update${why}`;
    case 'probe':
      return `${who} had ${edge ?? ''} probed${why}`;
    case 'reload':
      return `${who} reloaded the configuration${why}`;
    case 'override':
      return `an override by ${who} is in force${why}`;
  }
}
