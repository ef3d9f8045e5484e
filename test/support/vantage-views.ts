import { type OwnView, ownView, type ReceivedView, type VantageView } from '../../src/health/agreement/view.ts';
import { factsOf } from '../../src/health/choose/decide.ts';
import type { RoundFacts } from '../../src/health/choose/round.ts';
import type { EdgeFacts } from '../../src/health/judge/edge.ts';
import { NOW, type RoundWords, round } from './round-input.ts';

/** Seconds from one view of a vantage to its next. */
export const INTERVAL = 60;

export type ViewWords = {
  readonly boot?: string;
  readonly turn?: number;
  readonly config?: string;
  readonly serial?: number;
  readonly highestSerial?: number;
  readonly samples?: number;
};

/** A round by a vantage's own samples, and the view that it makes of it. */
export function vantage(
  name: string,
  words: RoundWords,
  { boot = 'b', turn = 1, config = 'same', serial = 1, highestSerial = serial, samples = 1 }: ViewWords = {},
): { readonly facts: RoundFacts; readonly own: OwnView; readonly view: VantageView } {
  const old = factsOf(round(words));
  const asked = <Edge extends EdgeFacts>(edge: Edge): Edge =>
    edge.sample === null ? edge : { ...edge, sample: { ...edge.sample, at: old.now - 1 } };
  const facts = { ...old, edges: old.edges.map(asked), canaries: old.canaries.map(asked) };
  const counts = new Map([...facts.edges, ...facts.canaries].map((edge) => [edge.name, samples]));
  const head = { vantage: name, boot, turn, version: '1', config, clock: facts.now, serial, highestSerial };
  const own = ownView(facts, counts, INTERVAL, head);
  return { facts, own, view: own.view };
}

export function received(view: VantageView, age = 1): ReceivedView {
  return { view, age, at: NOW - age };
}
